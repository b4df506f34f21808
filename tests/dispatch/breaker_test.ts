import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { Breaker } from "../../src/dispatch/breaker.ts";
import { policyOf } from "../../src/dispatch/policy.ts";
import type { RetryOptions } from "../../src/model/config.ts";
import type { FailureReason } from "../../src/model/errors.ts";

const NOW = Date.UTC(2026, 10, 21);

/** A breaker whose delays are the longest that they can be. */
function makeBreaker(retry: RetryOptions = {}): Breaker {
  return new Breaker(policyOf("p", retry), () => 1);
}

function fail(
  breaker: Breaker,
  { reason = "server_error", serverId = "s", at = NOW, retryAfterMs = 0 }: {
    readonly reason?: FailureReason;
    readonly serverId?: string | null;
    readonly at?: number;
    readonly retryAfterMs?: number;
  } = {},
): void {
  breaker.failed({ reason, serverId, at, retryAfterMs });
}

for (const reason of ["connection", "unauthorized"] as const) {
  Deno.test(`Breaker opens at once when the failure is "${reason}"`, () => {
    const breaker = makeBreaker();
    assertEquals(breaker.state, "closed");
    fail(breaker, { reason });
    assertEquals(breaker.state, "open");
  });
}

for (const reason of ["timeout", "rate_limited", "client_error", "server_error", "other"] as const) {
  Deno.test(`Breaker opens at the fifth failure in a row when it is "${reason}" for two servers`, () => {
    const breaker = makeBreaker();
    for (const serverId of ["s", "s", "t", "s"]) fail(breaker, { reason, serverId });
    assertEquals(breaker.state, "closed");
    fail(breaker, { reason });
    assertEquals(breaker.state, "open");
  });
}

Deno.test("Breaker stays closed when all failures are one server's", () => {
  for (const serverId of ["s", null]) {
    const breaker = makeBreaker();
    for (let n = 0; n < 100; n++) fail(breaker, { serverId });
    assertEquals(breaker.state, "closed");
  }
});

Deno.test("Breaker stays closed when a success comes between", () => {
  const breaker = makeBreaker();
  for (let n = 0; n < 100; n++) {
    if (n % 4 === 0) breaker.succeeded();
    fail(breaker, { serverId: `s${n}` });
  }
  assertEquals(breaker.state, "closed");
});

Deno.test("Breaker opens after as many failures as config.ts says", () => {
  const breaker = makeBreaker({ breakerFailures: 2 });
  fail(breaker, { serverId: "s" });
  assertEquals(breaker.state, "closed");
  fail(breaker, { serverId: "t" });
  assertEquals(breaker.state, "open");
});

Deno.test("Breaker lets probes through after 1 s, 2 s, 4 s … 5 min", () => {
  const breaker = makeBreaker();
  const waits: number[] = [];
  for (let at = NOW; waits.length < 11; at = breaker.nextProbeAt) {
    fail(breaker, { reason: "connection", at });
    waits.push((breaker.nextProbeAt - at) / 1000);
    assertEquals([breaker.mayProbe(breaker.nextProbeAt - 1), breaker.mayProbe(breaker.nextProbeAt)], [false, true]);
  }
  assertEquals(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
});

Deno.test("Breaker waits longer when the receiver asks for it", () => {
  const breaker = makeBreaker();
  fail(breaker, { reason: "connection", retryAfterMs: 900_000 });
  assertEquals(breaker.nextProbeAt, NOW + 900_000);
});

Deno.test("Breaker does not wait longer for attempts that were under way when it opened", () => {
  const breaker = makeBreaker();
  for (let n = 0; n < 8; n++) fail(breaker, { reason: "connection", at: NOW + n });
  assertEquals(breaker.nextProbeAt, NOW + 1000);
});

Deno.test("Breaker closes at a success, and begins with short waits again", () => {
  const breaker = makeBreaker();
  for (let at = NOW; at < NOW + 60_000; at = breaker.nextProbeAt) fail(breaker, { reason: "connection", at });
  breaker.succeeded();
  assertEquals(breaker.state, "closed");
  fail(breaker, { reason: "connection" });
  assertEquals(breaker.nextProbeAt, NOW + 1000);
});

Deno.test("Breaker lets a probe through at once when the clock was set back", () => {
  const breaker = makeBreaker();
  const yearMs = 365 * 86_400_000;
  fail(breaker, { reason: "connection" });
  assertEquals(breaker.mayProbe(NOW - yearMs), true);
  fail(breaker, { reason: "connection", at: NOW - yearMs });
  assertEquals(breaker.nextProbeAt, NOW - yearMs + 2000);
  assertEquals(breaker.mayProbe(NOW - yearMs), false);
});
