import { UserError } from "../../model/errors.ts";
import type { CopyMark, CopySource, CopyStore, CopyTarget } from "./copy_store.ts";
import { type Digest, RowDigest } from "./digest.ts";
import { type CopiedRow, RESTORED_AT, TABLE_NAMES, type TableName, TABLES_OF_CONTENT } from "./tables.ts";

/** What a copy is at. */
export interface CopyProgress {
  readonly step: "copy" | "complete" | "verify";
  readonly table: TableName;
  /** Rows of the table in this run. */
  readonly rows: number;
  /** The share of the table that is done, by its numbers, from 0 to 1; `null`: not known. */
  readonly share: number | null;
}

/** What was copied, and is the same on both sides. */
export interface CopyResult {
  readonly tables: ReadonlyMap<TableName, Digest>;
}

export interface CopyOptions {
  readonly source: CopySource;
  readonly target: CopyTarget;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: CopyProgress) => void;
  /** An earlier run had begun: this one goes on. */
  readonly onResumed: () => void;
  /** The source is not what it was when the copy was begun: it is begun again. */
  readonly onBeganAgain: () => void;
}

/**
 * Copies a ledger to an empty one, or goes on where an earlier run of the same copy has ended, and
 * compares both.
 *
 * @throws {UserError} when it must not be copied, was interrupted, or differs in the end.
 */
export async function copyLedger(options: CopyOptions): Promise<CopyResult> {
  const mark = await begin(options);
  await copyTables(options, mark);
  options.onProgress({ step: "complete", table: "delivery", rows: 0, share: null });
  await options.target.complete();
  const tables = await compare(options, mark);
  await options.source.confirm();
  await options.target.confirm();
  await options.target.finish();
  return { tables };
}

/** Finds out where to begin, and marks the target. */
async function begin(
  { source, target, now, onResumed, onBeganAgain }: CopyOptions,
): Promise<CopyMark> {
  const refuse = (why: string) => new UserError(`Cannot copy the ledger ${source.place} to ${target.place}: ${why}`);
  const ownMark = await source.mark();
  if (ownMark !== null) {
    throw refuse(`the first is an unfinished copy of ${ownMark.from}. Copy that one, or finish the copy first`);
  }
  const { isRestored, ...state } = await source.state();
  const known = await target.mark();
  if (known !== null && known.source !== state.source) {
    throw refuse(`the second is an unfinished copy of ${known.from}. Finish that, or remove the second`);
  }
  if (known !== null && known.state === state.state) {
    onResumed();
    return known;
  }
  if (known === null) {
    const filled = await filledTable(target);
    if (filled !== null) {
      throw refuse(
        `the second is not empty, it has rows in table "${filled}". Name an empty place, or remove the second`,
      );
    }
  } else onBeganAgain();
  const mark: CopyMark = {
    ...state,
    from: source.place,
    restoredAt: isRestored ? now : null,
    table: TABLE_NAMES[0] as TableName,
    after: null,
  };
  await target.begin(mark);
  return mark;
}

async function filledTable(target: CopyTarget): Promise<TableName | null> {
  for (const table of TABLES_OF_CONTENT) {
    if ((await target.page(table, null)).rows.length > 0) return table;
  }
  return null;
}

async function copyTables({ source, target, signal, onProgress }: CopyOptions, begun: CopyMark): Promise<void> {
  if (begun.table === null) return;
  let mark = begun;
  for (const [index, table] of TABLE_NAMES.entries()) {
    if (index < TABLE_NAMES.indexOf(begun.table)) continue;
    const progress = new Progress("copy", table, onProgress);
    await progress.begin(source);
    let { after } = mark;
    for (;;) {
      stopIf(signal, target);
      const page = await source.page(table, after);
      after = page.last;
      const isEnd = after === null;
      mark = { ...mark, table: isEnd ? TABLE_NAMES[index + 1] ?? null : table, after };
      await target.write(table, page.rows.map((row) => corrected(table, row, mark)), mark);
      progress.add(page.rows);
      if (isEnd) break;
    }
    if (table === "fact") await addRestore(target, mark);
  }
}

/** A restore that nobody has noticed is told with the copy: its place is another, where it cannot be noticed. */
async function addRestore(target: CopyTarget, mark: CopyMark): Promise<void> {
  const { restoredAt } = mark;
  if (restoredAt !== null) await target.write("fact", [{ name: RESTORED_AT, value: String(restoredAt) }], mark);
}

/** Receivers may know numbers of events behind a restored backup: what follows is above all of them. */
function corrected(table: TableName, row: CopiedRow, { restoredAt }: CopyMark): CopiedRow {
  if (restoredAt === null) return row;
  if (table === "fact" && row["name"] === RESTORED_AT) return { ...row, value: String(restoredAt) };
  if (table === "number" && row["name"] === "event") {
    return { ...row, value: Math.max(Number(row["value"]), restoredAt) };
  }
  return row;
}

/** Reads both ledgers again, and compares them. */
async function compare(options: CopyOptions, mark: CopyMark): Promise<ReadonlyMap<TableName, Digest>> {
  const { source, target, onProgress } = options;
  const tables = new Map<TableName, Digest>();
  for (const table of TABLE_NAMES) {
    const progress = new Progress("verify", table, onProgress);
    await progress.begin(source);
    const [from, to] = await Promise.all([
      digest(source, { ...options, table, mark, progress }),
      digest(target, { ...options, table, mark: null, progress: null }),
    ]);
    if (from.rows !== to.rows || from.checksum !== to.checksum) {
      throw new UserError(
        `Cannot finish the copy ${target.place}: its table "${table}" differs from the source's, ` +
          `${said(to)} instead of ${said(from)}. Remove the copy and begin again; nothing has used it`,
      );
    }
    tables.set(table, from);
  }
  return tables;
}

function said({ rows, checksum }: Digest): string {
  return `${rows} rows with checksum ${checksum.slice(0, 16)}`;
}

async function digest(
  store: CopyStore,
  { table, mark, progress, signal, target }: CopyOptions & {
    readonly table: TableName;
    readonly mark: CopyMark | null;
    readonly progress: Progress | null;
  },
): Promise<Digest> {
  const sum = new RowDigest(table);
  let hasRestore = false;
  for (let after = null as CopyMark["after"];;) {
    stopIf(signal, target);
    const page = await store.page(table, after);
    for (const row of page.rows) {
      hasRestore ||= table === "fact" && row["name"] === RESTORED_AT;
      sum.add(mark === null ? row : corrected(table, row, mark));
    }
    progress?.add(page.rows);
    after = page.last;
    if (after === null) break;
  }
  const restoredAt = mark?.restoredAt ?? null;
  if (table === "fact" && restoredAt !== null && !hasRestore) sum.add({ name: RESTORED_AT, value: String(restoredAt) });
  return sum.result;
}

function stopIf(signal: AbortSignal, { place }: CopyTarget): void {
  if (!signal.aborted) return;
  throw new UserError(`Interrupted: ${place} is an unfinished copy. The same command goes on with it`);
}

/** Tells how far a table is. */
class Progress {
  readonly #step: CopyProgress["step"];
  readonly #table: TableName;
  readonly #tell: CopyOptions["onProgress"];
  #range: readonly [from: number, to: number] | null = null;
  #rows = 0;

  constructor(step: CopyProgress["step"], table: TableName, tell: CopyOptions["onProgress"]) {
    this.#step = step;
    this.#table = table;
    this.#tell = tell;
  }

  async begin(source: CopyStore): Promise<void> {
    this.#range = await source.range(this.#table);
    this.add([]);
  }

  add(rows: readonly CopiedRow[]): void {
    this.#rows += rows.length;
    const last = rows.at(-1)?.["seq"];
    let share: number | null = null;
    if (this.#range !== null && typeof last === "number") {
      const [from, to] = this.#range;
      share = (last - from + 1) / (to - from + 1);
    }
    this.#tell({ step: this.#step, table: this.#table, rows: this.#rows, share });
  }
}
