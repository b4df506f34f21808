import { deepStrictEqual as assertEquals, ok as assert } from "node:assert/strict";
import fc from "fast-check";
import { delayMs, policyOf } from "../../src/dispatch/policy.ts";

Deno.test("policyOf() is what the documentation says when config.ts says nothing", () => {
  assertEquals(policyOf("p"), {
    concurrency: 8,
    attemptTimeoutMs: 30_000,
    firstDelayMs: 1000,
    maxDelayMs: 300_000,
    maxAgeMs: 72 * 3_600_000,
    permanentStatuses: new Set([400, 409, 410, 413, 414, 415, 422, 431]),
    breakerFailures: 5,
    limit: null,
  });
});

Deno.test("policyOf() lets as many attempts start at once as a second may have, at least one", () => {
  const limit = (perSecond: number, burst?: number) =>
    policyOf("p", { plugins: { p: { limit: { perSecond, ...(burst === undefined ? {} : { burst }) } } } }).limit;
  assertEquals(limit(5), { perSecond: 5, burst: 5 });
  assertEquals(limit(0.1), { perSecond: 0.1, burst: 1 });
  assertEquals(limit(5, 20), { perSecond: 5, burst: 20 });
});

Deno.test("policyOf() takes a plugin's own settings before those for all, and those before the defaults", () => {
  const retry = {
    concurrency: 2,
    maxDelaySeconds: 0.5,
    permanentStatuses: [404],
    plugins: { p: { concurrency: 1, maxAgeHours: 0.5 }, q: { concurrency: 3 } },
  };
  const { concurrency, maxDelayMs, maxAgeMs, permanentStatuses, breakerFailures } = policyOf("p", retry);
  assertEquals(
    { concurrency, maxDelayMs, maxAgeMs, permanentStatuses, breakerFailures },
    { concurrency: 1, maxDelayMs: 500, maxAgeMs: 1_800_000, permanentStatuses: new Set([404]), breakerFailures: 5 },
  );
  assertEquals(policyOf("q", retry).concurrency, 3);
  assertEquals(policyOf("another", retry).concurrency, 2);
});

Deno.test("policyOf() is the same for every plugin when its name is that of a built-in property", () => {
  for (const name of ["constructor", "__proto__", "toString"]) {
    assertEquals(policyOf(name, { plugins: {} }), policyOf("p"));
  }
});

Deno.test("delayMs() lies between nothing and an end that doubles with every failure, up to the longest delay", () => {
  fc.assert(
    fc.property(
      fc.record({
        firstDelayMs: fc.integer({ min: 1, max: 86_400_000 }),
        maxDelayMs: fc.integer({ min: 1, max: 86_400_000 }),
        failures: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
        random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      }),
      ({ firstDelayMs, maxDelayMs, failures, random }) => {
        const delay = delayMs({ firstDelayMs, maxDelayMs }, { failures, random: () => random });
        const upperEnd = Math.min(maxDelayMs, firstDelayMs * 2 ** (failures - 1));
        assert(Number.isInteger(delay) && delay >= 0 && delay <= upperEnd, `${delay} of ${upperEnd}`);
        assert(Math.abs(delay - random * upperEnd) <= 0.5);
      },
    ),
  );
});

Deno.test("delayMs() has the upper ends 1 s, 2 s, 4 s … 5 min with the defaults", () => {
  const ends = Array.from(
    { length: 12 },
    (_, n) => delayMs(policyOf("p"), { failures: n + 1, random: () => 1 }) / 1000,
  );
  assertEquals(ends, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
});
