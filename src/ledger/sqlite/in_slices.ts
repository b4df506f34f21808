import { type Database, transaction } from "./database.ts";

export interface SlicesOptions<Item, Result> {
  /** Called at the start of each transaction. */
  readonly begin: () => void;
  /** Processes one item. */
  readonly process: (item: Item) => readonly Result[];
  /** Called at the end of each transaction. */
  readonly finish: () => void;
  /** Monotonic milliseconds. @default performance.now */
  readonly passedMs?: () => number;
  /** Blocks for a time. @default the thread sleeps */
  readonly pause?: (ms: number) => void;
}

/** A transaction takes no further item after this time. */
export const SLICE_MS = 20;

/**
 * Processes many items in transactions of {@linkcode SLICE_MS}, each followed by a pause of the
 * same length. SQLite has no fair lock: a service that waits for the write lock polls ever more
 * seldom and gives up after 1 s, so transactions without pauses would lock it out until all is
 * done.
 */
export function inSlices<Item, Result>(
  database: Database,
  items: readonly Item[],
  options: SlicesOptions<Item, Result>,
): readonly Result[] {
  const { begin, process, finish, passedMs = () => performance.now(), pause = sleep } = options;
  const results: Result[] = [];
  for (let at = 0; at < items.length;) {
    const startedMs = passedMs();
    results.push(...transaction(database, () => {
      begin();
      const slice: Result[] = [];
      do slice.push(...process(items[at++] as Item)); while (at < items.length && passedMs() - startedMs < SLICE_MS);
      finish();
      return slice;
    }));
    if (at < items.length) pause(passedMs() - startedMs);
  }
  return results;
}

/** Blocks the thread: a command has nothing else to do. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
