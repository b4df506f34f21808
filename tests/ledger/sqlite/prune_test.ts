import { deepStrictEqual as assertEquals, ok as assert } from "node:assert/strict";
import type { Database } from "../../../src/ledger/sqlite/database.ts";
import { PARTITION_EVENTS } from "../../../src/ledger/sqlite/schema.ts";
import { Pruner } from "../../../src/ledger/sqlite/prune.ts";
import { orderHashSql } from "../../../src/ledger/sqlite/partitions.ts";
import type { Decision } from "../../../src/model/decision.ts";
import { cpuMs } from "../../support/cpu.ts";
import { decisionOf, madeNotification } from "../../support/made_events.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";
import { memoryOf } from "../made_memory.ts";

const DAY_MS = 86_400_000;
/** What ended before this is past keeping. */
const BEFORE = 100 * DAY_MS;
const LONG_AGO = 10 * DAY_MS;

function prune({ database }: { readonly database: Database }, before = BEFORE): number {
  const pruner = new Pruner(database);
  let slices = 1;
  while (pruner.slice(before)) slices++;
  return slices;
}

function count({ database }: TemporaryLedger, table: string): number {
  return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!["n"]);
}

async function decideOne(
  { ledger }: TemporaryLedger,
  messageId: string,
  decision: Decision,
): Promise<void> {
  await ledger.record([{ receivedAt: LONG_AGO, notification: madeNotification(messageId) }]);
  await ledger.decide(1, () => decision);
}

Deno.test("Pruner takes what is behind thousands that must stay", async () => {
  using opened = new TemporaryLedger();
  fillLedger(opened, { rows: 3000, state: "dead", decidedAt: LONG_AGO });
  fillLedger(opened, { rows: 1000, state: "done", decidedAt: LONG_AGO + 1 });
  await decideOne(opened, "a", decisionOf([], { changes: memoryOf("1", true) }));
  prune(opened);
  assertEquals([count(opened, "event"), count(opened, "delivery"), count(opened, "server")], [3000, 3000, 3000]);
});

Deno.test("Pruner goes through everything again when it is asked again", () => {
  using opened = new TemporaryLedger();
  fillLedger(opened, { rows: 500, state: "dead", decidedAt: LONG_AGO });
  const pruner = new Pruner(opened.database);
  while (pruner.slice(BEFORE));
  opened.database.exec("UPDATE delivery SET state = 'dropped'");
  while (pruner.slice(BEFORE));
  assertEquals([count(opened, "event"), count(opened, "notification"), count(opened, "server")], [0, 0, 0]);
});

for (
  const { what, state, decidedAt, limitMs } of [
    { what: "all of it is to be taken", state: "done", decidedAt: LONG_AGO, limitMs: 20 },
    { what: "all of it is to stay", state: "dead", decidedAt: LONG_AGO, limitMs: 20 },
    // Nothing is to be done, so nothing is to be looked at.
    { what: "all of it is new", state: "done", decidedAt: BEFORE, limitMs: 3 },
  ]
) {
  Deno.test(`Pruner.slice() takes less than ${limitMs} ms when the ledger is large and ${what}`, () => {
    using opened = new TemporaryLedger();
    fillLedger(opened, { rows: 20_000, state, decidedAt });
    const pruner = new Pruner(opened.database);
    let slices = 0;
    let late = 0;
    for (let more = true; more; slices++) {
      const began = cpuMs();
      more = pruner.slice(BEFORE);
      if (cpuMs() - began >= limitMs) late++;
    }
    // The garbage collector, or a machine that is busy with others, may have come between.
    assert(late <= Math.max(2, slices / 20), `${late} of ${slices} slices took ${limitMs} ms`);
    assertEquals(count(opened, "event"), state === "dead" || decidedAt === BEFORE ? 20_000 : 0);
  });
}

/** Events of as many deleted servers, floating IPs and ports, each with its notification, a rejection, and a delivery in one state. */
function fillLedger(
  { database }: TemporaryLedger,
  { rows, state, decidedAt }: { readonly rows: number; readonly state: string; readonly decidedAt: number },
): void {
  const text = "x".repeat(300);
  database.exec(`BEGIN;
    CREATE TEMP TABLE number AS WITH RECURSIVE counter (n) AS (
      SELECT coalesce((SELECT max(seq) FROM event), 0) + 1 UNION ALL SELECT n + 1 FROM counter LIMIT ${rows}) SELECT n FROM counter;
    INSERT INTO notification SELECT n, 'message ' || n, '', '', ${decidedAt} + n, '${text}', 'event', '' FROM number;
    INSERT INTO rejection SELECT n, ${decidedAt} + n, '', 1, '', '', '', '${text}' FROM number;
    INSERT INTO event SELECT n, 'server/' || n || '/deletion', n, ${decidedAt} + n, '${text}',
      json_array(${orderHashSql("'server/' || n")}, ${orderHashSql("'floating/' || n")}), '${text}', '[]' FROM number;
    INSERT INTO event_order SELECT n / ${PARTITION_EVENTS}, ${orderHashSql("'server/' || n")}, n FROM number;
    INSERT INTO event_order SELECT n / ${PARTITION_EVENTS}, ${orderHashSql("'floating/' || n")}, n FROM number;
    INSERT OR IGNORE INTO plugin (id, name) VALUES (1, 'p');
    INSERT INTO delivery (seq, plugin, state, due_at, attempts, tried_ms, last_attempt_at, finished_at) SELECT n, 1, '${state}', 0, 1, 0, 0, ${decidedAt} FROM number;
    INSERT INTO server SELECT n, '{}', ${decidedAt} FROM number;
    INSERT INTO port SELECT n, n, n, '{}', ${decidedAt} FROM number;
    INSERT INTO floatingip SELECT n, n, n, n, '{}', ${decidedAt} FROM number;
    DROP TABLE number;
    COMMIT`);
}
