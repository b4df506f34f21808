import type { JsonObject } from "../model/notification.ts";
import type { Answered, Caller } from "./caller.ts";
import { objects, text } from "./read.ts";
import type { CatalogService } from "./services.ts";
import type { Transport } from "./transport.ts";
import { untilAborted } from "./until_aborted.ts";

/** Some of many. */
export interface Page<T> {
  readonly records: readonly T[];
  /** Where to go on, after a restart too: the id behind which the next page begins; `null` after the last one. */
  readonly next: string | null;
  /** `false`: only our own project's, because more is forbidden. `null`: Neutron does not say whether it leaves others' out. */
  readonly allProjects: boolean | null;
}

export interface ListingOptions<T> {
  readonly service: CatalogService;
  /** With its query, as `/servers/detail?limit=200`. */
  readonly path: string;
  /** What the answer calls the list, as `servers`. */
  readonly key: string;
  readonly read: (one: JsonObject) => T | null;
  readonly caller: Caller;
  readonly transport: Transport;
  /** Begin behind this id. */
  readonly after: string | null;
  readonly signal?: AbortSignal | undefined;
}

/** A page, or what the service says instead (400, 403, 404). */
export type Listed<T> = Omit<Page<T>, "allProjects"> | { readonly refused: Answered };

/** How often a list may be read from its beginning again: after that somebody deletes faster than we read. */
const MAX_RESTARTS = 3;

/**
 * The pages of a list. When the resource behind which a page should begin is deleted meanwhile, it begins behind an earlier one of the page
 * before, or from the beginning: some come twice then, none is left out.
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
    // Neutron begins floating IPs anew by itself when the one behind which a page should begin is gone.
    if (firstIds.has(ids[0]) && ++restarts > MAX_RESTARTS) throw restartedTooOften(options, answered);
    firstIds.add(ids[0]);
    const next = hasMore ? ids.at(-1) : null;
    // Not the end of the list: what is behind would be taken for gone.
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
  const state = `${status}, but the list "${key}" does not go on: it says that there is more, and gives nothing new. ` +
    "See its own log, and what stands between";
  return transport.failure(call, { reason: "other", status, state });
}

function restartedTooOften<T>({ key, transport }: ListingOptions<T>, { call, answer: { status } }: Answered): Error {
  const state = `the list "${key}" begins anew again and again; what is asked to go on behind is deleted meanwhile`;
  return transport.failure(call, { reason: "other", status, state });
}

/** A few from the page before, the later ones first. */
function earlier(ids: readonly string[], last: string): string[] {
  const places = [ids.length - 2, Math.floor(ids.length / 2), 0];
  const chosen = places.map((place) => ids[place]).filter((id) => id !== undefined && id !== last);
  return [...new Set(chosen as string[])];
}
