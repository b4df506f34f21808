import type { FailureReason } from "../model/errors.ts";
import { delayMs, type Policy } from "./policy.ts";

export type BreakerState = "closed" | "open";

/**
 * Circuit breaker of one plugin. It opens at once on connection errors and refused credentials, and
 * on `breakerFailures` failures in a row that concern at least two servers. While it is open, one
 * delivery at a time is attempted, as a probe; a probe that the target answers closes the breaker.
 * The caller takes the delivery that has waited longest as the next probe, so probes rotate.
 */
export class Breaker {
  readonly #policy: Policy;
  readonly #random: () => number;
  #state: BreakerState = "closed";
  #failures = 0;
  readonly #failedServers = new Set<string | null>();
  #probes = 0;
  #openedAt = 0;
  #failedAt = 0;
  #nextProbeAt = 0;

  constructor(policy: Policy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** When it opened, milliseconds since the epoch; meaningless while closed. */
  get openedAt(): number {
    return this.#openedAt;
  }

  /** When the next probe may be sent, milliseconds since the epoch; meaningless while closed. */
  get nextProbeAt(): number {
    return this.#nextProbeAt;
  }

  /** Whether a probe may be sent. If the clock was set back, it may: the stored times are void. */
  mayProbe(now: number): boolean {
    return now >= this.#nextProbeAt || now < this.#failedAt;
  }

  /** Allows a probe at once: an operator says that the target is back. */
  probeNow(): void {
    this.#nextProbeAt = 0;
  }

  /** The target works: it accepted an event, or refused this one event for good. */
  succeeded(): void {
    this.#state = "closed";
    this.#failures = 0;
    this.#failedServers.clear();
    this.#probes = 0;
  }

  /** An attempt failed and will be retried. */
  failed(
    { reason, serverId, at, retryAfterMs }: {
      readonly reason: FailureReason;
      readonly serverId: string | null;
      readonly at: number;
      readonly retryAfterMs: number;
    },
  ): void {
    this.#failures++;
    // Two are enough to decide; a larger set would only grow.
    if (this.#failedServers.size < 2) this.#failedServers.add(serverId);
    const many = this.#failures >= this.#policy.breakerFailures && this.#failedServers.size >= 2;
    if (this.#state === "closed" && !many && reason !== "connection" && reason !== "unauthorized") return;
    if (this.#state === "open" && !this.mayProbe(at)) return;
    if (this.#state === "closed") this.#openedAt = at;
    this.#state = "open";
    this.#probes++;
    const delay = delayMs(this.#policy, { failures: this.#probes, random: this.#random });
    this.#failedAt = at;
    this.#nextProbeAt = at + Math.max(delay, retryAfterMs);
  }
}
