import assert from "node:assert/strict";
import type { Queries } from "../../../src/ledger/postgres/client.ts";
import { WRITE_FACTS } from "../../../src/ledger/postgres/facts_statement.ts";
import { HeldLeases } from "../../../src/ledger/postgres/held_leases.ts";
import { PostgresLedger } from "../../../src/ledger/postgres/ledger.ts";
import { LedgerUnavailable } from "../../../src/model/ledger.ts";
import { pluginLease } from "../../../src/model/tenancy.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";
import { decisionOf, madeEvent, madeNotification, promptDetail } from "../../support/made_events.ts";
import { takeLeases, TemporaryPostgresLedger } from "../../support/temporary_postgres_ledger.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

async function announce(ledger: PostgresLedger, key: string): Promise<void> {
  await ledger.record([{ receivedAt: 0, notification: madeNotification(key) }]);
  await ledger.decide(10, ({ messageId }) => decisionOf([madeEvent(messageId, ["k"])]), promptDetail);
}

Deno.test("a commit whose answer is lost leaves no event out, and keeps the order", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  let isAnswerLost = false;
  const queries: Queries = {
    rows: async (sql, parameters) => {
      const rows = await opened.client.rows(sql, parameters);
      if (sql === WRITE_FACTS && isAnswerLost) throw new LedgerUnavailable("the connection was lost");
      return rows;
    },
  };
  const leases = new HeldLeases();
  const ledger = await PostgresLedger.open({ queries, leases, now: () => 0 });
  await ledger.activate(["p"]);
  await takeLeases({ client: opened.client, ledger, leases }, ["facts", pluginLease("p")]);
  const ready = async () => (await ledger.ready({ plugin: "p", now: 1, limit: 10 })).map(({ event }) => event.key);

  assert.deepEqual(await ready(), []);
  isAnswerLost = true;
  await assert.rejects(announce(ledger, "first"), LedgerUnavailable);
  isAnswerLost = false;
  await announce(ledger, "second");
  assert.deepEqual(await ready(), ["first"]);
});

Deno.test("a delivery that is retried after a jump of numbers is found at once, however far the queue begins behind", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const { ledger, client } = opened;
  await ledger.activate(["p"]);
  await announce(ledger, "before");
  await client.rows("INSERT INTO fact (name, value) VALUES ('restored_at', $1)", [String(Date.now())]);
  ledger.restored();
  await announce(ledger, "after");
  await client.rows("UPDATE plugin SET queued_from = 1");
  await client.rows(
    `INSERT INTO delivery (seq, plugin, state, due_at, attempts, tried_ms)
      SELECT e.seq, p.id, 'open', 0, 1, 0 FROM event AS e, plugin AS p WHERE e.key = 'after'`,
  );
  await opened.reopen();
  const ready = await opened.ledger.ready({ plugin: "p", now: 1, limit: 10 });
  // The later one waits for the earlier one, whose key it shares.
  assert.deepEqual(ready.map(({ event }) => event.key), ["before"]);
});
