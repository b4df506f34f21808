import assert from "node:assert/strict";
import { LedgerUnavailable } from "../../../src/model/ledger.ts";
import { LeaseLost } from "../../../src/model/tenancy.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";
import { HeldPostgresLedger } from "../../support/held_postgres_ledger.ts";
import { decisionOf, madeEvent } from "../../support/made_events.ts";
import { TemporaryPostgresLedger } from "../../support/temporary_postgres_ledger.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

Deno.test("a batch is decided while the one before is committed, and delivered when it is", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new HeldPostgresLedger(opened).open();
  await held.record("a", "b", "c");
  held.isHolding = true;
  assert.equal(await held.decide(), 1);
  assert.deepEqual([await held.events(), await held.ready(), held.woken], [[], [], 0]);
  const second = held.decide();
  (await held.commit()).carryOut();
  assert.equal(await second, 1);
  assert.deepEqual([await held.events(), await held.ready(), held.woken], [["a"], ["a"], 1]);
  // The last one is committed before it is said to be decided.
  const third = held.decide();
  (await held.commit()).carryOut();
  (await held.commit()).carryOut();
  assert.equal(await third, 1);
  assert.deepEqual([await held.events(), await held.ready(), held.woken], [["a", "b", "c"], ["a", "b", "c"], 3]);
  assert.equal(await held.decide(), 0);
});

Deno.test("a commit that fails behind a decision is told to the next, and both are decided anew", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new HeldPostgresLedger(opened).open();
  await held.record("a", "b", "c");
  held.isHolding = true;
  assert.equal(await held.decide(), 1);
  const second = held.decide();
  (await held.commit()).fail(new LedgerUnavailable("the connection was lost"));
  await assert.rejects(second, LedgerUnavailable);
  held.isHolding = false;
  assert.deepEqual([await held.decide(), await held.decide(), await held.decide()], [1, 1, 1]);
  assert.deepEqual(await held.events(), ["a", "b", "c"]);
  assert.deepEqual(await held.ready(), ["a", "b", "c"]);
});

Deno.test("what was decided before and is committed late by another's epoch is told as a lost lease", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new HeldPostgresLedger(opened).open();
  await held.record("a", "b");
  held.isHolding = true;
  assert.equal(await held.decide(), 1);
  const second = held.decide();
  const commit = await held.commit();
  await opened.client.rows("UPDATE lease SET epoch = epoch + 1, holder = 'another' WHERE name = 'facts'");
  commit.carryOut();
  await assert.rejects(second, LeaseLost);
  assert.deepEqual(await held.events(), []);
});

Deno.test("calls of other kinds see what was decided before", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new HeldPostgresLedger(opened).open();
  await held.record("a", "b");
  held.isHolding = true;
  const decideWithout = () => held.ledger.decide(1, ({ messageId }) => decisionOf([madeEvent(messageId)]));
  assert.equal(await decideWithout(), 1);
  const undetailed = held.ledger.undetailed(10);
  (await held.commit()).carryOut();
  assert.deepEqual((await undetailed).map(({ event }) => event.key), ["a"]);
});
