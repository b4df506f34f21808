import assert from "node:assert/strict";
import { ReadAhead } from "../../src/dispatch/read_ahead.ts";
import type { Delivery, ReadyQuery } from "../../src/model/ledger.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** A ledger with any number of ready deliveries, which notes how many were asked for. */
function opened() {
  const clock = new VirtualClock();
  const asked: number[] = [];
  let seq = 0;
  const ledger = {
    ready: ({ limit }: ReadyQuery) => {
      asked.push(limit);
      return Promise.resolve(Array.from({ length: limit }, () => ({ seq: ++seq }) as Delivery));
    },
  };
  const ahead = new ReadAhead("p", { ledger, clock });
  const take = async (count: number, room = count) => {
    const options = { room, most: 4000, inFlight: [] };
    for (let index = 0; index < count; index++) await ahead.next(options);
  };
  return { clock, asked, take };
}

Deno.test("ReadAhead reads as much as it may while all is used in time", async () => {
  const { asked, take } = opened();
  for (let times = 0; times < 3; times++) await take(4000, 1);
  assert.deepEqual(asked, [4000, 4000, 4000]);
});

Deno.test("ReadAhead reads no more than was used in time, but as many as may start", async () => {
  const { clock, asked, take } = opened();
  await take(1000);
  await clock.advance(200);
  await take(1000);
  await clock.advance(200);
  await take(1000);
  assert.deepEqual(asked, [4000, 1000, 1000]);
  await clock.advance(200);
  await take(5);
  await clock.advance(200);
  await take(300);
  assert.deepEqual(asked, [4000, 1000, 1000, 1000, 300]);
});

Deno.test("ReadAhead reads twice as much each time when a target has become fast", async () => {
  const { clock, asked, take } = opened();
  await take(1);
  await clock.advance(200);
  await take(1);
  await clock.advance(200);
  for (let at = 0; at < 15; at++) await take(1);
  assert.deepEqual(asked, [4000, 1, 1, 2, 4, 8]);
});
