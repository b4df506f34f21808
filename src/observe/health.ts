import type { Clock } from "../model/clock.ts";
import type { LoopHeartbeat } from "../model/loop_heartbeat.ts";
import type { Readings } from "../model/readings.ts";

export interface HealthOptions {
  /** Whether the ledger can be written, and who consumes. */
  readonly readings: Pick<Readings, "ledgerWritable" | "sources">;
  /** The loops of the stages by their names. */
  readonly heartbeats: ReadonlyMap<string, LoopHeartbeat>;
  readonly clock: Clock;
}

const LOOK_EVERY_MS = 5_000;

/** A turn of any loop takes milliseconds: after so many looks without one it will not come any more. */
const STUCK_LOOKS = 12;

/** Whether the service lives, and whether it does its work. It only looks. */
export class Health {
  readonly #options: HealthOptions;
  readonly #seen = new Map<string, { readonly beats: number; readonly looks: number }>();

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** Looks until the signal aborts. By the clock alone a busy or halted machine would look like a stage that is stuck. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.look();
      await this.#options.clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  /** Looks at all loops once. */
  look(): void {
    const { heartbeats, readings } = this.#options;
    for (const [name, { beats, isIdle }] of heartbeats) {
      const before = this.#seen.get(name);
      // What waits for a full disk is not stuck, and a restart would not mend it.
      const moved = isIdle || beats !== before?.beats || !readings.ledgerWritable();
      this.#seen.set(name, { beats, looks: moved ? 0 : (before?.looks ?? 0) + 1 });
    }
  }

  /** Why the service should be restarted; empty when it lives. */
  ailments(): readonly string[] {
    const stuck = [...this.#seen].filter(([, { looks }]) => looks >= STUCK_LOOKS);
    return stuck.map(([name]) => `${name} has not moved for a minute`);
  }

  /** What keeps it from its work; empty when it consumes and records. A target that is down is its own affair. */
  obstacles(): readonly string[] {
    const { readings } = this.#options;
    const idle = readings.sources().flatMap(({ connected, consuming }, index) => {
      if (consuming) return [];
      return [`source ${index}: ${connected ? "connected, not consuming" : "not connected"}`];
    });
    return [...idle, ...readings.ledgerWritable() ? [] : ["the ledger cannot be written"]];
  }
}
