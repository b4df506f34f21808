import { kindOf } from "../../model/event.ts";
import type { LifeEvent, ServerLife } from "../../model/event_search.ts";
import type { ServerMemory } from "../../model/memory.ts";
import { addressOf, searchedEvent, type SearchRow } from "./search_row.ts";
import type { SearchSource } from "./search_walk.ts";

/** Events of a life at most, the newest. */
const MAX_EVENTS = 1000;

/** Rows that are read at once. */
const MAX_ROWS = 500;

/** What a ledger knows of a server; `undefined`: nothing. */
export async function lifeOf(
  source: SearchSource,
  id: string,
  memory: ServerMemory | null,
): Promise<ServerLife | undefined> {
  const range = { from: 0, below: Number.MAX_SAFE_INTEGER, limit: MAX_EVENTS + 1 };
  const numbers = await source.candidates({ by: "id", id }, range) ?? [];
  const [oldest] = numbers.slice(0, MAX_EVENTS).slice(-1);
  const rows = oldest === undefined ? [] : await rowsOf(source, numbers.slice(0, MAX_EVENTS), oldest);
  const events = eventsOf(rows, id);
  if (memory === null && events.length === 0) return undefined;
  const { hostname = null, projectId = null, projectName = null } = memory?.snapshot ?? {};
  return {
    id,
    name: hostname,
    projectId,
    projectName,
    exists: memory === null ? null : !memory.deleted,
    events,
    isCut: numbers.length > MAX_EVENTS,
  };
}

async function rowsOf(source: SearchSource, events: readonly number[], from: number): Promise<readonly SearchRow[]> {
  const rows: SearchRow[] = [];
  for (let before = { seq: Number.MAX_SAFE_INTEGER, plugin: 0 };;) {
    const page = await source.rows({ from, before, filter: { limit: MAX_ROWS }, text: null, events, limit: MAX_ROWS });
    rows.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < MAX_ROWS) return rows;
    before = { seq: last.seq, plugin: last.plugin };
  }
}

/** Events of a server, oldest first. Others may have an order key of the same hash. */
function eventsOf(rows: readonly SearchRow[], id: string): readonly LifeEvent[] {
  const events: LifeEvent[] = [];
  for (const deliveries of Map.groupBy(rows.toReversed(), ({ seq }) => seq).values()) {
    const row = deliveries[0]!;
    const searched = searchedEvent(row);
    const { event } = searched;
    if (event.serverId !== id) continue;
    events.push({
      seq: row.seq,
      key: row.key,
      subject: event.subject,
      kind: kindOf(event),
      at: row.decidedAt,
      time: event.time,
      address: addressOf(searched),
      origin: event.origin === "reconcile" ? "reconcile" : "bus",
      deliveries: deliveries.map(({ name, state, attempts, finishedAt }) => ({
        plugin: name,
        state: state as LifeEvent["deliveries"][number]["state"],
        attempts,
        finishedAt,
      })),
    });
  }
  return events;
}
