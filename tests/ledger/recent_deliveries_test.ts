import { deepStrictEqual as assertEquals } from "node:assert/strict";
import fc from "fast-check";
import { RecentDeliveries, type RecentDelivery } from "../../src/ledger/recent_deliveries.ts";

const STATE = fc.constantFrom("new" as const, "blocked" as const, "ready" as const);
const ADD = fc.record({
  do: fc.constant("add" as const),
  plugin: fc.nat(2),
  orderKeys: fc.subarray([1, 2, 3]),
  dueAt: fc.nat(3),
  state: STATE,
});
const STEP = fc.oneof(
  { weight: 4, arbitrary: ADD },
  fc.record({ do: fc.constant("delete" as const), plugin: fc.nat(2), seq: fc.nat(20) }),
  fc.record({ do: fc.constant("free" as const), plugin: fc.nat(2), seq: fc.nat(20) }),
  fc.record({ do: fc.constant("try" as const), plugin: fc.nat(2), seq: fc.nat(20) }),
);

Deno.test("RecentDeliveries knows who is ready and who holds what as a plain list does", () => {
  fc.assert(fc.property(fc.array(STEP, { maxLength: 60, size: "max" }), fc.nat(20), fc.nat(4), (steps, seq, limit) => {
    const recent = new RecentDeliveries();
    let list: RecentDelivery[] = [];
    for (const [at, step] of steps.entries()) {
      if (step.do === "add") {
        const delivery = { ...step, seq: at };
        recent.add(delivery);
        list.push(delivery);
        continue;
      }
      const found = list.find((each) => each.plugin === step.plugin && each.seq === step.seq);
      assertEquals(recent.get(step.plugin, step.seq), found);
      if (found === undefined) continue;
      if (step.do === "free" && found.state !== null) recent.setState(found, "ready");
      if (step.do === "try" && found.state === "ready") recent.setState(found, null);
      if (step.do !== "delete") continue;
      recent.delete(found);
      list = list.filter((each) => each !== found);
    }
    assertEquals([recent.size, recent.oldest(3)], [list.length, list.slice(0, 3)]);
    assertEquals(new Set(recent.olderThan(seq)), new Set(list.filter((each) => each.seq < seq)));
    assertEquals(
      recent.newOf(seq),
      list.filter((each) => each.seq === seq && each.state === "new").map((each) => each.plugin),
    );
    for (const plugin of [0, 1, 2]) {
      const own = list.filter((each) => each.plugin === plugin);
      assertEquals([...recent.of(plugin)], own);
      const due = own.filter(({ state }) => state === "ready").toSorted((one, other) => one.dueAt - other.dueAt);
      assertEquals(recent.ready(plugin, { limit: limit, busy: new Set() }), due.slice(0, limit));
      assertEquals(
        recent.ready(plugin, { limit: limit, busy: new Set([seq]) }),
        due.filter((each) => each.seq !== seq).slice(0, limit),
      );
      for (const key of [1, 2, 3]) {
        const seqs = own.filter(({ orderKeys }) => orderKeys.includes(key)).map((each) => each.seq);
        for (const at of steps.keys()) {
          assertEquals(recent.isHeldBefore(plugin, key, at), seqs.some((each) => each < at));
          assertEquals(recent.after(plugin, key, at), seqs.find((each) => each > at));
        }
      }
    }
    recent.clear();
    assertEquals([recent.size, recent.oldest(3), recent.ready(0, { limit: 9, busy: new Set() })], [0, [], []]);
  }));
});

Deno.test("RecentDeliveries gives what is ready in order when thousands have come and gone", () => {
  const recent = new RecentDeliveries();
  const deliveries = Array.from({ length: 2000 }, (_, seq): RecentDelivery => {
    return { plugin: 1, seq, orderKeys: [], dueAt: 0, state: seq % 2 === 0 ? "ready" : "blocked" };
  });
  for (const delivery of deliveries) recent.add(delivery);
  for (const delivery of deliveries.filter(({ seq }) => seq % 4 === 0)) recent.delete(delivery);
  for (const delivery of deliveries.filter(({ seq }) => seq % 4 === 1)) recent.setState(delivery, "ready");
  const expected = deliveries.filter(({ seq }) => seq % 4 === 1 || seq % 4 === 2);
  assertEquals(recent.ready(1, { limit: 9999, busy: new Set() }), expected);
});
