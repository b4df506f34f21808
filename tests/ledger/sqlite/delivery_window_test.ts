import { deepStrictEqual as assertEquals } from "node:assert/strict";
import fc from "fast-check";
import { DeliveryWindow } from "../../../src/ledger/sqlite/delivery_window.ts";
import type { QueuedDelivery } from "../../../src/ledger/sqlite/queued_delivery.ts";

const ADD = fc.record({
  do: fc.constant("add" as const),
  orderKeys: fc.subarray([1, 2, 3]),
  dueAt: fc.nat(3),
  state: fc.constantFrom("new" as const, "blocked" as const, "ready" as const),
});
const STEP = fc.oneof(
  { weight: 4, arbitrary: ADD },
  fc.record({ do: fc.constant("delete" as const), seq: fc.nat(20) }),
  fc.record({ do: fc.constant("free" as const), seq: fc.nat(20) }),
);

Deno.test("DeliveryWindow knows who is ready and who holds what as a plain list does", () => {
  fc.assert(fc.property(fc.array(STEP, { maxLength: 60, size: "max" }), fc.nat(20), fc.nat(4), (steps, seq, limit) => {
    const window = new DeliveryWindow();
    let list: QueuedDelivery[] = [];
    for (const [at, step] of steps.entries()) {
      if (step.do === "add") {
        const delivery = { ...step, plugin: 1, seq: at };
        window.add(delivery);
        list.push(delivery);
        continue;
      }
      const found = list.find((each) => each.seq === step.seq);
      assertEquals(window.get(step.seq), found);
      if (found === undefined) continue;
      if (step.do === "free") window.setState(found, "ready");
      if (step.do !== "delete") continue;
      window.delete(found);
      list = list.filter((each) => each !== found);
    }
    assertEquals([window.size, [...window]], [list.length, list]);
    const due = list.filter(({ state }) => state === "ready").toSorted((one, other) => one.dueAt - other.dueAt);
    assertEquals(window.ready({ limit, busy: new Set() }), due.slice(0, limit));
    const others = due.filter((each) => each.seq !== seq);
    assertEquals(window.ready({ limit, busy: new Set([seq]) }), others.slice(0, limit));
    for (const key of [1, 2, 3]) {
      const seqs = list.filter(({ orderKeys }) => orderKeys.includes(key)).map((each) => each.seq);
      for (const at of steps.keys()) {
        assertEquals(window.isHeldBefore(key, at), seqs.some((each) => each < at));
        assertEquals(window.after(key, at), seqs.find((each) => each > at));
      }
    }
  }));
});

Deno.test("DeliveryWindow gives what is ready in order when thousands have come and gone", () => {
  const window = new DeliveryWindow();
  const deliveries = Array.from({ length: 2000 }, (_, seq): QueuedDelivery => {
    return { plugin: 1, seq, orderKeys: [], dueAt: 0, state: seq % 2 === 0 ? "ready" : "blocked" };
  });
  for (const delivery of deliveries) window.add(delivery);
  for (const delivery of deliveries.filter(({ seq }) => seq % 4 === 0)) window.delete(delivery);
  for (const delivery of deliveries.filter(({ seq }) => seq % 4 === 1)) window.setState(delivery, "ready");
  const expected = deliveries.filter(({ seq }) => seq % 4 === 1 || seq % 4 === 2);
  assertEquals(window.ready({ limit: 9999, busy: new Set() }), expected);
});
