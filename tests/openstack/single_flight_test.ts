import assert from "node:assert/strict";
import { ExpiringCache } from "../../src/openstack/expiring_cache.ts";
import { SingleFlight } from "../../src/openstack/single_flight.ts";

Deno.test("run() asks again once an answer, or a failure, has come", async () => {
  const singleFlight = new SingleFlight<number>();
  let asked = 0;
  const work = () => Promise.resolve(++asked);

  assert.deepEqual(
    await Promise.all([singleFlight.run("a", work), singleFlight.run("a", work), singleFlight.run("b", work)]),
    [
      1,
      1,
      2,
    ],
  );
  assert.equal(await singleFlight.run("a", work), 3);
  await assert.rejects(singleFlight.run("a", () => Promise.reject(new Error("no"))), /no/);
  assert.equal(await singleFlight.run("a", work), 4);
});

Deno.test("run() does not begin to wait when the signal has aborted", async () => {
  const singleFlight = new SingleFlight<number>();

  await assert.rejects(
    singleFlight.run("a", () => new Promise(() => {}), AbortSignal.abort(new Error("stopped"))),
    /stopped/,
  );
});

Deno.test("a cache forgets what is old, and what was not used for the longest time when it is full", () => {
  let now = 0;
  const cache = new ExpiringCache<number>({ maxEntries: 2, now: () => now });
  cache.set("a", 1, 100);
  cache.set("b", 2, 50);
  assert.equal(cache.get("a"), 1);
  cache.set("c", 3, 100);

  assert.deepEqual([cache.get("a"), cache.get("b"), cache.get("c"), cache.size], [1, undefined, 3, 2]);
  now = 100;
  assert.deepEqual([cache.get("a"), cache.get("c"), cache.size], [undefined, undefined, 0]);
});
