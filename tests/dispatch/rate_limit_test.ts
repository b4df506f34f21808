import assert from "node:assert/strict";
import fc from "fast-check";
import { RateLimit } from "../../src/dispatch/rate_limit.ts";
import { madeEvent } from "../support/made_events.ts";
import { answer, Dispatching } from "./dispatching.ts";

const SECOND_MS = 1000;

Deno.test("RateLimit starts no more in any stretch of time than the burst and the rate allow, and no fewer in the end", () => {
  fc.assert(fc.property(
    fc.record({ perSecond: fc.double({ min: 0.01, max: 1000, noNaN: true }), burst: fc.integer({ min: 1, max: 50 }) }),
    fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 100 }),
    (limit, pausesMs) => {
      const bucket = new RateLimit(limit, 0);
      const starts: number[] = [];
      let nowMs = 0;
      for (const pauseMs of pausesMs) {
        nowMs += pauseMs;
        const waitMs = bucket.waitMs(nowMs);
        assert.ok(waitMs >= 0 && Number.isInteger(waitMs));
        nowMs += waitMs;
        assert.equal(bucket.waitMs(nowMs), 0);
        bucket.take(nowMs);
        starts.push(nowMs);
      }
      for (const [first, from] of starts.entries()) {
        for (const [last, to] of starts.entries()) {
          if (last < first) continue;
          const allowed = limit.burst + (to - from) * limit.perSecond / 1000;
          assert.ok(last - first + 1 <= allowed + 1e-6, `${last - first + 1} starts, allowed ${allowed}`);
        }
      }
    },
  ));
});

Deno.test("Lane starts no more attempts than `limit` allows, retries included", async () => {
  await using dispatching = await Dispatching.start({
    p: ({ attempt }) => void (attempt === 1 && answer(503)),
    q: () => {},
  }, {
    retry: { firstDelaySeconds: 0.001, breakerFailures: 1000, plugins: { p: { limit: { perSecond: 2, burst: 3 } } } },
  });
  await dispatching.announce(...Array.from({ length: 5 }, (_, n) => madeEvent(`s${n}/1`, [`s${n}`])));
  const startsOf = (plugin: string) => dispatching.attempts.filter((one) => one.plugin === plugin).length;
  assert.deepEqual([startsOf("p"), startsOf("q")], [3, 5]);
  await dispatching.clock.advance(SECOND_MS);
  assert.equal(startsOf("p"), 5);
  await dispatching.clock.advance(10 * SECOND_MS);
  assert.equal(startsOf("p"), 10);
  const seconds = dispatching.attempts.filter(({ plugin }) => plugin === "p").map(({ at }) => at / SECOND_MS);
  assert.deepEqual(seconds, [0, 0, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
});
