import type { StreamedEvents } from "../api.ts";
import type { EventSearch, FoundDelivery } from "../../model/event_search.ts";
import type { StreamTick } from "../stream_tick.ts";
import { withShortTexts } from "./short_texts.ts";
import type { WorkerContext, WorkerRequest } from "./worker_context.ts";

/** Rows that a stream gets at once, and the pages of a search for them. */
const LIMIT = 500;
const MAX_PAGES = 20;

/**
 * New deliveries for the streams: since a number for all, and since others for those that join. All
 * end with the same event, so that nobody gets one twice or never.
 */
export async function readStreamTick({ query }: WorkerRequest, { withLedger }: WorkerContext): Promise<StreamTick> {
  return await withLedger(async ({ search }) => {
    const newest = await search.newest();
    const after = Number(query["after"]);
    const joins = String(query["joins"]).split(",").filter((text) => text !== "").map(Number);
    const all = after < 0 || after >= newest ? null : await since(search, { after, newest });
    const joined: Record<string, string> = {};
    for (const one of joins) {
      if (one < newest) joined[one] = JSON.stringify(await since(search, { after: one, newest }));
    }
    return { newest, events: all === null || all.rows.length === 0 ? null : JSON.stringify(all), joined };
  });
}

async function since(
  search: EventSearch,
  { after, newest }: { readonly after: number; readonly newest: number },
): Promise<StreamedEvents> {
  const rows: FoundDelivery[] = [];
  let page = await search.search({ after, limit: LIMIT });
  rows.push(...withShortTexts(page.rows));
  // A page may have fewer rows than there are: its time is limited.
  for (let pages = 1; page.next !== null && rows.length < LIMIT && pages < MAX_PAGES; pages++) {
    page = await search.search({ after, before: page.next, limit: LIMIT - rows.length });
    rows.push(...withShortTexts(page.rows));
  }
  return { rows: rows.filter(({ seq }) => seq <= newest), isCut: page.next !== null };
}
