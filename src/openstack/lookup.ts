import type { JsonObject } from "../model/notification.ts";
import type { Answered, Caller } from "./caller.ts";
import type { ExpiringCache } from "./expiring_cache.ts";
import { SingleFlight } from "./single_flight.ts";
import { ASK_AGAIN_AFTER_MS, type RequestKind, type Rights } from "./rights.ts";
import type { ServiceName } from "./services.ts";
import type { Transport } from "./transport.ts";

/**
 * The result of a lookup: the resource, `absent` (404, 410), or `forbidden` for our account (403).
 */
export type Answer<T> = T | "absent" | "forbidden";

export interface LookupOptions<T> {
  readonly kind: RequestKind;
  readonly service: ServiceName;
  /** The path of a resource, given its id as an encoded path segment. */
  readonly path: (id: string) => string;
  /** Reads the resource; `null` if the answer lacks required fields. */
  readonly read: (body: JsonObject) => T | null;
  readonly caller: Caller;
  readonly transport: Transport;
  readonly rights: Rights;
  /** Without a cache every lookup is a request. */
  readonly cache?: ExpiringCache<Answer<T>>;
}

/** How long answers are cached: 10 minutes for a resource, 1 minute for `absent`. */
const KEEP_MS = 600_000;
const KEEP_ABSENT_MS = 60_000;

/** Looks up resources of one kind by id; equal lookups at the same time share one request. */
export class Lookup<T> {
  readonly #options: LookupOptions<T>;
  readonly #inFlight = new SingleFlight<Answer<T>>();

  constructor(options: LookupOptions<T>) {
    this.#options = options;
  }

  /** @param signal Cancels this caller's wait, not the request: others may wait for it too. */
  async of(id: string, signal?: AbortSignal): Promise<Answer<T>> {
    signal?.throwIfAborted();
    const segment = segmentOf(id);
    if (segment === null) return "absent";
    const cached = this.#options.cache?.get(id);
    if (cached !== undefined) return cached;
    // For cached kinds a refusal concerns one id: a domain's reader may see some projects and not
    // others.
    const { cache, rights, kind } = this.#options;
    if (cache === undefined && !rights.mayAsk(kind)) return "forbidden";
    return await this.#inFlight.run(id, () => this.#ask(id, segment), signal);
  }

  async #ask(id: string, segment: string): Promise<Answer<T>> {
    const { kind, service, path, caller, rights, cache } = this.#options;
    const answered = await caller.ask({ service, path: path(segment) });
    const { status } = answered.answer;
    if (status === 403) {
      rights.refused(kind, answered);
      cache?.set(id, "forbidden", ASK_AGAIN_AFTER_MS);
      return "forbidden";
    }
    const found = status === 404 || status === 410 ? "absent" : this.#read(answered);
    cache?.set(id, found, found === "absent" ? KEEP_ABSENT_MS : KEEP_MS);
    return found;
  }

  #read({ call, answer }: Answered): T {
    const { transport, read } = this.#options;
    const { status, errorMessage } = answer;
    const isGood = status < 300;
    const found = isGood ? read(transport.bodyOf(call, answer)) : null;
    if (found !== null) return found;
    const lacks = isGood ? "the answer lacks what was asked for" : `"${errorMessage}"`;
    const reason = isGood ? "other" : "client_error";
    throw transport.failure(call, { reason, status, state: `${status}: ${lacks}. Check that the URL is right` });
  }
}

/**
 * The id as a path segment; `null` if it cannot be one. Ids come from messages: a hostile one must
 * not change the path.
 */
function segmentOf(id: string): string | null {
  return id === "" || id.length > 255 || /^\.{1,2}$/.test(id) ? null : encodeURIComponent(id.toWellFormed());
}
