import assert from "node:assert/strict";
import { LeaseLost } from "../../../src/model/tenancy.ts";
import { decisionOf, madeEvent, madeNotification, promptDetail } from "../../support/made_events.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";
import { TemporaryPostgresLedger } from "../../support/temporary_postgres_ledger.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

/**
 * What an asynchronous fail-over can lead to: the new primary did not know our epoch, and gave the
 * same number to another process.
 */
async function giveEpochsTwice({ client }: TemporaryPostgresLedger): Promise<void> {
  await client.rows("UPDATE lease SET holder = 'another process'");
}

async function announce({ ledger }: TemporaryPostgresLedger, key: string): Promise<number> {
  await ledger.record([{ receivedAt: 0, notification: madeNotification(key) }]);
  return await ledger.decide(10, () => decisionOf([madeEvent(key)]), promptDetail);
}

Deno.test("an epoch that another process has as well allows nothing", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const { ledger, client } = opened;
  await ledger.activate(["p"]);
  assert.equal(await announce(opened, "a/1"), 1);
  const [delivery] = await ledger.ready({ plugin: "p", now: 1, limit: 1 });
  assert.ok(delivery !== undefined);
  await giveEpochsTwice(opened);

  await assert.rejects(announce(opened, "b/1"), LeaseLost);
  const ended = { startedAt: 0, endedAt: 1, dueAt: 0, triedMs: 1, failure: null };
  await assert.rejects(ledger.settle([{ seq: delivery.seq, plugin: "p", outcome: "done", ...ended }]), LeaseLost);
  await ledger.noteOutage("p", { since: 0, nextProbeAt: 1, reason: "timeout", error: "gone" });

  const [counts] = await client.rows(
    `SELECT (SELECT count(*) FROM event) AS events, (SELECT count(*) FROM delivery WHERE state = 'done') AS done,
      (SELECT count(*) FROM plugin WHERE outage IS NOT NULL) AS outages`,
  );
  assert.deepEqual({ ...counts }, { events: 1, done: 0, outages: 0 });
});

Deno.test("work does not begin with an epoch that another process has as well", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  await giveEpochsTwice(opened);
  await assert.rejects(announce(opened, "a/1"), LeaseLost);
});
