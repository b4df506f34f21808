import assert from "node:assert/strict";
import { redeliveryClosure } from "../../../src/inspect/audit/redelivery_closure.ts";
import type { DeliveryHistory } from "../../../src/inspect/audit/delivery_history.ts";
import type { DeliveryRecord } from "../../../src/model/delivered.ts";

/** Order keys by event; the events named here are creations of servers that exist. */
function closureOf(
  seqs: readonly number[],
  { creations, keys, floatingIps = {} }: {
    readonly creations: readonly number[];
    readonly keys: Readonly<Record<number, readonly number[]>>;
    /** The last events of floating IPs, by the creation of their server. */
    readonly floatingIps?: Readonly<Record<number, readonly number[]>>;
  },
): Promise<readonly number[]> {
  const record = (seq: number, subject: DeliveryRecord["subject"]): DeliveryRecord => ({
    ...{ seq, subject, key: `${subject}/${seq}/1/creation`, created: true, serverId: String(seq), state: "done" },
    finishedAt: 1,
  });
  const history: Pick<DeliveryHistory, "creations"> = {
    creations: () =>
      creations.map((seq) => ({
        record: record(seq, "server"),
        group: {
          serverId: String(seq),
          server: record(seq, "server"),
          floatingIps: new Map((floatingIps[seq] ?? []).map((one) => [String(one), record(one, "floatingip")])),
          obstacle: null,
        },
      })),
  };
  const orderKeys = (all: readonly number[]) => Promise.resolve(new Map(all.map((seq) => [seq, keys[seq] ?? []])));
  return redeliveryClosure(seqs, { history, orderKeys });
}

Deno.test("redeliveryClosure() is empty when nothing is to be repaired", async () => {
  assert.deepEqual(await closureOf([], { creations: [1, 2], keys: { 1: [1], 2: [1] } }), []);
});

Deno.test("redeliveryClosure() takes later creations that share a key, also by way of others, and no earlier ones", async () => {
  const keys = { 1: [10], 2: [10, 20], 3: [10, 30], 4: [30], 5: [40], 6: [20] };
  assert.deepEqual(await closureOf([3], { creations: [1, 2, 3, 4, 5, 6], keys }), [3, 4]);
  assert.deepEqual(await closureOf([2], { creations: [1, 2, 3, 4, 5, 6], keys }), [2, 3, 4, 6]);
});

Deno.test("redeliveryClosure() takes with a server the last events of its floating IPs", async () => {
  const keys = { 1: [10], 2: [10], 3: [20], 4: [20] };
  assert.deepEqual(await closureOf([1], { creations: [1, 2, 4], keys, floatingIps: { 2: [3] } }), [1, 2, 3, 4]);
});

Deno.test("redeliveryClosure() takes what is behind the earliest event of a key, whichever is named first", async () => {
  const keys = { 1: [10], 2: [10], 3: [10], 4: [10] };
  assert.deepEqual(await closureOf([1, 3], { creations: [1, 2, 3, 4], keys }), [1, 2, 3, 4]);
  assert.deepEqual(await closureOf([3, 1], { creations: [1, 2, 3, 4], keys }), [1, 2, 3, 4]);
});

Deno.test("redeliveryClosure() takes no second for thousands of servers with one name", async () => {
  const creations = Array.from({ length: 5000 }, (_, index) => index + 1);
  const keys = Object.fromEntries(creations.map((seq) => [seq, [7, seq + 10_000]]));
  const began = performance.now();
  assert.equal((await closureOf([1], { creations, keys })).length, 5000);
  assert.ok(performance.now() - began < 1000);
});
