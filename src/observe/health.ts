import type { Clock } from "../model/clock.ts";
import type { LoopHeartbeat } from "../model/loop_heartbeat.ts";
import type { Readings } from "../model/readings.ts";

export interface HealthOptions {
  /** Whether the ledger can be written, and which sources are consumed. */
  readonly readings: Pick<Readings, "ledgerWritable" | "sources">;
  /** The heartbeats of the stages' loops, by name. */
  readonly heartbeats: ReadonlyMap<string, LoopHeartbeat>;
  readonly clock: Clock;
}

const CHECK_EVERY_MS = 5_000;

/**
 * An iteration of any loop takes milliseconds. A loop that finished none in this many checks
 * (1 minute) is stuck.
 */
const STUCK_CHECKS = 12;

/** Liveness and readiness of the service. Only observes. */
export class Health {
  readonly #options: HealthOptions;
  readonly #seen = new Map<string, { readonly beats: number; readonly looks: number }>();

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /**
   * Checks the loops until the signal aborts. Checks are counted, not time: on a busy or suspended
   * machine no stage must seem stuck.
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.look();
      await this.#options.clock.sleep(CHECK_EVERY_MS, signal);
    }
  }

  /** Checks all loops once. */
  look(): void {
    const { heartbeats, readings } = this.#options;
    for (const [name, { beats, isIdle }] of heartbeats) {
      const before = this.#seen.get(name);
      // A loop that waits for a full disk is not stuck, and a restart would not help.
      const moved = isIdle || beats !== before?.beats || !readings.ledgerWritable();
      this.#seen.set(name, { beats, looks: moved ? 0 : (before?.looks ?? 0) + 1 });
    }
  }

  /** Liveness: reasons to restart the service; empty if there are none. */
  livenessProblems(): readonly string[] {
    const stuck = [...this.#seen].filter(([, { looks }]) => looks >= STUCK_CHECKS);
    return stuck.map(([name]) => `${name} has not moved for a minute`);
  }

  /**
   * Readiness: what prevents consuming and recording; empty if nothing does. Unavailable targets do
   * not count.
   */
  readinessProblems(): readonly string[] {
    const { readings } = this.#options;
    const idle = readings.sources().flatMap(({ connected, consuming }, index) => {
      if (consuming) return [];
      return [`source ${index}: ${connected ? "connected, not consuming" : "not connected"}`];
    });
    return [...idle, ...readings.ledgerWritable() ? [] : ["the ledger cannot be written"]];
  }
}
