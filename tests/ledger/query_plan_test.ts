import { deepStrictEqual as assertEquals, ok as assert } from "node:assert/strict";
import { BacklogCounter } from "../../src/ledger/sqlite/backlog.ts";
import { Housekeeping } from "../../src/ledger/sqlite/housekeeping.ts";
import type { Database } from "../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { SILENT } from "../support/loggers.ts";
import { TemporaryLedger } from "../support/temporary_ledger.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** Tables with a row per plugin or fewer, or per server that changed in the last seconds, functions that look like tables, a row of values, and the partitions of `event_order`. */
const SMALL = ["plugin", "fact", "json_each", "k", "CONSTANT", "part", "s", "pending_update"];

/** Every statement that the running service prepares, with SQLite's plan for it, line by line. */
function plans(): { readonly sql: string; readonly plan: readonly string[] }[] {
  using opened = new TemporaryLedger();
  const { database } = opened;
  const prepare = database.prepare.bind(database);
  const texts = new Set<string>();
  const watched: Database = Object.assign(database, {
    prepare(sql: string) {
      texts.add(sql);
      return prepare(sql);
    },
  });
  const clock = new VirtualClock();
  const ledger = new SqliteLedger(watched, clock.now);
  // For plugins with a filter alone.
  void ledger.creationFate("p", { seq: 1, key: "floatingip/f/2/deletion" });
  new BacklogCounter({
    database: watched,
    queueOf: (plugin) => ledger.queueOf(plugin),
    plugins: ["p"],
    passedMs: clock.passedMs,
  });
  new Housekeeping({
    database: watched,
    clock,
    keepDays: 30,
    maxDelayMs: 0,
    log: SILENT,
    onRescheduled: () => {},
  });
  return [...texts].map((sql) => ({
    sql,
    plan: prepare(`EXPLAIN QUERY PLAN ${sql}`).all().map((row) => String(row["detail"])),
  }));
}

/** Indexes of a few rows of a table: those that something is to be done about. */
function partialIndexes(): string[] {
  using opened = new TemporaryLedger();
  const { database } = opened;
  const rows = database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index'").all();
  return rows.filter(({ sql }) => /\bWHERE\b/.test(String(sql))).map(({ name }) => String(name));
}

Deno.test("the ledger's statements look nothing up by reading a whole table", () => {
  const partial = partialIndexes();
  const found = plans();
  assert(found.length > 30);
  for (const { sql, plan } of found) {
    for (const line of plan) {
      const [, table, index] = /^SCAN (\S+)(?: USING (?:COVERING )?INDEX (\S+))?/.exec(line) ?? [];
      if (table === undefined || SMALL.includes(table)) continue;
      // The first rows, wherever they are.
      if (/FROM held LIMIT/.test(sql)) continue;
      assert(index !== undefined && partial.includes(index), `${line}\nin ${sql}`);
    }
  }
});

Deno.test("the ledger's statements sort nothing", () => {
  for (const { sql, plan } of plans()) {
    assertEquals(plan.filter((line) => line.includes("TEMP B-TREE")), [], sql);
  }
});
