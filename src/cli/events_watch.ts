import type { Clock } from "../model/clock.ts";
import type { LedgerOperations, Listed, ListFilter } from "../model/operations.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { describeFirst, describeMore, listLayout } from "./events_text.ts";
import type { Terminal } from "./terminal.ts";

/** The newest entries that are watched. */
const MAX_WATCHED = 500;
const EVERY_MS = 1000;

export interface WatchEventsOptions {
  readonly ledger: LedgerOperations;
  /** `limit`: how many are shown in the beginning. */
  readonly filter: ListFilter;
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly clock: Clock;
}

/** Shows the newest entries, then each that is new or has another state, until the signal aborts. */
export async function watchEvents(options: WatchEventsOptions, signal: AbortSignal): Promise<void> {
  const { ledger, filter, json, terminal, clock } = options;
  const layout = listLayout(await ledger.plugins(), terminal.width);
  let shown: ReadonlyMap<string, string> | null = null;
  let hasHeading = json;
  while (!signal.aborted) {
    const now = await newest(ledger, { ...filter, limit: Math.max(MAX_WATCHED, filter.limit) });
    const before = shown;
    const changed = before === null
      ? now.slice(0, filter.limit)
      : now.filter((one) => before.get(idOf(one)) !== stateOf(one));
    if (before !== null && changed.length === now.length && now.length >= MAX_WATCHED) {
      terminal.error(`More than ${MAX_WATCHED} entries have changed within a second: not all are shown`);
    }
    // Oldest first: what is new stands below.
    for (const one of changed.toReversed()) {
      terminal.print(json ? safeJson(one) : hasHeading ? describeMore([one], layout) : describeFirst([one], layout));
      hasHeading = true;
    }
    shown = new Map(now.map((one) => [idOf(one), stateOf(one)]));
    await clock.sleep(EVERY_MS, signal);
  }
}

async function newest(ledger: LedgerOperations, filter: ListFilter): Promise<readonly Listed[]> {
  const all: Listed[] = [];
  for await (const page of ledger.list(filter)) all.push(...page);
  return all;
}

function idOf({ key, plugin, at }: Listed): string {
  return JSON.stringify([key, plugin, at]);
}

function stateOf({ state, attempts, isPaused }: Listed): string {
  return `${state} ${attempts} ${isPaused}`;
}
