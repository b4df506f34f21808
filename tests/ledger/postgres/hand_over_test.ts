import assert from "node:assert/strict";
import { HeldLeases } from "../../../src/ledger/postgres/held_leases.ts";
import { PostgresLedger } from "../../../src/ledger/postgres/ledger.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";
import { decisionOf, madeEvent, madeNotification, promptDetail } from "../../support/made_events.ts";
import { clientOf, takeLeases, TemporaryPostgresLedger } from "../../support/temporary_postgres_ledger.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

/** Records a notification and decides that it leads to one event. */
async function announce(ledger: PostgresLedger, key: string): Promise<void> {
  await ledger.record([{ receivedAt: 0, notification: madeNotification(key) }]);
  assert.equal(await ledger.decide(10, () => decisionOf([madeEvent(key)]), promptDetail), 1);
}

Deno.test("a lane gets the last events of the holder of facts before, when its own process takes that lease", async () => {
  await using first = await TemporaryPostgresLedger.open();
  await first.ledger.activate(["p"]);
  await using client = clientOf(first.database);
  const leases = new HeldLeases();
  const second = await PostgresLedger.open({ queries: client, leases, now: () => 0 });
  second.refresh(["p"]);
  const take = (name: string) => takeLeases({ client, ledger: second, leases, id: "second" }, [name]);
  const ready = async () => (await second.ready({ plugin: "p", now: 1, limit: 10 })).map(({ event }) => event.key);

  await take("plugin p");
  await announce(first.ledger, "a/1");
  assert.deepEqual(await ready(), ["a/1"]);
  // Its word of this comes later than what follows.
  await announce(first.ledger, "b/1");
  await take("facts");
  await announce(second, "c/1");
  second.notice();
  assert.deepEqual(await ready(), ["a/1", "b/1", "c/1"]);
});
