import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { Batcher } from "../../../src/ledger/postgres/batcher.ts";

Deno.test("Batcher writes together what comes during a write", async () => {
  const written: (readonly number[])[] = [];
  const batcher = new Batcher<number>(async (items) => {
    await Promise.resolve();
    written.push(items);
  }, { most: 3 });
  const first = batcher.add(1, 0);
  await new Promise((resolve) => setTimeout(resolve, 1));
  await Promise.all([first, ...[2, 3, 4, 5].map((item) => batcher.add(item, 0))]);
  assertEquals(written.flat(), [1, 2, 3, 4, 5]);
  assertEquals(written.every(({ length }) => length <= 3), true);
});

Deno.test("Batcher lets nothing overtake what has failed", async () => {
  const written: number[] = [];
  let isDown = true;
  const answered = Promise.withResolvers<void>();
  const batcher = new Batcher<number>(async (items) => {
    await answered.promise;
    if (isDown) throw new Error("down");
    written.push(...items);
  }, { most: 1 });
  const told: string[] = [];
  const adds = [1, 2, 3].map(async (item) => {
    await batcher.add(item, 0).catch(() => told.push(`${item} has failed`));
  });
  answered.resolve();
  await Promise.all(adds);
  isDown = false;
  await batcher.add(4, 0);
  assertEquals([told, written], [["1 has failed", "2 has failed", "3 has failed"], [4]]);
});

Deno.test("Batcher waits no longer once there are enough", async () => {
  const written: (readonly number[])[] = [];
  const batcher = new Batcher<number>((items) => {
    written.push(items);
    return Promise.resolve();
  }, { most: 10, enough: 2 });
  const patience = 2 ** 30;
  await Promise.all([1, 2, 3].map((item) => batcher.add(item, patience)));
  assertEquals(written, [[1, 2, 3]]);
});
