import type { ListedPage } from "../facts/prime.ts";
import type { Clock } from "../model/clock.ts";
import { UserError } from "../model/errors.ts";
import type { ServerSnapshot } from "../model/event.ts";
import type { Listing } from "../model/ledger.ts";
import type { Logger } from "../model/plugin.ts";
import { unknownServer } from "../model/snapshot.ts";
import type { Answer, OpenStackApi, Page } from "../openstack/api.ts";
import { OpenStackUnavailable } from "../openstack/errors.ts";
import type { ImageRecord, NameRecord, PortRecord, ServerRecord } from "../openstack/records.ts";
import { retryDelayMs } from "../openstack/retry_delay.ts";

/** The part of OpenStack's API that is read to list resources. */
export type CloudListings = Pick<OpenStackApi, "servers" | "ports" | "floatingIps" | "image" | "project" | "user">;

export interface CloudReaderOptions {
  readonly api: CloudListings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Give up after OpenStack has not answered for this long. @default never */
  readonly maxSilenceMs?: number;
}

/** One page of a listing. */
export interface FoundPage {
  readonly found: ListedPage;
  /** Where the next page begins; `null` after the last one. */
  readonly next: string | null;
  /** `false`: the account sees only its own project. `null`: the API does not say. */
  readonly allProjects: boolean | null;
}

export interface ReadOptions {
  /** The marker at which an earlier run stopped. */
  readonly after: string | null;
  readonly signal: AbortSignal;
}

/** Reads listings of OpenStack page by page. A page that fails is retried with back-off. */
export class CloudReader {
  readonly #options: CloudReaderOptions;
  #failures = 0;
  /** When OpenStack stopped answering, in monotonic milliseconds. */
  #silentSinceMs = 0;
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
  async *read(listing: Listing, { after, signal }: ReadOptions): AsyncGenerator<FoundPage, void, void> {
    const pages = PAGES[listing];
    for (let next = after;;) {
      try {
        for await (const page of pages(this.#options.api, { after: next, signal })) {
          this.#answered();
          yield page;
          next = page.next;
          if (next === null) return;
        }
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof OpenStackUnavailable) && !(error instanceof UserError)) throw error;
        await this.#wait(error, signal);
      }
    }
  }

  async #wait(error: OpenStackUnavailable | UserError, signal: AbortSignal): Promise<void> {
    const { clock, random, log, maxSilenceMs = Infinity } = this.#options;
    if (this.#failures++ === 0) this.#silentSinceMs = clock.passedMs();
    const delayMs = retryDelayMs(error, { failures: this.#failures, random });
    if (clock.passedMs() + delayMs - this.#silentSinceMs > maxSilenceMs) throw new UserError(error.message);
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

  #answered(): void {
    const { clock, log } = this.#options;
    if (this.#failures === 0) return;
    log.info(`OpenStack answers again, after ${Math.round((clock.passedMs() - this.#silentSinceMs) / 1000)} s`);
    this.#failures = 0;
    this.#logged = "";
  }
}

type Pages = (api: CloudListings, options: ReadOptions) => AsyncGenerator<FoundPage, void, void>;

const PAGES: Readonly<Record<Listing, Pages>> = {
  floatingIps: (api, options) => mapped(api.floatingIps(options), (records) => ({ listing: "floatingIps", records })),
  ports: (api, options) =>
    mapped(api.ports(options), (records) => ({ listing: "ports", records: records.map(portState) })),
  servers: (api, options) =>
    mapped(
      api.servers(options),
      async (records) => ({ listing: "servers", records: await snapshots(api, records, options) }),
    ),
};

async function* mapped<T>(
  pages: AsyncIterable<Page<T>>,
  found: (records: readonly T[]) => ListedPage | Promise<ListedPage>,
): AsyncGenerator<FoundPage, void, void> {
  for await (const { records, next, allProjects } of pages) yield { found: await found(records), next, allProjects };
}

/** A port as a notification would describe it. */
function portState({ id, serverId, mac, fixedAddresses, dnsAssignments, revision, updatedAt }: PortRecord) {
  const { fqdn = null, hostname = null } = dnsAssignments[0] ?? {};
  return { id, serverId, mac, fixedAddresses, dnsName: fqdn, dnsHostname: hostname, revision, updatedAt };
}

/** Servers as their creation would have described them, completed from the APIs. */
async function snapshots(
  api: CloudListings,
  records: readonly ServerRecord[],
  { signal }: ReadOptions,
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
    };
  });
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
