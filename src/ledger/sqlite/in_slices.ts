import { type Database, transaction } from "./database.ts";

export interface SlicesOptions<Item, Result> {
  /** Begins each transaction. */
  readonly begin: () => void;
  readonly treat: (item: Item) => readonly Result[];
  /** Ends each transaction. */
  readonly finish: () => void;
  /** Milliseconds that have passed since some moment. @default performance.now */
  readonly passedMs?: () => number;
  /** Waits for so many milliseconds. */
  readonly pause?: (ms: number) => void;
}

/** So long a transaction takes up what comes next. */
export const SLICE_MS = 20;

/**
 * Treats many things in transactions of some milliseconds, with a pause as long after each. A service that writes beside us asks for its turn ever more
 * seldom, and gives up after a second: one transaction right after the other would keep it out until all is treated.
 */
export function inSlices<Item, Result>(
  database: Database,
  items: readonly Item[],
  options: SlicesOptions<Item, Result>,
): readonly Result[] {
  const { begin, treat, finish, passedMs = () => performance.now(), pause = sleep } = options;
  const results: Result[] = [];
  for (let at = 0; at < items.length;) {
    const startedMs = passedMs();
    results.push(...transaction(database, () => {
      begin();
      const treated: Result[] = [];
      do treated.push(...treat(items[at++] as Item)); while (at < items.length && passedMs() - startedMs < SLICE_MS);
      finish();
      return treated;
    }));
    if (at < items.length) pause(passedMs() - startedMs);
  }
  return results;
}

/** A command does nothing else meanwhile. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
