import assert from "node:assert/strict";
import type { Queries } from "../../../src/ledger/postgres/client.ts";
import { HeldLeases } from "../../../src/ledger/postgres/held_leases.ts";
import { PostgresLedger } from "../../../src/ledger/postgres/ledger.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";
import { decisionOf, madeEvent, madeNotification, promptDetail } from "../../support/made_events.ts";
import { takeLeases, TemporaryPostgresLedger } from "../../support/temporary_postgres_ledger.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

const record = (ledger: PostgresLedger, ...ids: readonly string[]) =>
  ledger.record(ids.map((id) => ({ receivedAt: 0, notification: madeNotification(id) })));

const decide = (ledger: PostgresLedger, limit = 10) =>
  ledger.decide(limit, ({ messageId }) => decisionOf([madeEvent(messageId)]), promptDetail);

/** A ledger that decides, beside one that records only, and the statements of the first. */
async function openBoth(opened: TemporaryPostgresLedger) {
  const statements: string[] = [];
  const { client } = opened;
  const queries: Queries = {
    rows: (sql, parameters) => {
      statements.push(sql);
      return client.rows(sql, parameters);
    },
  };
  const leases = new HeldLeases();
  const deciding = await PostgresLedger.open({ queries, leases, now: () => 0 });
  await takeLeases({ client, ledger: deciding, leases }, ["facts"]);
  const other = await PostgresLedger.open({ queries: client, leases: new HeldLeases(), now: () => 0 });
  const events = async () => (await client.rows("SELECT key FROM event ORDER BY seq")).map(({ key }) => key);
  return { deciding, other, statements, events };
}

Deno.test("what this process recorded itself is decided without reading it", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const { deciding, statements, events } = await openBoth(opened);
  await record(deciding, "a");
  await decide(deciding);
  assert.equal(await decide(deciding), 0);
  statements.length = 0;
  await record(deciding, "b", "a", "c");
  assert.equal(await decide(deciding), 2);
  assert.deepEqual(statements.filter((sql) => sql.startsWith("SELECT seq")), []);
  assert.deepEqual(await events(), ["a", "b", "c"]);
});

Deno.test("what another process records meanwhile is decided in its place, though nobody has told of it", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const { deciding, other, events } = await openBoth(opened);
  await record(deciding, "a");
  await decide(deciding);
  assert.equal(await decide(deciding), 0);
  await record(deciding, "b");
  await record(other, "c");
  await record(deciding, "d");
  assert.equal(await decide(deciding, 2), 2);
  assert.equal(await decide(deciding), 1);
  assert.deepEqual(await events(), ["a", "b", "c", "d"]);
});

Deno.test("what another process records last is decided when it tells", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const { deciding, other, events } = await openBoth(opened);
  await record(deciding, "a");
  await decide(deciding);
  assert.equal(await decide(deciding), 0);
  await record(other, "b");
  deciding.notice();
  assert.equal(await decide(deciding), 1);
  await record(deciding, "c");
  assert.equal(await decide(deciding), 1);
  assert.deepEqual(await events(), ["a", "b", "c"]);
});
