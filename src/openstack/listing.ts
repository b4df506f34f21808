import type { JsonObject } from "../model/notification.ts";
import type { Answered, Caller } from "./caller.ts";
import { objects, text } from "./read.ts";
import type { CatalogService } from "./services.ts";
import type { Transport } from "./transport.ts";
import { untilAborted } from "./until_aborted.ts";

/** One page of a listing. */
export interface Page<T> {
  readonly records: readonly T[];
  /**
   * Where to continue, also after a restart: the next page begins after this id. `null` on the last
   * page.
   */
  readonly next: string | null;
  /**
   * `false` if the listing is limited to our own project because more is forbidden. `null` for
   * Neutron, which does not say whether it leaves out other projects.
   */
  readonly allProjects: boolean | null;
}

export interface ListingOptions<T> {
  readonly service: CatalogService;
  /** The path with its query, as `/servers/detail?limit=200`. */
  readonly path: string;
  /** The key of the list in the answer, as `servers`. */
  readonly key: string;
  readonly read: (one: JsonObject) => T | null;
  readonly caller: Caller;
  readonly transport: Transport;
  /** Begin after this id; `null` begins at the start. */
  readonly after: string | null;
  readonly signal?: AbortSignal | undefined;
}

/** A page, or the answer with which the service refused it (400, 403, 404). */
export type Listed<T> = Omit<Page<T>, "allProjects"> | { readonly refused: Answered };

/**
 * A listing may restart from its beginning this many times. More restarts mean that resources are
 * deleted faster than they are read.
 */
const MAX_RESTARTS = 3;

/**
 * Reads a list page by page. If the marker of the next page was deleted in the meantime, reading
 * continues after an earlier resource of the previous page, or from the beginning. Some resources
 * may then be returned twice; none is left out.
 */
export async function* listing<T>(options: ListingOptions<T>): AsyncGenerator<Listed<T>, void, void> {
  let markers: string[] = options.after === null ? [] : [options.after];
  let restarts = 0;
  const firstIds = new Set<string | undefined>();
  for (;;) {
    options.signal?.throwIfAborted();
    const marker = markers[0];
    const answered = await untilAborted(ask(options, marker), options.signal);
    const { status } = answered.answer;
    if (marker !== undefined && (status === 400 || status === 404)) {
      markers.shift();
      if (markers.length === 0 && ++restarts > MAX_RESTARTS) return yield { refused: answered };
      continue;
    }
    if (status >= 300) return yield { refused: answered };
    const { records, ids, hasMore } = read(options, answered);
    // For floating IPs, Neutron itself restarts from the beginning when the marker does not exist.
    if (firstIds.has(ids[0]) && ++restarts > MAX_RESTARTS) throw restartedTooOften(options, answered);
    firstIds.add(ids[0]);
    const next = hasMore ? ids.at(-1) : null;
    // This must not count as the end of the list: the unread resources would be taken for deleted.
    if (next === undefined || next === marker) throw noProgress(options, answered);
    yield { records, next };
    if (next === null) return;
    markers = [next, ...earlier(ids, next)];
  }
}

function ask<T>({ caller, service, path }: ListingOptions<T>, marker: string | undefined): Promise<Answered> {
  return caller.ask({ service, path: marker === undefined ? path : `${path}&marker=${encodeURIComponent(marker)}` });
}

function read<T>({ key, read, transport }: ListingOptions<T>, { call, answer }: Answered) {
  const body = transport.bodyOf(call, answer);
  const listed = body[key];
  const items = objects(listed);
  const records = items.map(read).filter((one) => one !== null);
  if (!Array.isArray(listed) || records.length < listed.length) {
    const state = `${answer.status}, but the list "${key}" is not there or lacks ids. Check that the URL is right`;
    throw transport.failure(call, { reason: "other", status: answer.status, state });
  }
  const ids = items.map((item) => text(item["id"])).filter((id) => id !== null);
  return { records, ids, hasMore: objects(body[`${key}_links`]).some((link) => link["rel"] === "next") };
}

function noProgress<T>({ key, transport }: ListingOptions<T>, { call, answer: { status } }: Answered): Error {
  const state =
    `${status}, but the list "${key}" does not continue: the answer announces more, but there is nothing new. ` +
    "See its own log, and those of proxies before it";
  return transport.failure(call, { reason: "other", status, state });
}

function restartedTooOften<T>({ key, transport }: ListingOptions<T>, { call, answer: { status } }: Answered): Error {
  const state = `the list "${key}" restarts again and again: the markers of its pages are deleted in the meantime`;
  return transport.failure(call, { reason: "other", status, state });
}

/** Alternative markers from the same page, the later ones first. */
function earlier(ids: readonly string[], last: string): string[] {
  const places = [ids.length - 2, Math.floor(ids.length / 2), 0];
  const chosen = places.map((place) => ids[place]).filter((id) => id !== undefined && id !== last);
  return [...new Set(chosen as string[])];
}
