import type { JsonObject } from "../model/notification.ts";
import type { Answered, Caller } from "./caller.ts";
import type { ExpiringCache } from "./expiring_cache.ts";
import { SingleFlight } from "./single_flight.ts";
import { ASK_AGAIN_AFTER_MS, type RequestKind, type Rights } from "./rights.ts";
import type { ServiceName } from "./services.ts";
import type { Transport } from "./transport.ts";

/** What became of a question: what was asked for, that there is none (404), or that our account may not know (403). */
export type Answer<T> = T | "absent" | "forbidden";

export interface LookupOptions<T> {
  readonly kind: RequestKind;
  readonly service: ServiceName;
  /** Where one is, given its id as a path's segment. */
  readonly path: (id: string) => string;
  /** `null`: the answer has not what it must have. */
  readonly read: (body: JsonObject) => T | null;
  readonly caller: Caller;
  readonly transport: Transport;
  readonly rights: Rights;
  /** Without one every question is asked. */
  readonly cache?: ExpiringCache<Answer<T>>;
}

/** How long answers are believed; that there is none, not as long. */
const KEEP_MS = 600_000;
const KEEP_ABSENT_MS = 60_000;

/** One kind of question, by id. */
export class Lookup<T> {
  readonly #options: LookupOptions<T>;
  readonly #inFlight = new SingleFlight<Answer<T>>();

  constructor(options: LookupOptions<T>) {
    this.#options = options;
  }

  /** @param signal Ends the waiting, not the question: others may wait for it too. */
  async of(id: string, signal?: AbortSignal): Promise<Answer<T>> {
    signal?.throwIfAborted();
    const segment = segmentOf(id);
    if (segment === null) return "absent";
    const cached = this.#options.cache?.get(id);
    if (cached !== undefined) return cached;
    // Of what has a cache one may be forbidden and another allowed, as to the reader of a domain.
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

/** An id comes from a message: it must not lead to another path. `null`: it is none. */
function segmentOf(id: string): string | null {
  return id === "" || id.length > 255 || /^\.{1,2}$/.test(id) ? null : encodeURIComponent(id.toWellFormed());
}
