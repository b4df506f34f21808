import type { EventsAnswer, StatesAnswer } from "../api.ts";
import type { EventKind, Subject } from "../../model/event.ts";
import type { SearchPlace, SearchQuery } from "../../model/event_search.ts";
import { withShortTexts } from "./short_texts.ts";
import { Refused, type WorkerContext, type WorkerRequest } from "./worker_context.ts";

const DEFAULT_LIMIT = 100;

/** Searches the ledger. */
export async function listEvents({ query }: WorkerRequest, { withLedger }: WorkerContext): Promise<EventsAnswer> {
  return await withLedger(async ({ search }) => {
    const newest = await search.newest();
    const { rows, next, searchedTo } = await search.search(queryOf(query));
    return { rows: withShortTexts(rows), next: next === null ? null : cursorOf(next), searchedTo, newest };
  });
}

/** The deliveries of some events, as they are. */
export async function listStates({ query }: WorkerRequest, { withLedger }: WorkerContext): Promise<StatesAnswer> {
  const seqs = String(query["seqs"]).split(",");
  if (seqs.length > 500 || !seqs.every((seq) => /^\d{1,16}$/.test(seq))) {
    throw new Refused(400, "Cannot read seqs: it must be up to 500 numbers of events, separated by commas");
  }
  return await withLedger(async ({ search }) => ({
    rows: withShortTexts(await search.states(seqs.map(Number))),
  }));
}

function queryOf(query: WorkerRequest["query"]): SearchQuery {
  const { text, plugin, state, kind, subject, since, until, before, after, limit = DEFAULT_LIMIT } = query;
  return {
    ...(text === undefined ? {} : { text: String(text) }),
    ...(plugin === undefined ? {} : { plugin: String(plugin) }),
    ...(state === undefined ? {} : { state: state as NonNullable<SearchQuery["state"]> }),
    ...(kind === undefined ? {} : { kind: kind as EventKind }),
    ...(subject === undefined ? {} : { subject: subject as Subject }),
    ...(since === undefined ? {} : { since: Number(since) }),
    ...(until === undefined ? {} : { until: Number(until) }),
    ...(before === undefined ? {} : { before: placeOf(String(before)) }),
    ...(after === undefined || before !== undefined ? {} : { after: Number(after) }),
    limit: Number(limit),
  };
}

function cursorOf({ seq, plugin }: SearchPlace): string {
  return `${seq}.${plugin}`;
}

function placeOf(cursor: string): SearchPlace {
  const [, seq, plugin] = /^(\d{1,16})\.(\d{1,16})$/.exec(cursor) ?? [];
  if (seq === undefined) throw new Refused(400, "Cannot go on there: before is no `next` of a page. Search again");
  return { seq: Number(seq), plugin: Number(plugin) };
}
