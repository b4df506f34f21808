import { deepStrictEqual as assertEquals } from "node:assert/strict";
import fc from "fast-check";
import { type Holder, RecentHolders } from "../../src/ledger/recent_holders.ts";

const STEP = fc.oneof(
  fc.record({ do: fc.constant("add" as const), plugin: fc.nat(2), orderKeys: fc.subarray([1, 2, 3]) }),
  fc.record({ do: fc.constant("delete" as const), plugin: fc.nat(2), seq: fc.nat(20) }),
);

Deno.test("RecentHolders knows who holds what as a plain list does", () => {
  fc.assert(fc.property(fc.array(STEP, { maxLength: 40 }), fc.nat(20), (steps, seq) => {
    const holders = new RecentHolders();
    let list: Holder[] = [];
    for (const [at, step] of steps.entries()) {
      if (step.do === "add") {
        const holder = { plugin: step.plugin, seq: at, orderKeys: step.orderKeys };
        holders.add(holder);
        list.push(holder);
      } else {
        holders.delete(step.plugin, step.seq);
        list = list.filter((holder) => holder.plugin !== step.plugin || holder.seq !== step.seq);
      }
    }
    assertEquals([holders.size, holders.oldest(3)], [list.length, list.slice(0, 3)]);
    for (const plugin of [0, 1, 2]) {
      for (const key of [1, 2, 3]) {
        const seqs = list.filter((holder) => holder.plugin === plugin && holder.orderKeys.includes(key))
          .map((holder) => holder.seq);
        assertEquals(holders.before(plugin, key, seq), seqs.find((each) => each < seq));
        assertEquals(holders.after(plugin, key, seq), seqs.find((each) => each > seq));
      }
    }
    holders.clear();
    assertEquals([holders.size, holders.oldest(3)], [0, []]);
  }));
});
