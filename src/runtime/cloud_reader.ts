import type { FloatingIpState, PortState } from "../facts/network_payload.ts";
import type { ListedPage } from "../facts/prime.ts";
import type { Clock } from "../model/clock.ts";
import { UserError } from "../model/errors.ts";
import type { ServerSnapshot } from "../model/event.ts";
import type { Listing } from "../model/ledger.ts";
import type { Logger } from "../model/plugin.ts";
import { unknownServer } from "../model/snapshot.ts";
import type { Answer, OpenStackApi, Page } from "../openstack/api.ts";
import { OpenStackUnavailable } from "../openstack/errors.ts";
import type { FloatingIpRecord, ImageRecord, NameRecord, PortRecord, ServerRecord } from "../openstack/records.ts";
import { retryDelayMs } from "../openstack/retry_delay.ts";

/** The part of OpenStack's API that lists resources and looks them up by id. */
export type CloudListings = Pick<
  OpenStackApi,
  "servers" | "ports" | "floatingIps" | "confirmedServer" | "port" | "floatingIp" | "image" | "project" | "user"
>;

export interface CloudReaderOptions {
  readonly api: CloudListings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Give up after OpenStack has not answered a request for this long. @default never */
  readonly maxSilenceMs?: number;
}

/** What OpenStack says of a resource that its state does not contain. */
export interface ResourceFacts {
  readonly projectId: string | null;
  /** Of a server, as `ACTIVE`, `DELETED` or `UNKNOWN`; see `ServerRecord`. */
  readonly status: string | null;
  /** When a server was last built, ISO 8601, UTC. `null`: never, or the status is `UNKNOWN`. */
  readonly launchedAt: string | null;
}

/** A resource that was found by its id: its state as a listing has it, and more facts. */
export interface Found<T> {
  readonly state: T;
  readonly facts: ResourceFacts;
}

/**
 * The answer to a question for one resource. `unclear`: the service answers, but again and again
 * not with what can be read as one of the others.
 */
export type OneAnswer<T> = Answer<Found<T>> | "unclear";

/** How often a question for one resource is repeated while the service answers others. */
const MAX_FAILURES_OF_ONE = 2;

/** One page of a listing. */
export interface FoundPage {
  readonly found: ListedPage;
  /** More facts on each resource of the page, by its id. */
  readonly facts: ReadonlyMap<string, ResourceFacts>;
  /** Where the next page begins; `null` after the last one. */
  readonly next: string | null;
  /** `false`: the account sees only its own project. `null`: the API does not say. */
  readonly allProjects: boolean | null;
}

export interface ReadOptions {
  /** The marker at which an earlier run stopped. */
  readonly after: string | null;
  /**
   * Only what changed at this time or later, ISO 8601: see `OpenStackApi.servers`. @default all
   */
  readonly changesSince?: string | null;
  /** Servers without the names of their image, project and user. @default false */
  readonly isPlain?: boolean;
  readonly signal: AbortSignal;
}

/** The options of one call to the API. */
interface CallOptions extends ReadOptions {
  /** What the page before said. */
  readonly allProjects: boolean | null;
}

/** How often one request has failed, and since when, in monotonic milliseconds. */
interface Failures {
  count: number;
  sinceMs: number;
}

/**
 * Reads listings of OpenStack page by page, and single resources by their ids. A request that fails
 * is retried with back-off.
 */
export class CloudReader {
  readonly #options: CloudReaderOptions;
  /** The error that was logged last: a repetition is only logged as debug. */
  #logged = "";

  constructor(options: CloudReaderOptions) {
    this.#options = options;
  }

  /**
   * Reads the pages of one listing.
   *
   * @throws {UserError} when OpenStack has not answered for `maxSilenceMs`.
   */
  async *read(listing: Listing, { after, ...options }: ReadOptions): AsyncGenerator<FoundPage, void, void> {
    const { signal } = options;
    const pages = PAGES[listing];
    const failures = { count: 0, sinceMs: 0 };
    let allProjects: boolean | null = null;
    for (let next = after;;) {
      try {
        for await (const page of pages(this.#options.api, { ...options, after: next, allProjects })) {
          this.#answered(failures);
          yield page;
          ({ next, allProjects } = page);
          if (next === null) return;
        }
        return;
      } catch (error) {
        await this.#wait(error, failures, signal);
      }
    }
  }

  /**
   * A server by its id, as a listing gives it; `absent` as `OpenStackApi.confirmedServer` has it.
   *
   * @throws {UserError} when OpenStack has given no usable answer for `maxSilenceMs`.
   */
  readServer(id: string, signal: AbortSignal): Promise<OneAnswer<ServerSnapshot>> {
    const { api } = this.#options;
    return this.#retried(signal, async () => {
      const record = await api.confirmedServer(id, signal);
      if (typeof record === "string") return record;
      const [state] = await snapshots(api, [record], signal);
      return { state: state as ServerSnapshot, facts: factsOf(record) };
    });
  }

  /** A port by its id, as `readServer`. */
  readPort(id: string, signal: AbortSignal): Promise<OneAnswer<PortState>> {
    return this.#retried(signal, async () => {
      const record = await this.#options.api.port(id, signal);
      return typeof record === "string" ? record : { state: portState(record), facts: factsOf(record) };
    });
  }

  /** A floating IP by its id, as `readServer`. */
  readFloatingIp(id: string, signal: AbortSignal): Promise<OneAnswer<FloatingIpState>> {
    return this.#retried(signal, async () => {
      const record = await this.#options.api.floatingIp(id, signal);
      return typeof record === "string" ? record : { state: record, facts: factsOf(record) };
    });
  }

  async #retried<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T | "unclear"> {
    const failures = { count: 0, sinceMs: 0 };
    for (;;) {
      try {
        const answer = await ask();
        this.#answered(failures);
        return answer;
      } catch (error) {
        const isOfOne = error instanceof OpenStackUnavailable && error.mayConcernOneRequest;
        if (isOfOne && failures.count >= MAX_FAILURES_OF_ONE) return "unclear";
        await this.#wait(error, failures, signal);
      }
    }
  }

  async #wait(error: unknown, failures: Failures, signal: AbortSignal): Promise<void> {
    const { clock, random, log, maxSilenceMs = Infinity } = this.#options;
    signal.throwIfAborted();
    if (!(error instanceof OpenStackUnavailable) && !(error instanceof UserError)) throw error;
    if (failures.count++ === 0) failures.sinceMs = clock.passedMs();
    const delayMs = retryDelayMs(error, { failures: failures.count, random });
    if (clock.passedMs() + delayMs - failures.sinceMs > maxSilenceMs) throw new UserError(error.message);
    const isRefusal = error instanceof UserError;
    const about = isRefusal ? error.message : error.service;
    const text = `${error.message}. Retrying${maxSilenceMs === Infinity ? " until it works" : ""}`;
    if (about === this.#logged) log.debug(error.message);
    else if (isRefusal) log.error(text);
    else log.warn(text);
    this.#logged = about;
    await clock.sleep(delayMs, signal);
    signal.throwIfAborted();
  }

  #answered(failures: Failures): void {
    const { clock, log } = this.#options;
    if (failures.count === 0) return;
    const seconds = Math.round((clock.passedMs() - failures.sinceMs) / 1000);
    failures.count = 0;
    // Requests that failed side by side are told as one failure.
    if (this.#logged === "") return;
    log.info(`OpenStack answers again, after ${seconds} s`);
    this.#logged = "";
  }
}

type Pages = (api: CloudListings, options: CallOptions) => AsyncGenerator<FoundPage, void, void>;

const PAGES: Readonly<Record<Listing, Pages>> = {
  floatingIps: (api, options) => mapped(api.floatingIps(options), (records) => ({ listing: "floatingIps", records })),
  ports: (api, options) =>
    mapped(api.ports(options), (records) => ({ listing: "ports", records: records.map(portState) })),
  servers: (api, options) =>
    mapped(
      api.servers(options),
      async (records) => ({ listing: "servers", records: await listedSnapshots(api, records, options) }),
    ),
};

async function* mapped<T extends ServerRecord | PortRecord | FloatingIpRecord>(
  pages: AsyncIterable<Page<T>>,
  found: (records: readonly T[]) => ListedPage | Promise<ListedPage>,
): AsyncGenerator<FoundPage, void, void> {
  for await (const { records, next, allProjects } of pages) {
    const facts = new Map(records.map((record) => [record.id, factsOf(record)]));
    yield { found: await found(records), facts, next, allProjects };
  }
}

function factsOf(record: ServerRecord | PortRecord | FloatingIpRecord): ResourceFacts {
  const { projectId } = record;
  const { status, launchedAt } = "status" in record ? record : { status: null, launchedAt: null };
  return { projectId, status, launchedAt };
}

/** A port as a notification would describe it. */
function portState(record: PortRecord): PortState {
  const { id, serverId, mac, fixedAddresses, dnsAssignments, revision, updatedAt } = record;
  const { fqdn = null, hostname = null } = dnsAssignments[0] ?? {};
  return { id, serverId, mac, fixedAddresses, dnsName: fqdn, dnsHostname: hostname, revision, updatedAt };
}

async function listedSnapshots(
  api: CloudListings,
  records: readonly ServerRecord[],
  { isPlain = false, signal }: CallOptions,
): Promise<readonly ServerSnapshot[]> {
  return await snapshots(isPlain ? NAMELESS : api, records, signal);
}

/** Finds no image, project or user. */
const NAMELESS: Pick<CloudListings, "image" | "project" | "user"> = {
  image: () => Promise.resolve("absent"),
  project: () => Promise.resolve("absent"),
  user: () => Promise.resolve("absent"),
};

/** Servers as their creation would have described them, completed from the APIs. */
async function snapshots(
  api: Pick<CloudListings, "image" | "project" | "user">,
  records: readonly ServerRecord[],
  signal: AbortSignal,
): Promise<readonly ServerSnapshot[]> {
  const [images, projects, users] = await Promise.all([
    answers(records.map(({ imageId }) => imageId), (id) => api.image(id, signal)),
    answers(records.map(({ projectId }) => projectId), (id) => api.project(id, signal)),
    answers(records.map(({ userId }) => userId), (id) => api.user(id, signal)),
  ]);
  return records.map((record) => {
    const { id, hostname, description, projectId, userId, imageId, storageGb, ramGib, vcpus, createdAt, metadata } =
      record;
    const image: ImageRecord | undefined = images.get(imageId);
    const project: NameRecord | undefined = projects.get(projectId);
    const user: NameRecord | undefined = users.get(userId);
    return {
      ...unknownServer(id),
      ...{ hostname, description, projectId, userId, imageId, storageGb, ramGib, vcpus, createdAt, metadata },
      projectName: project?.name ?? null,
      userName: user?.name ?? null,
      imageOs: image?.os ?? null,
      imageOsDistro: image?.osDistro ?? null,
      imageOsVersion: image?.osVersion ?? null,
      imageName: image?.name ?? null,
      // Floating IPs have a listing of their own.
      addresses: record.addresses.filter(({ type }) => type !== "floating"),
      optional: optionalOf(record),
    };
  });
}

/** The optional keys of the detail that Nova shows; the status only while no task runs. */
function optionalOf({ name, zone, host, status, flavor }: ServerRecord): NonNullable<ServerSnapshot["optional"]> {
  const known = Object.entries({ Name: name, Zone: zone, Status: lastingStatus(status), Flavor: flavor }).filter(
    ([, value]) => value !== null,
  );
  return { ...Object.fromEntries(known), ...(host === undefined ? {} : { Host: host }) };
}

/** Statuses that Nova's API shows while a task runs, whatever the server's state. */
const OF_TASKS: ReadonlySet<string> = new Set([
  ...["REBOOT", "HARD_REBOOT", "PASSWORD", "REBUILD", "MIGRATING", "RESIZE", "REVERT_RESIZE"],
]);

function lastingStatus(status: string | null): string | null {
  return status === null || OF_TASKS.has(status) ? null : status;
}

/** The records of these ids that exist; each id is asked for once. */
async function answers<T extends object>(
  ids: readonly (string | null)[],
  ask: (id: string) => Promise<Answer<T>>,
): Promise<ReadonlyMap<string | null, T>> {
  const wanted = [...new Set(ids)].filter((id) => id !== null);
  const found = await Promise.all(wanted.map(async (id) => [id, await ask(id)] as const));
  return new Map(found.flatMap(([id, answer]) => typeof answer === "string" ? [] : [[id, answer] as const]));
}
