import type { FloatingIpState, PortState } from "../facts/network_payload.ts";
import type { CloudScope } from "../model/comparison.ts";
import type { ServerSnapshot } from "../model/event.ts";

/** A server as Nova lists it. */
export interface SeenServer {
  readonly id: string;
  readonly projectId: string | null;
  readonly state: ServerSnapshot;
  /** As `ACTIVE`; `DELETED` in a listing of changes; `UNKNOWN` while its cell is down. */
  readonly status: string | null;
  /** When it was built; `null` before that, and when its cell is down. ISO 8601, UTC. */
  readonly launchedAt: string | null;
}

export interface SeenPort {
  readonly id: string;
  readonly projectId: string | null;
  readonly state: PortState;
}

export interface SeenFloatingIp {
  readonly id: string;
  readonly projectId: string | null;
  readonly state: FloatingIpState;
}

/** One page of a listing. */
export type SeenPage =
  & (
    | { readonly listing: "servers"; readonly records: readonly SeenServer[] }
    | { readonly listing: "ports"; readonly records: readonly SeenPort[] }
    | { readonly listing: "floatingIps"; readonly records: readonly SeenFloatingIp[] }
  )
  & {
    /** `false`: the account sees only its own project. `null`: the API does not say. */
    readonly allProjects: boolean | null;
  };

/**
 * The answer to a question for one resource by its id. `unclear`: nothing that says whether it is
 * there.
 */
export type Reading<Seen> = Seen | "absent" | "forbidden" | "unclear";

/**
 * What a comparison reads of OpenStack. Every method rejects when there is no usable answer: then
 * nothing is concluded.
 */
export interface CloudView {
  scope(signal: AbortSignal): Promise<CloudScope>;
  /**
   * The pages of a listing. `changesSince`: of servers and ports, those that have changed since
   * then are enough, deleted servers included.
   */
  read(
    listing: SeenPage["listing"],
    options: { readonly changesSince: string | null; readonly signal: AbortSignal },
  ): AsyncIterable<SeenPage>;
  server(id: string, signal: AbortSignal): Promise<Reading<SeenServer>>;
  port(id: string, signal: AbortSignal): Promise<Reading<SeenPort>>;
  floatingIp(id: string, signal: AbortSignal): Promise<Reading<SeenFloatingIp>>;
}
