import { deepStrictEqual as assertEquals, match as assertMatch } from "node:assert/strict";
import type { DeliveryRecord } from "../../../src/model/delivered.ts";
import { openDelivered } from "../../../src/ledger/sqlite/delivered.ts";
import { LATER_ADDED } from "../../../src/ledger/sqlite/redelivery.ts";
import { Pruner } from "../../../src/ledger/sqlite/prune.ts";
import { deliverAll, tell } from "../../support/decided_ledger.ts";
import { settlementOf } from "../../support/made_events.ts";
import { came, floatingIpIs, portCame, went } from "../../support/stories.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

async function opened(...names: readonly string[]): Promise<TemporaryLedger> {
  const ledger = new TemporaryLedger();
  await ledger.ledger.activate(names.length === 0 ? ["p"] : names);
  return ledger;
}

async function recordsOf(ledger: TemporaryLedger, plugin = "p"): Promise<readonly DeliveryRecord[]> {
  await using delivered = openDelivered(ledger.file);
  return (await Array.fromAsync(delivered.deliveries(plugin))).flat();
}

async function redeliver(ledger: TemporaryLedger, keys: readonly string[]): Promise<readonly (string | null)[]> {
  await using delivered = openDelivered(ledger.file);
  const all = (await Array.fromAsync(delivered.deliveries("p"))).flat();
  const seqs = all.filter(({ key }) => keys.includes(key)).map(({ seq }) => seq);
  const results = await delivered.redeliver({ plugin: "p", seqs, through: all.at(-1)?.seq ?? 0 });
  return results.map(({ refused }) => refused);
}

/** A server with a floating IP, delivered. */
async function server(ledger: TemporaryLedger): Promise<void> {
  await tell(ledger, portCame("port-a", { server: "a" }), came("a"));
  await tell(ledger, floatingIpIs("f1", { port: "port-a", server: "a" }));
  await deliverAll(ledger);
}

Deno.test("deliveries() tells all deliveries of a plugin, in pages, with their servers and states", async () => {
  using ledger = await opened("p", "q");
  ledger.now = 7;
  await server(ledger);
  await deliverAll(ledger, { plugin: "q", outcome: "dead" });
  await tell(ledger, went("a"));
  assertEquals(
    (await recordsOf(ledger)).map(({ seq: _, ...record }) => record),
    [
      { key: "server/a/creation", subject: "server", created: true, serverId: "a", state: "done", finishedAt: 7 },
      {
        ...{ key: "floatingip/f1/1/creation", subject: "floatingip", created: true },
        ...{ serverId: "a", state: "done", finishedAt: 7 },
      },
      {
        ...{ key: "floatingip/f1/2/deletion", subject: "floatingip", created: false },
        ...{ serverId: "a", state: "unfinished", finishedAt: null },
      },
      {
        ...{ key: "server/a/deletion", subject: "server", created: false },
        ...{ serverId: "a", state: "unfinished", finishedAt: null },
      },
    ] as const,
  );
  assertEquals((await recordsOf(ledger, "q")).slice(0, 2).map(({ state }) => state), ["dead", "dead"]);
  assertEquals(await recordsOf(ledger, "unknown"), []);
});

Deno.test("deliveries() has more than one page", async () => {
  using ledger = await opened();
  await tell(ledger, ...Array.from({ length: 2500 }, (_, index) => came(`s${index}`)));
  assertEquals(new Set((await recordsOf(ledger)).map(({ key }) => key)).size, 2500);
});

Deno.test("redeliver() opens what is done, in order, and the service makes it as a repair", async () => {
  using ledger = await opened();
  await server(ledger);
  assertEquals(await redeliver(ledger, ["floatingip/f1/1/creation", "server/a/creation"]), [null, null]);
  const [first, ...others] = await ledger.ledger.ready({ plugin: "p", now: 9, limit: 9 });
  assertEquals([first?.event.key, first?.repair, first?.attempts, others.length], ["server/a/creation", true, 1, 0]);
  assertEquals(await deliverAll(ledger), ["server/a/creation", "floatingip/f1/1/creation"]);
  assertEquals((await recordsOf(ledger)).map(({ state }) => state), ["done", "done"]);
});

Deno.test("redeliver() opens events whose order keys were pruned, and later ones wait for them", async () => {
  using ledger = await opened();
  await server(ledger);
  const pruner = new Pruner(ledger.database);
  while (pruner.slice(Number.MAX_SAFE_INTEGER));
  assertEquals(await redeliver(ledger, ["server/a/creation", "floatingip/f1/1/creation"]), [null, null]);
  await tell(ledger, went("a"));
  const keys = ["server/a/creation", "floatingip/f1/1/creation", "floatingip/f1/2/deletion", "server/a/deletion"];
  assertEquals(await deliverAll(ledger), keys);
});

Deno.test("redeliver() forgets how far an earlier attempt was", async () => {
  using ledger = await opened();
  await tell(ledger, came("a"));
  const [creation] = await ledger.ledger.ready({ plugin: "p", now: 9, limit: 9 });
  const failure = { reason: "other", error: "It failed", progress: "half" } as const;
  await ledger.ledger.settle([{ ...settlementOf(creation!, { outcome: "retry", endedAt: 1 }), failure }]);
  await deliverAll(ledger);
  await redeliver(ledger, ["server/a/creation"]);
  const [again] = await ledger.ledger.ready({ plugin: "p", now: 9, limit: 9 });
  assertEquals([again?.attempts, again?.progress], [2, undefined]);
});

Deno.test("redeliver() refuses what is not done, and what a later event that waits or came since would follow", async () => {
  using ledger = await opened();
  await server(ledger);
  await using delivered = openDelivered(ledger.file);
  const through = (await recordsOf(ledger)).at(-1)?.seq ?? 0;
  const creation = async () => {
    const [{ seq = 0 } = {}] = await recordsOf(ledger);
    return (await delivered.redeliver({ plugin: "p", seqs: [seq], through }))[0]?.refused ?? "";
  };
  await tell(ledger, went("a"));
  // It waits in the queue; then an attempt has failed; then it is done.
  assertMatch(await creation(), /^the later event .*\/deletion came meanwhile; run audit again$/);
  const [first] = await ledger.ledger.ready({ plugin: "p", now: 9, limit: 1 });
  await ledger.ledger.settle([settlementOf(first!, { outcome: "retry", endedAt: 1 })]);
  assertMatch(await creation(), /^the later event .*\/deletion came meanwhile; run audit again$/);
  await deliverAll(ledger);
  assertMatch(await creation(), /^the later event .*\/deletion came meanwhile; run audit again$/);
  assertEquals(await redeliver(ledger, ["server/a/deletion"]), [null]);
  assertEquals(await redeliver(ledger, ["server/a/deletion"]), ["it is being made by now"]);
  await deliverAll(ledger, { outcome: "dead" });
  assertEquals(await redeliver(ledger, ["server/a/deletion"]), ["it is dead by now"]);
});

Deno.test("redeliver() refuses an event that would undo one that it refuses", async () => {
  using ledger = await opened();
  await tell(
    ledger,
    came("a"),
    portCame("port-a", { server: "a" }),
    floatingIpIs("f1", { port: "port-a", server: "a" }),
  );
  await deliverAll(ledger);
  ledger.database.exec("UPDATE delivery SET state = 'dead' WHERE seq = (SELECT max(seq) FROM delivery)");
  assertEquals(await redeliver(ledger, ["server/a/creation", "floatingip/f1/1/creation"]), [
    "the later event floatingip/f1/1/creation cannot be delivered again behind it",
    "it is dead by now",
  ]);
});

Deno.test("redeliver() looks up later events by their keys", () => {
  using ledger = new TemporaryLedger();
  const plan = ledger.database.prepare(`EXPLAIN QUERY PLAN ${LATER_ADDED}`).all().map((row) => String(row["detail"]));
  assertMatch(plan.join("\n"), /SEARCH o USING PRIMARY KEY \(span=\? AND order_key=\? AND seq>\?\)/);
});
