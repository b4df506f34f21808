import type { Observation } from "../facts/observation.ts";
import type { Clock } from "../model/clock.ts";
import type { Listing } from "../model/ledger.ts";
import { RESOURCE_ID } from "../model/resource_id.ts";
import type { FloatingIpMemory, Memory, PortMemory } from "../model/memory.ts";
import type { CloudView, Reading, SeenFloatingIp, SeenPage, SeenPort, SeenServer } from "./cloud_view.ts";

/** A resource to ask for. */
export interface Resource {
  readonly listing: Listing;
  readonly id: string;
}

/** An observation with what OpenStack answered, for operators. */
export interface MadeObservation {
  readonly observation: Observation;
  readonly evidence: readonly string[];
}

/** The answer to a question for one resource. */
export interface Answer {
  readonly resource: Resource;
  /** Why the answer says nothing of the resource; `null`: it does. */
  readonly problem: string | null;
  observe(memory: Memory): readonly MadeObservation[];
}

export interface ObservationMakerOptions {
  readonly cloud: Pick<CloudView, "server" | "port" | "floatingIp">;
  readonly clock: Clock;
  /** Since when the ledger follows the cloud, milliseconds since the epoch. */
  readonly beganAt: number;
}

/** Reads what can be concluded from answers of Nova and Neutron. */
export class ObservationMaker {
  readonly #options: ObservationMakerOptions;
  readonly #beganAt: string;

  constructor(options: ObservationMakerOptions) {
    this.#options = options;
    // OpenStack gives times in whole seconds.
    this.#beganAt = new Date(Math.floor(options.beganAt / 1000) * 1000).toISOString();
  }

  /** The observations of a page that was asked for at a time. */
  observationsOf(page: SeenPage, { memory, readAtMs }: When): readonly MadeObservation[] {
    const when = { memory, readAtMs };
    if (page.listing === "servers") return page.records.flatMap((seen) => this.#server(seen, when));
    if (page.listing === "ports") return page.records.map((seen) => this.#port(seen, when));
    return page.records.map((seen) => this.#floatingIp(seen, when));
  }

  /** Asks for one resource. */
  async ask(resource: Resource, signal: AbortSignal): Promise<Answer> {
    const { listing, id } = resource;
    const { cloud, clock } = this.#options;
    const readAtMs = clock.now();
    const service = listing === "servers" ? "Nova" : "Neutron";
    const evidence = [
      RESOURCE_ID.test(id)
        ? `${service} answered 404 for its id at ${at(readAtMs)}`
        : `${service} gives no such id, and was not asked`,
    ];
    const answer = <Seen>(reading: Reading<Seen>, { absent, there }: Answers<Seen>): Answer => ({
      resource,
      problem: reading === "forbidden" ? FORBIDDEN : reading === "unclear" ? UNCLEAR_ANSWER : null,
      observe: (memory) => {
        if (reading === "absent") return [{ observation: absent, evidence }];
        return typeof reading === "string" ? [] : there(reading as Seen, { memory, readAtMs });
      },
    });
    switch (listing) {
      case "servers":
        return answer(await cloud.server(id, signal), {
          absent: { what: "serverAbsent", id },
          there: (seen, when) => this.#server(seen, when),
        });
      case "ports":
        return answer(await cloud.port(id, signal), {
          absent: { what: "portAbsent", id },
          there: (seen, when) => [this.#port(seen, when)],
        });
      case "floatingIps":
        return answer(await cloud.floatingIp(id, signal), {
          absent: { what: "floatingIpAbsent", id },
          there: (seen, when) => [this.#floatingIp(seen, when)],
        });
    }
  }

  /**
   * Nothing is concluded of a server that was never built: its creation has not been announced. Nor
   * of one whose cell is down: little is known of it then.
   */
  #server({ state, status, launchedAt }: SeenServer, { readAtMs }: When): readonly MadeObservation[] {
    if (launchedAt === null || UNCLEAR.has(status ?? "")) return [];
    const isNew = state.createdAt === null || state.createdAt >= this.#beganAt;
    const evidence = [`Nova showed it at ${at(readAtMs)}: ${status ?? "no status"}, built at ${launchedAt}`];
    return [{ observation: { what: "server", state, isNew, readAtMs }, evidence }];
  }

  #port({ id, state }: SeenPort, { memory, readAtMs }: When): MadeObservation {
    const known = memory.port(id);
    const server = state.serverId ?? null;
    const evidence = [
      `Neutron showed it at ${at(readAtMs)} on ${server === null ? "no server" : `server ${server}`}, ` +
      revised(state.revision),
    ];
    return { observation: { what: "port", state, readAtMs, ...comparison(state, known) }, evidence };
  }

  #floatingIp({ id, state }: SeenFloatingIp, { memory, readAtMs }: When): MadeObservation {
    const known = memory.floatingIp(id);
    const isNew = typeof state.updatedAt !== "string" || state.updatedAt >= this.#beganAt;
    const server = state.port?.serverId ?? null;
    const where = state.portId === null
      ? "no port"
      : `port ${state.portId}${server === null ? "" : ` of server ${server}`}`;
    const evidence = [`Neutron showed it at ${at(readAtMs)} on ${where}, ${revised(state.revision)}`];
    return { observation: { what: "floatingIp", state, isNew, readAtMs, ...comparison(state, known) }, evidence };
  }
}

/**
 * The project that a remembered resource belongs to; `null` when unknown, as of ports: one may belong
 * to another project than its server.
 */
export function projectOf({ listing, id }: Resource, memory: Memory): string | null {
  if (listing === "servers") return memory.server(id)?.snapshot.projectId ?? null;
  if (listing === "floatingIps") return memory.floatingIp(id)?.projectId ?? null;
  return null;
}

/** Memory with which a state is compared, and when the state was asked for. */
interface When {
  readonly memory: Memory;
  /** Milliseconds since the epoch. */
  readonly readAtMs: number;
}

interface Answers<Seen> {
  readonly absent: Observation;
  readonly there: (seen: Seen, when: When) => readonly MadeObservation[];
}

const FORBIDDEN = "our account may not see it (403)";
const UNCLEAR_ANSWER = "the service does not say whether it is there";

/** A server whose cell is down, and those that Nova has deleted, or will. */
const UNCLEAR: ReadonlySet<string> = new Set(["UNKNOWN", "DELETED", "SOFT_DELETED"]);

/**
 * The row of memory with which a state was compared, where revisions do not tell which of the two
 * is newer.
 */
function comparison(
  { revision }: { readonly revision: number | null },
  known: PortMemory | FloatingIpMemory | undefined,
): { readonly comparedWith?: string } {
  const isTold = revision !== null && (known === undefined || (!known.deleted && revision >= (known.revision ?? 0)));
  return isTold ? {} : { comparedWith: JSON.stringify(known ?? null) };
}

function revised(revision: number | null): string {
  return revision === null ? "without a revision" : `revision ${revision}`;
}

function at(ms: number): string {
  return new Date(ms).toISOString();
}
