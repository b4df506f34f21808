import { deepStrictEqual as assertEquals, ok as assert } from "node:assert/strict";
import type { Database } from "../../../src/ledger/sqlite/database.ts";
import { PARTITION_EVENTS } from "../../../src/ledger/sqlite/schema.ts";
import { Pruner } from "../../../src/ledger/sqlite/prune.ts";
import { orderHashSql } from "../../../src/ledger/sqlite/partitions.ts";
import type { Decision } from "../../../src/model/decision.ts";
import type { Settlement } from "../../../src/model/ledger.ts";
import { cpuMs } from "../../support/cpu.ts";
import {
  announceEvents,
  decideEvents,
  decisionOf,
  madeEvent,
  madeMemory,
  madeNotification,
  NO_CHANGES,
  settlementOf,
} from "../../support/made_events.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

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

/** Everything that a table is about, by the names of its rows. */
function namesIn(
  { database }: TemporaryLedger,
  table: "event" | "notification" | "server" | "port" | "floatingip",
): string[] {
  const column = { event: "key", notification: "message_id", server: "id", port: "id", floatingip: "id" }[table];
  return database.prepare(`SELECT ${column} AS name FROM ${table} ORDER BY 1`).all().map(({ name }) => String(name));
}

function count({ database }: TemporaryLedger, table: string): number {
  return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!["n"]);
}

async function settle(
  { ledger }: TemporaryLedger,
  { plugin = "p", ...how }: { readonly plugin?: string } & Pick<Settlement, "outcome" | "endedAt">,
): Promise<void> {
  const [delivery] = await ledger.ready({ plugin, now: Number.MAX_SAFE_INTEGER, limit: 1 });
  await ledger.settle([settlementOf(delivery!, how)]);
}

async function decideOne(
  { ledger }: TemporaryLedger,
  messageId: string,
  decision: Decision,
): Promise<void> {
  await ledger.record([{ receivedAt: LONG_AGO, notification: madeNotification(messageId) }]);
  await ledger.decide(1, () => decision);
}

Deno.test("Pruner takes a delivered event with all that belongs to it when it ended before", async () => {
  using opened = new TemporaryLedger();
  opened.now = LONG_AGO;
  await opened.ledger.activate(["p", "q"]);
  await announceEvents(opened.ledger, [madeEvent("server/1/creation", ["server/1", "name/a/b"])]);
  await settle(opened, { outcome: "retry", endedAt: LONG_AGO });
  await settle(opened, { outcome: "done", endedAt: BEFORE - 1 });
  await settle(opened, { outcome: "done", endedAt: LONG_AGO, plugin: "q" });
  prune(opened);
  for (const table of ["event", "notification", "event_order", "delivery", "failure", "held"]) {
    assertEquals(count(opened, table), 0, table);
  }
});

Deno.test("Pruner keeps an event when one of its deliveries ended since", async () => {
  using opened = new TemporaryLedger();
  opened.now = LONG_AGO;
  await opened.ledger.activate(["p", "q"]);
  await announceEvents(opened.ledger, [madeEvent("server/1/creation", ["server/1"])]);
  await settle(opened, { outcome: "done", endedAt: LONG_AGO });
  await settle(opened, { outcome: "done", endedAt: BEFORE, plugin: "q" });
  prune(opened);
  assertEquals(namesIn(opened, "event"), ["server/1/creation"]);
  assertEquals([count(opened, "delivery"), count(opened, "notification"), count(opened, "event_order")], [2, 1, 1]);
  prune(opened, BEFORE + 1);
  assertEquals([count(opened, "event"), count(opened, "notification")], [0, 0]);
});

Deno.test("Pruner keeps what waits, retries or is dead, however old", async () => {
  using opened = new TemporaryLedger({ windowSize: 1 });
  opened.now = LONG_AGO;
  await opened.ledger.activate(["p"]);
  await announceEvents(opened.ledger, [madeEvent("dead/1", ["a"])]);
  await settle(opened, { outcome: "dead", endedAt: LONG_AGO });
  await announceEvents(opened.ledger, [madeEvent("retrying/1", ["b"])]);
  await settle(opened, { outcome: "retry", endedAt: LONG_AGO });
  await announceEvents(opened.ledger, [madeEvent("waiting/1", ["c"]), madeEvent("blocked/1", ["c"])]);
  await decideEvents(opened.ledger, [madeEvent("undetailed/1", ["d"])]);
  await opened.ledger.ready({ plugin: "p", now: LONG_AGO, limit: 9 });
  prune(opened, Number.MAX_SAFE_INTEGER);
  assertEquals(namesIn(opened, "event"), ["blocked/1", "dead/1", "retrying/1", "undetailed/1", "waiting/1"]);
  assertEquals([count(opened, "notification"), count(opened, "delivery"), count(opened, "failure")], [5, 5, 2]);
  // Of those that are not queued any more.
  assertEquals(count(opened, "held"), 3);
});

Deno.test("Pruner keeps what waits for a plugin that is gone", async () => {
  using opened = new TemporaryLedger();
  opened.now = LONG_AGO;
  await opened.ledger.activate(["p", "gone"]);
  await announceEvents(opened.ledger, [madeEvent("server/1/creation", ["server/1"])]);
  await settle(opened, { outcome: "done", endedAt: LONG_AGO });
  await opened.ledger.activate(["p"]);
  prune(opened);
  assertEquals(namesIn(opened, "event"), ["server/1/creation"]);
});

Deno.test("Pruner takes an event that no plugin was there for, and one that was dropped", async () => {
  using opened = new TemporaryLedger();
  opened.now = LONG_AGO;
  await announceEvents(opened.ledger, [madeEvent("server/1/creation", ["server/1"])]);
  await opened.ledger.activate(["p"]);
  await announceEvents(opened.ledger, [madeEvent("server/2/creation", ["server/2"])]);
  opened.database.exec(`UPDATE delivery SET state = 'dropped', finished_at = ${LONG_AGO}`);
  opened.now = BEFORE;
  await announceEvents(opened.ledger, [madeEvent("server/3/creation", ["server/3"])]);
  prune(opened);
  assertEquals(namesIn(opened, "event"), ["server/3/creation"]);
});

Deno.test("Pruner takes old notifications and rejections, but none that is undecided", async () => {
  using opened = new TemporaryLedger();
  for (const outcome of ["remembered", "repeated", "superseded"] as const) {
    await decideOne(opened, outcome, decisionOf([], { outcome }));
  }
  const rejection = { reason: "", size: 1, sha256: "", exchange: "", routingKey: "", body: null };
  await opened.ledger.record([
    { receivedAt: LONG_AGO, notification: madeNotification("undecided") },
    { receivedAt: BEFORE, notification: madeNotification("new") },
    { receivedAt: LONG_AGO, rejection },
    { receivedAt: BEFORE, rejection },
  ]);
  prune(opened);
  assertEquals(namesIn(opened, "notification"), ["new", "undecided"]);
  assertEquals(count(opened, "rejection"), 1);
});

Deno.test("Pruner keeps the memory of what lives, however old", async () => {
  using opened = new TemporaryLedger();
  opened.now = LONG_AGO;
  await decideOne(opened, "a", decisionOf([], { changes: memoryOf("1", false) }));
  prune(opened, Number.MAX_SAFE_INTEGER);
  assertEquals(
    [namesIn(opened, "server"), namesIn(opened, "port"), namesIn(opened, "floatingip")],
    [["s1"], ["p1"], ["f1"]],
  );
});

Deno.test("Pruner takes the memory of what was deleted before", async () => {
  using opened = new TemporaryLedger();
  opened.now = LONG_AGO;
  await decideOne(opened, "a", decisionOf([], { changes: memoryOf("1", true) }));
  opened.now = BEFORE;
  await decideOne(opened, "b", decisionOf([], { changes: memoryOf("2", true) }));
  prune(opened);
  assertEquals(
    [namesIn(opened, "server"), namesIn(opened, "port"), namesIn(opened, "floatingip")],
    [["s2"], ["p2"], ["f2"]],
  );
});

Deno.test("Pruner keeps the memory of what was deleted until its last delivery ended before", async () => {
  using opened = new TemporaryLedger();
  opened.now = LONG_AGO;
  await opened.ledger.activate(["p"]);
  const events = [
    madeEvent("server/s1/deletion", ["server/s1"]),
    madeEvent("floatingip/f1/2/deletion", ["floating/1"]),
  ];
  await decideOne(opened, "a", decisionOf(events, { changes: memoryOf("1", true) }));
  await announceEvents(opened.ledger, []);
  const remembered = () => [namesIn(opened, "server"), namesIn(opened, "floatingip")];
  prune(opened);
  assertEquals(remembered(), [["s1"], ["f1"]]);
  await settle(opened, { outcome: "done", endedAt: BEFORE - 1 });
  await settle(opened, { outcome: "done", endedAt: BEFORE });
  prune(opened);
  assertEquals(remembered(), [[], ["f1"]]);
  prune(opened, BEFORE + 1);
  assertEquals(remembered(), [[], []]);
});

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

function memoryOf(number: string, deleted: boolean): Decision["changes"] {
  const portId = `p${number}`;
  return {
    ...NO_CHANGES,
    servers: [madeMemory(`s${number}`, { deleted })],
    ports: [{
      id: portId,
      serverId: null,
      lastServerId: `s${number}`,
      mac: null,
      fixedAddresses: [],
      dnsName: null,
      dnsHostname: null,
      revision: null,
      deleted,
    }],
    floatingIps: [{
      id: `f${number}`,
      address: "192.0.2.1",
      projectId: null,
      portId,
      fixedAddress: null,
      revision: null,
      deleted,
      transitions: 2,
      association: null,
    }],
  };
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

Deno.test("slice() takes gaps that ended long ago, and none that lasts", async () => {
  using opened = new TemporaryLedger();
  const source = { queue: "oss-watcher", brokers: "rabbit:5672" };
  const gaps = [LONG_AGO, BEFORE, null].map((to, index) => ({
    source,
    exchange: "nova",
    from: index,
    to,
    certainty: "lost" as const,
  }));
  for (const gap of gaps) await opened.ledger.recordGap(gap);
  prune(opened);
  await using operations = opened.operations();
  assertEquals(await operations.gaps(), gaps.slice(1));
});
