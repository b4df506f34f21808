/**
 * Places of ledgers of both kinds, for tests of what copies one to another.
 *
 * @module
 */

import { copyLedger, type CopyOptions, type CopyResult } from "../../src/ledger/copy/copy_ledger.ts";
import type { CopyStore } from "../../src/ledger/copy/copy_store.ts";
import { type CopiedRow, TABLE_NAMES, type TableName } from "../../src/ledger/copy/tables.ts";
import { openCopySource, openCopyTarget, openDelivered, openOperations } from "../../src/ledger/open_ledger.ts";
import type { LedgerPlace } from "../../src/ledger/place.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import type { DeliveredLedger } from "../../src/model/delivered.ts";
import { LISTINGS } from "../../src/model/ledger.ts";
import type { LedgerOperations } from "../../src/model/operations.ts";
import { temporaryDatabase } from "./postgres_server.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";
import { TemporaryLedger } from "./temporary_ledger.ts";
import { TemporaryPostgresLedger } from "./temporary_postgres_ledger.ts";

/** A ledger of a place, as the service has it. */
export interface OpenedLedger extends AsyncDisposable {
  readonly ledger: Ledger;
  now: number;
  /** What operators may do meanwhile. */
  operations(): LedgerOperations | Promise<LedgerOperations>;
}

/** A place for a ledger, which goes with the test. */
export interface TestPlace extends AsyncDisposable {
  readonly kind: Kind;
  readonly place: LedgerPlace;
  /** What a service does, without its look for others. Makes the ledger where there is none. */
  open(): Promise<OpenedLedger>;
  operations(): Promise<LedgerOperations>;
  delivered(): Promise<DeliveredLedger>;
}

export const KINDS = ["SQLite", "PostgreSQL"] as const;
export type Kind = typeof KINDS[number];

/** @param options `file`: the file, if it is of SQLite. @default in a directory in RAM, which programs may not open */
export async function testPlace(kind: Kind, { file }: { readonly file?: string } = {}): Promise<TestPlace> {
  return kind === "SQLite" ? sqlitePlace(file) : await postgresPlace();
}

function sqlitePlace(given: string | undefined): TestPlace {
  const directory = new TemporaryDirectory();
  const file = given ?? directory.path("ledger.db");
  return {
    ...commonOf({ file }),
    kind: "SQLite",
    // deno-lint-ignore require-await
    async open() {
      const opened = new TemporaryLedger({ file });
      return Object.assign(opened, { [Symbol.asyncDispose]: () => Promise.resolve(opened[Symbol.dispose]()) });
    },
    // deno-lint-ignore require-await
    async [Symbol.asyncDispose]() {
      directory[Symbol.dispose]();
    },
  };
}

async function postgresPlace(): Promise<TestPlace> {
  const database = await temporaryDatabase();
  const { url, schema } = database;
  return {
    ...commonOf({ postgres: { url, schema } }),
    kind: "PostgreSQL",
    open: () => TemporaryPostgresLedger.over({ ...database, [Symbol.asyncDispose]: () => Promise.resolve() }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

function commonOf(place: LedgerPlace): Pick<TestPlace, "place" | "operations" | "delivered"> {
  return { place, operations: () => openOperations(place), delivered: () => openDelivered(place) };
}

/** Copies a ledger, as the command does. */
export async function copyBetween(
  from: TestPlace,
  to: TestPlace,
  options: Partial<Pick<CopyOptions, "now" | "signal" | "onProgress" | "onResumed" | "onBeganAgain">> = {},
): Promise<CopyResult> {
  await using source = await openCopySource(from.place);
  await using target = await openCopyTarget(to.place);
  return await copyLedger({
    source,
    target,
    now: 0,
    signal: new AbortController().signal,
    onProgress: () => {},
    onResumed: () => {},
    onBeganAgain: () => {},
    ...options,
  });
}

/** All rows of a ledger in the neutral form, sorted. */
export async function neutralRows({ place }: TestPlace): Promise<Readonly<Record<TableName, readonly CopiedRow[]>>> {
  await using store: CopyStore = await openCopySource(place);
  const tables: [TableName, readonly CopiedRow[]][] = [];
  for (const table of TABLE_NAMES) {
    const rows: CopiedRow[] = [];
    let after = null;
    do {
      const page = await store.page(table, after);
      rows.push(...page.rows);
      after = page.last;
    } while (after !== null);
    const texts = new Map(rows.map((row) => [row, JSON.stringify(row)]));
    tables.push([table, rows.toSorted((one, other) => texts.get(one)! < texts.get(other)! ? -1 : 1)]);
  }
  return Object.fromEntries(tables) as Record<TableName, readonly CopiedRow[]>;
}

/** All that operators and plugins see of a ledger: at one of these times, and whatever is due. */
export async function viewOf(
  place: TestPlace,
  { plugins, times }: { readonly plugins: readonly string[]; readonly times: readonly number[] },
): Promise<unknown> {
  await using operations = await place.operations();
  await using delivered = await place.delivered();
  const listed = (await Array.fromAsync(operations.list({ limit: 100_000 }))).flat();
  const shown = new Map<string, unknown>();
  for (const { key, plugin } of listed) if (plugin !== null) shown.set(key, await operations.show(key));
  const deliveries: unknown[] = [];
  for (const plugin of plugins) deliveries.push((await Array.fromAsync(delivered.deliveries(plugin))).flat());
  const ids = [];
  for (const listing of LISTINGS) ids.push((await operations.existingIds(listing)).toSorted());
  await using opened = await place.open();
  await opened.ledger.activate(plugins);
  const ready: unknown[] = [];
  for (const now of times) {
    opened.now = now;
    for (const plugin of plugins) {
      ready.push(await opened.ledger.ready({ plugin, now, limit: 1000 }));
      ready.push(await opened.ledger.nextDueAt(plugin));
    }
  }
  return {
    listed: listed.map((each) => JSON.stringify(each)).toSorted(),
    shown: [...shown].toSorted(([one], [other]) => one < other ? -1 : 1),
    states: (await operations.pluginStates()).map(({ plugin, deliveries, paused }) => ({
      plugin,
      deliveries,
      paused,
    })),
    gaps: await operations.gaps(),
    trail: await operations.trail.read({ limit: 1000 }),
    past: await operations.comparisons.past(),
    decisions: await operations.comparisons.decisions(),
    priming: await opened.ledger.priming(),
    undetailed: await opened.ledger.undetailed(100_000),
    ids,
    deliveries,
    ready,
  };
}
