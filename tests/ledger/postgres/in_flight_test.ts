import assert from "node:assert/strict";
import type { PortMemory } from "../../../src/model/memory.ts";
import { LedgerUnavailable } from "../../../src/model/ledger.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";
import { HeldPostgresLedger } from "../../support/held_postgres_ledger.ts";
import { decisionOf, madeEvent, NO_CHANGES, promptDetail } from "../../support/made_events.ts";
import { TemporaryPostgresLedger } from "../../support/temporary_postgres_ledger.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

const PORT: PortMemory = {
  id: "port",
  serverId: "s",
  lastServerId: "s",
  mac: null,
  fixedAddresses: [],
  dnsName: null,
  dnsHostname: null,
  revision: null,
  deleted: false,
};

Deno.test("a server's ports that are committed while they are read are known to the next decision", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new HeldPostgresLedger(opened).open();
  await held.record("a", "b", "c");
  held.isHolding = true;
  const changes = { ...NO_CHANGES, ports: [PORT] };
  assert.equal(await held.ledger.decide(1, ({ messageId }) => decisionOf([madeEvent(messageId)], { changes })), 1);
  held.heldAnswers = "SELECT 'server' AS kind";
  let ports: readonly string[] = [];
  const second = held.ledger.decide(1, ({ messageId }, memory) => {
    ports = memory.portsOfServer("s").map(({ id }) => id);
    return decisionOf([madeEvent(messageId)]);
  });
  // The answer was made before the commit, and comes after it.
  const answer = await held.answer();
  held.heldAnswers = null;
  (await held.commit()).carryOut();
  while (held.woken === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  answer.carryOut();
  assert.equal(await second, 1);
  assert.deepEqual(ports, ["port"]);
  (await held.commit()).carryOut();
  await held.ledger.end("facts");
});

Deno.test("a commit that fails while the lease ends is not told to the next tenure", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new HeldPostgresLedger(opened).open();
  await held.record("a", "b");
  held.isHolding = true;
  assert.equal(await held.decide(), 1);
  const ended = held.ledger.end("facts");
  (await held.commit()).fail(new LedgerUnavailable("the connection was lost"));
  await ended;
  held.isHolding = false;
  await held.take("facts");
  assert.deepEqual([await held.decide(), await held.decide()], [1, 1]);
  assert.deepEqual(await held.events(), ["a", "b"]);
});

Deno.test("what is dropped while the tables are read is read again", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new HeldPostgresLedger(opened).open();
  await held.record("a", "b");
  held.heldAnswers = "SELECT server_id, due_at";
  const first = held.decide();
  const answer = await held.answer();
  held.heldAnswers = null;
  await held.ledger.follow({ plugins: ["p"], settleMs: 60_000, makeUpdate: () => null });
  answer.carryOut();
  assert.equal(await first, 1);
  const changedServers = ["a"];
  const change = () => decisionOf([], { changedServers });
  await held.ledger.decide(1, () => decisionOf([madeEvent("server/a/creation")]), promptDetail);
  await held.record("c");
  assert.equal(await held.ledger.decide(1, change, promptDetail), 1);
  assert.equal((await held.ledger.announceUpdates(1)).nextDueAt, 60_000);
});

Deno.test("a batch behind which nothing can be decided yet is committed before it is said to be decided", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new HeldPostgresLedger(opened).open();
  await held.record("a", "b");
  held.isHolding = true;
  const decided = held.ledger.decide(10, ({ messageId }) => messageId === "b" ? null : decisionOf([madeEvent("a")]));
  (await held.commit()).fail(new LedgerUnavailable("the connection was lost"));
  await assert.rejects(decided, LedgerUnavailable);
});

Deno.test("lanes are woken when they can find the events, also beside one that was written long ago", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new HeldPostgresLedger(opened).open();
  await held.record("a");
  assert.equal(await held.decide(), 1);
  assert.deepEqual(await held.ready(), ["a"]);
  await held.record("b");
  let found: Promise<readonly string[]> | undefined;
  held.onCommitted = () => found = held.ready();
  await held.ledger.decide(10, () => decisionOf([madeEvent("a"), madeEvent("b")]), promptDetail);
  assert.deepEqual(await found, ["a", "b"]);
});
