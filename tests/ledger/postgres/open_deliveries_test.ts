import { deepStrictEqual as assertEquals } from "node:assert/strict";
import fc from "fast-check";
import { OpenDeliveries, type OpenDelivery } from "../../../src/ledger/postgres/open_deliveries.ts";

/** All deliveries, looked through each time: what {@linkcode OpenDeliveries} must agree with. */
class NaiveDeliveries {
  readonly open = new Map<number, OpenDelivery>();

  ready(now: number, busy: ReadonlySet<number>): readonly number[] {
    const ready = [...this.open.values()].filter((delivery) =>
      delivery.isDetailed && (!delivery.isWritten || delivery.dueAt <= now) && !busy.has(delivery.seq) &&
      !this.#earlier(delivery).length
    );
    return ready.sort((one, other) => one.dueAt - other.dueAt || one.seq - other.seq).map(({ seq }) => seq);
  }

  #earlier({ seq, orderKeys }: OpenDelivery): readonly OpenDelivery[] {
    return [...this.open.values()].filter((other) =>
      other.seq < seq && other.orderKeys.some((key) => orderKeys.includes(key))
    );
  }
}

const seq = fc.nat({ max: 12 });
const STEP = fc.oneof(
  fc.record({
    do: fc.constant("add" as const),
    seq,
    orderKeys: fc.uniqueArray(fc.nat({ max: 4 }), { maxLength: 3 }),
    isDetailed: fc.boolean(),
    isWritten: fc.boolean(),
    dueAt: fc.nat({ max: 3 }),
  }),
  fc.record({ do: fc.constant("detail" as const), seq }),
  fc.record({ do: fc.constant("finish" as const), seq }),
  fc.record({ do: fc.constant("postpone" as const), seq, dueAt: fc.nat({ max: 3 }) }),
  fc.record({ do: fc.constant("write" as const), seq }),
);

Deno.test("OpenDeliveries agree with a naive model, in whatever order deliveries come", () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 40 }), fc.uniqueArray(seq, { maxLength: 3 }), (steps, busySeqs) => {
      const [deliveries, naive, busy] = [new OpenDeliveries(), new NaiveDeliveries(), new Set(busySeqs)];
      for (const step of steps) {
        const known = naive.open.get(step.seq);
        if (step.do === "add") {
          if (known !== undefined) continue;
          const { do: _, ...given } = step;
          const delivery = { ...given, attempts: 0, triedMs: 0, lastAttemptAt: null, isRepair: false };
          naive.open.set(step.seq, delivery);
          deliveries.add(delivery);
        } else if (step.do === "detail") {
          if (known !== undefined) naive.open.set(step.seq, { ...known, isDetailed: true });
          deliveries.detailed(step.seq);
        } else if (step.do === "finish") {
          naive.open.delete(step.seq);
          deliveries.finish(step.seq);
        } else {
          const dueAt = step.do === "write" ? known?.dueAt ?? 0 : step.dueAt;
          const retry = { dueAt, attempts: 1, triedMs: 0, lastAttemptAt: null };
          if (known !== undefined) {
            naive.open.set(step.seq, { ...known, ...(step.do === "write" ? {} : retry), isWritten: true });
          }
          if (step.do === "write") deliveries.written(step.seq);
          else deliveries.postpone(step.seq, retry);
        }
        for (const now of [0, 2, 4]) {
          const expected = naive.ready(now, busy);
          assertEquals(deliveries.ready({ now, limit: 99, busy }).map((found) => found.seq), expected);
          assertEquals(deliveries.ready({ now, limit: 2, busy }).map((found) => found.seq), expected.slice(0, 2));
        }
        assertEquals(deliveries.size, naive.open.size);
        const { counts } = deliveries;
        assertEquals(counts.new + counts.blocked + counts.ready, naive.open.size);
      }
    }),
    { numRuns: 500 },
  );
});
