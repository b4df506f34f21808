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
export type Listed<T> = Omit<Page<T>, "allProjects"> | {
  readonly refused: Answered;
  /** Whether no page was read before. */
  readonly isFirst: boolean;
};

/** Where the next page begins. */
interface Place {
  /** Ids to begin after, the best first. `null`: at the beginning of the list. */
  readonly markers: readonly (string | null)[];
  /** The last id of the page before; `null` if there was none. */
  readonly last: string | null;
  /** Whether the service said that nothing is behind `last`. */
  readonly isEmptyBehind: boolean;
}

interface ReadPage<T> {
  readonly records: readonly T[];
  readonly ids: readonly string[];
  readonly hasMore: boolean;
}

const START: Place = { markers: [null], last: null, isEmptyBehind: false };

/**
 * A listing may restart from its beginning this many times. More restarts mean that resources are
 * deleted faster than they are read.
 */
const MAX_RESTARTS = 3;

/**
 * Reads a list page by page. If the marker of the next page was deleted in the meantime, reading
 * continues after an earlier resource of the previous page, or from the beginning. Some resources
 * may then be returned twice; none is left out that existed all the time.
 *
 * A missing `next` link is not taken for the end of the list: Nova leaves it out of a page that
 * lost a duplicate (a server that is being built), Neutron out of a page from which a policy hid
 * resources, and a proxy may drop it. Nor is an empty page alone: a Neutron plugin without native
 * pagination answers a deleted marker with one. The list has ended when nothing is behind its last
 * resource, and that resource itself is behind an earlier one: two requests. Only resources behind
 * a page that a policy hides entirely are not found.
 */
export async function* listing<T>(options: ListingOptions<T>): AsyncGenerator<Listed<T>, void, void> {
  let place: Place = { ...START, markers: [options.after] };
  let [restarts, isFirst] = [0, true];
  /**
   * The records of a page that announced no other page, until it is known whether it is the last.
   */
  let held: readonly T[] | null = null;
  /** The last answer to a marker that was deleted. */
  let lastGone: Answered | null = null;
  /** The first ids of the pages since the last restart. */
  let firstIds = new Set<string | undefined>();
  for (;;) {
    options.signal?.throwIfAborted();
    const [marker = null, ...otherMarkers] = place.markers;
    const answered = await untilAborted(ask(options, marker), options.signal);
    const { status } = answered.answer;
    const isGone = marker !== null && (status === 400 || status === 404);
    if (status >= 300 && !isGone) return yield { refused: answered, isFirst };
    const page = isGone ? NOTHING : read(options, answered);
    const fresh = behind(page, place.last);
    if (fresh.ids.length > 0) {
      // For floating IPs, Neutron itself restarts from the beginning when the marker does not
      // exist.
      if (firstIds.has(fresh.ids[0])) {
        if (++restarts > MAX_RESTARTS) throw restartedTooOften(options, answered);
        firstIds = new Set();
      }
      firstIds.add(fresh.ids[0]);
      if (held !== null) yield { records: held, next: place.last };
      [place, isFirst] = [placeAfter(page, marker), false];
      held = page.hasMore ? null : fresh.records;
      if (page.hasMore) yield { records: fresh.records, next: place.last };
      continue;
    }
    const isRepeated = page.ids.length > 0;
    if (page.hasMore && (!isRepeated || marker === place.last)) throw noProgress(options, answered);
    const isProven = isRepeated && (place.isEmptyBehind || !page.hasMore);
    if (isProven || !isRepeated && marker === null) return yield { records: held ?? [], next: null };
    if (isGone) lastGone = answered;
    place = { ...place, markers: otherMarkers, isEmptyBehind: place.isEmptyBehind || !isGone && marker === place.last };
    if (otherMarkers.length > 0) continue;
    if (++restarts > MAX_RESTARTS) {
      if (lastGone !== null) return yield { refused: lastGone, isFirst: false };
      throw restartedTooOften(options, answered);
    }
    if (held !== null) yield { records: held, next: place.last };
    [held, place, firstIds] = [null, START, new Set()];
  }
}

const NOTHING = { records: [], ids: [], hasMore: false };

function ask<T>({ caller, service, path }: ListingOptions<T>, marker: string | null): Promise<Answered> {
  return caller.ask({ service, path: marker === null ? path : `${path}&marker=${encodeURIComponent(marker)}` });
}

function read<T>({ key, read, transport }: ListingOptions<T>, { call, answer }: Answered): ReadPage<T> {
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

/** The part of a page behind the last resource that was read before, if the page repeats that. */
function behind<T>({ records, ids, hasMore }: ReadPage<T>, last: string | null): ReadPage<T> {
  const from = last === null ? 0 : ids.indexOf(last) + 1;
  return { records: records.slice(from), ids: ids.slice(from), hasMore };
}

/**
 * The place after a page that was read with `marker`: after its last resource, or after an earlier
 * one, for the proof of the end and in place of a marker that was deleted.
 */
function placeAfter<T>({ ids }: ReadPage<T>, marker: string | null): Place {
  const last = ids.at(-1) ?? null;
  const all = [last, ids.at(-2), ids[Math.floor(ids.length / 2)], ids[0], marker];
  return { markers: [...new Set(all)].filter((id) => id !== undefined), last, isEmptyBehind: false };
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
