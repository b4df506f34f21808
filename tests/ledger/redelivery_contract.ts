/**
 * What `audit` must find in every ledger that outlives its process, and do to it.
 *
 * @module
 */

import { deepStrictEqual as assertEquals, match as assertMatch } from "node:assert/strict";
import type { DeliveryRecord } from "../../src/model/delivered.ts";
import { deliverAll, tell } from "../support/decided_ledger.ts";
import { settlementOf } from "../support/made_events.ts";
import { came, floatingIpIs, portCame, went } from "../support/stories.ts";
import type { OperatedContract, OperatedLedger } from "./operated_ledger.ts";

export function testRedelivery({ name, open }: OperatedContract): void {
  const test = (what: string, run: () => Promise<void>) => Deno.test(`${name}: ${what}`, run);
  const activated = async (...names: readonly string[]) => {
    const opened = await open();
    await opened.ledger.activate(names.length === 0 ? ["p"] : names);
    return opened;
  };

  test("deliveries() tells all deliveries of a plugin, in pages, with their servers and states", async () => {
    await using ledger = await activated("p", "q");
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

  test("deliveries() has more than one page", async () => {
    await using ledger = await activated();
    await tell(ledger, ...Array.from({ length: 2500 }, (_, index) => came(`s${index}`)));
    assertEquals(new Set((await recordsOf(ledger)).map(({ key }) => key)).size, 2500);
  });

  test("redeliver() opens what is done, in order, and the service makes it as a repair", async () => {
    await using ledger = await activated();
    await server(ledger);
    assertEquals(await redeliver(ledger, ["floatingip/f1/1/creation", "server/a/creation"]), [null, null]);
    const [first, ...others] = await ledger.ledger.ready({ plugin: "p", now: 9, limit: 9 });
    assertEquals([first?.event.key, first?.repair, first?.attempts, others.length], ["server/a/creation", true, 1, 0]);
    assertEquals(await deliverAll(ledger), ["server/a/creation", "floatingip/f1/1/creation"]);
    assertEquals((await recordsOf(ledger)).map(({ state }) => state), ["done", "done"]);
  });

  test("redeliver() opens events whose order keys were pruned, and later ones wait for them", async () => {
    await using ledger = await activated();
    await server(ledger);
    await ledger.prune(Number.MAX_SAFE_INTEGER);
    assertEquals(await redeliver(ledger, ["server/a/creation", "floatingip/f1/1/creation"]), [null, null]);
    await tell(ledger, went("a"));
    const keys = ["server/a/creation", "floatingip/f1/1/creation", "floatingip/f1/2/deletion", "server/a/deletion"];
    assertEquals(await deliverAll(ledger), keys);
  });

  test("redeliver() forgets how far an earlier attempt was", async () => {
    await using ledger = await activated();
    await tell(ledger, came("a"));
    const [creation] = await ledger.ledger.ready({ plugin: "p", now: 9, limit: 9 });
    const failure = { reason: "other", error: "It failed", progress: "half" } as const;
    await ledger.ledger.settle([{ ...settlementOf(creation!, { outcome: "retry", endedAt: 1 }), failure }]);
    await deliverAll(ledger);
    await redeliver(ledger, ["server/a/creation"]);
    const [again] = await ledger.ledger.ready({ plugin: "p", now: 9, limit: 9 });
    assertEquals([again?.attempts, again?.progress], [2, undefined]);
  });

  test("redeliver() refuses what is not done, and what a later event that waits or came since would follow", async () => {
    await using ledger = await activated();
    await server(ledger);
    await using delivered = await ledger.delivered();
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

  test("redeliver() refuses an event that would undo one that it refuses", async () => {
    await using ledger = await activated();
    await tell(
      ledger,
      came("a"),
      portCame("port-a", { server: "a" }),
      floatingIpIs("f1", { port: "port-a", server: "a" }),
    );
    await deliverAll(ledger);
    await ledger.sql("UPDATE delivery SET state = 'dead' WHERE seq = (SELECT max(seq) FROM delivery)");
    assertEquals(await redeliver(ledger, ["server/a/creation", "floatingip/f1/1/creation"]), [
      "the later event floatingip/f1/1/creation cannot be delivered again behind it",
      "it is dead by now",
    ]);
  });
}

async function recordsOf(ledger: OperatedLedger, plugin = "p"): Promise<readonly DeliveryRecord[]> {
  await using delivered = await ledger.delivered();
  return (await Array.fromAsync(delivered.deliveries(plugin))).flat();
}

async function redeliver(ledger: OperatedLedger, keys: readonly string[]): Promise<readonly (string | null)[]> {
  await using delivered = await ledger.delivered();
  const all = (await Array.fromAsync(delivered.deliveries("p"))).flat();
  const seqs = all.filter(({ key }) => keys.includes(key)).map(({ seq }) => seq);
  const results = await delivered.redeliver({ plugin: "p", seqs, through: all.at(-1)?.seq ?? 0 });
  return results.map(({ refused }) => refused);
}

/** A server with a floating IP, delivered. */
async function server(ledger: OperatedLedger): Promise<void> {
  await tell(ledger, portCame("port-a", { server: "a" }), came("a"));
  await tell(ledger, floatingIpIs("f1", { port: "port-a", server: "a" }));
  await deliverAll(ledger);
}
