import type { Delivery } from "../model/ledger.ts";
import type { Failure } from "./failure.ts";
import { delayMs, type Policy } from "./policy.ts";

/** What becomes of a delivery after an attempt. */
export interface Verdict {
  readonly outcome: "done" | "retry" | "dead" | "interrupted";
  /** When to retry, milliseconds since the epoch; for `retry`. */
  readonly dueAt: number;
  /** How long the delivery has been retried while its target was reachable. */
  readonly triedMs: number;
}

export interface VerdictOptions {
  readonly failure: Failure;
  /** Whether the attempt was a probe of an open circuit breaker. */
  readonly probe: boolean;
  /** When the open circuit breaker lets the next probe through; `null`: it is closed. */
  readonly nextProbeAt: number | null;
  /** When the last pause of the plugin ended, milliseconds since the epoch; `null`: there was none. */
  readonly resumedAt: number | null;
  readonly endedAt: number;
  readonly policy: Policy;
  readonly random: () => number;
}

/** The verdict on an attempt that succeeded. */
export const DONE: Verdict = { outcome: "done", dueAt: 0, triedMs: 0 };

/**
 * Decides whether and when to retry a failed attempt. Only time in which the target was attempted
 * counts towards the maximum age: neither the time before the first attempt nor the time while the
 * breaker was open or the plugin was paused.
 */
export function verdictOf(
  { attempts, triedMs, lastAttemptAt }: Pick<Delivery, "attempts" | "triedMs" | "lastAttemptAt">,
  { failure, probe, nextProbeAt, resumedAt, endedAt, policy, random }: VerdictOptions,
): Verdict {
  if (failure.reason === "interrupted") return { outcome: "interrupted", dueAt: 0, triedMs };
  const isFirstSincePause = resumedAt !== null && lastAttemptAt !== null && lastAttemptAt < resumedAt;
  const elapsedMs = lastAttemptAt === null || probe || isFirstSincePause ? 0 : endedAt - lastAttemptAt;
  // A clock that jumps, or days in which the service did not run, must not count.
  const longestMs = policy.maxDelayMs + policy.attemptTimeoutMs + failure.retryAfterMs;
  const tried = triedMs + Math.max(0, Math.min(elapsedMs, longestMs));
  if (failure.permanent || tried >= policy.maxAgeMs) return { outcome: "dead", dueAt: 0, triedMs: tried };
  const dueAt = endedAt + Math.max(delayMs(policy, { failures: attempts + 1, random }), failure.retryAfterMs);
  // A probe must find a delivery that is due.
  const probeAt = nextProbeAt === null ? Infinity : Math.max(nextProbeAt, endedAt + failure.retryAfterMs);
  return { outcome: "retry", dueAt: Math.min(dueAt, probeAt), triedMs: tried };
}
