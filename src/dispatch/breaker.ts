import type { FailureReason } from "../model/errors.ts";
import { delayMs, type Policy } from "./policy.ts";

export type BreakerState = "closed" | "open";

/**
 * Keeps a plugin whose target is not there from hammering it: trips on connection errors and refused credentials at once, and on failures in
 * a row from at least two servers. While it is open one delivery at a time is tried, as a probe; what the probe meets decides. The caller
 * takes the delivery that has waited longest as the next probe, so probes rotate over what waits.
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

  /** Whether a probe may be sent. A clock that was set back makes nobody wait for the time before. */
  mayProbe(now: number): boolean {
    return now >= this.#nextProbeAt || now < this.#failedAt;
  }

  /** Lets a probe through at once: an operator knows that the target is back. */
  probeNow(): void {
    this.#nextProbeAt = 0;
  }

  /** The target answered sensibly, even if it refused this one event for good. */
  succeeded(): void {
    this.#state = "closed";
    this.#failures = 0;
    this.#failedServers.clear();
    this.#probes = 0;
  }

  failed(
    { reason, serverId, at, retryAfterMs }: {
      readonly reason: FailureReason;
      readonly serverId: string | null;
      readonly at: number;
      readonly retryAfterMs: number;
    },
  ): void {
    this.#failures++;
    // Two are enough to know; more would only grow.
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
