import type { Clock } from "../../model/clock.ts";
import type { Logger } from "../../model/plugin.ts";
import { type Database, prepareAll, type Statements, transaction } from "./database.ts";
import { Pruner } from "./prune.ts";
import { OPEN, UNFINISHED } from "./states.ts";

export interface HousekeepingOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly keepDays: number;
  /** No retry waits longer than this. */
  readonly maxDelayMs: number;
  readonly log: Logger;
  /** Called when due times were changed. */
  readonly onRescheduled: () => void;
}

const ROUND_MS = 60_000;
const BETWEEN_SLICES_MS = 50;
const DAY_MS = 86_400_000;
/** Between two walks through all that is old. */
const PRUNE_EVERY_MS = 1_800_000;
/** A clock that is further off than this between two rounds was set, not slow. */
const JUMP_MS = 5 * 60_000;
/** Events whose deliveries one transaction brings forward: some milliseconds of work. */
const SLICE = 1000;

/** What keeps the ledger fit beside the stages: pruning in slices, and due times that a clock set back would put off for years. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #pruner: Pruner;
  readonly #sql: Statements<typeof STATEMENTS>;
  /** What the clocks said at the last look. */
  #looked: { readonly wall: number; readonly passed: number };
  #prunedAt = -Infinity;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#pruner = new Pruner(options.database);
    this.#sql = prepareAll(options.database, STATEMENTS);
    this.#looked = { wall: options.clock.now(), passed: options.clock.passedMs() };
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#mindClock(signal);
        await this.#prune(signal);
      } catch (error) {
        // The stages find out by themselves when the ledger cannot be written; here it only means another time.
        this.#options.log.debug(`Housekeeping is put off: ${error}`);
      }
      await clock.sleep(ROUND_MS, signal);
    }
  }

  /** Compares the clock with the ledger before anything is decided by it. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#mindClock(signal);
  }

  /** Whether the clock may be believed when it says that something is old: not for a day after it jumped ahead. */
  believesClock(): boolean {
    const { clock } = this.#options;
    const wallMs = clock.now() - this.#looked.wall;
    const passedMs = clock.passedMs() - this.#looked.passed;
    return wallMs - passedMs < JUMP_MS && !this.#isHeld(clock.now());
  }

  /** Writes more than a page and takes it back: works only where the next transactions will. */
  testWrite(): void {
    const { database } = this.#options;
    transaction(database, () => this.#sql.put.run("test", "x".repeat(TEST_LENGTH)));
    transaction(database, () => this.#sql.forget.run("test"));
  }

  /** Compares the clock with what it said a round ago, or when the last run ended. */
  async #mindClock(signal: AbortSignal): Promise<void> {
    const { clock, log, keepDays, database } = this.#options;
    const now = clock.now();
    const last = this.#fact(LAST_SEEN) ?? now;
    const ahead = now - last > keepDays * DAY_MS;
    if (ahead) {
      const days = Math.round((now - last) / DAY_MS);
      log.warn(`The clock is ${days} days ahead of the ledger's last entry: nothing is pruned for a day`);
    }
    if (last - now > JUMP_MS) {
      log.warn(`The clock was set back by ${Math.round((last - now) / 60_000)} minutes: retries are brought forward`);
      await this.#bringForward(signal);
      if (signal.aborted) return;
    }
    transaction(database, () => {
      // Kept in the file: a restart makes no clock right.
      if (ahead) this.#sql.put.run("prune_from", String(now + DAY_MS));
      this.#sql.put.run(LAST_SEEN, String(now));
    });
    this.#looked = { wall: now, passed: clock.passedMs() };
  }

  async #bringForward(signal: AbortSignal): Promise<void> {
    const { clock, database, maxDelayMs, onRescheduled } = this.#options;
    for (let after = 0;;) {
      const latest = clock.now() + maxDelayMs;
      const rows = this.#sql.open.all(after, SLICE);
      const through = Number(rows.at(-1)?.["seq"] ?? after);
      transaction(database, () => this.#sql.bringForward.run(latest, latest, after, through));
      after = through;
      if (rows.length < SLICE || signal.aborted) break;
      await clock.sleep(BETWEEN_SLICES_MS, signal);
    }
    onRescheduled();
  }

  async #prune(signal: AbortSignal): Promise<void> {
    const { clock, keepDays, database } = this.#options;
    const now = clock.now();
    if (!this.believesClock() || Math.abs(now - this.#prunedAt) < PRUNE_EVERY_MS) return;
    const before = now - keepDays * DAY_MS;
    transaction(database, () => this.#sql.putNewer.run(PRUNED_BEFORE, before));
    while (!signal.aborted && this.#pruner.slice(before)) await clock.sleep(BETWEEN_SLICES_MS, signal);
    this.#prunedAt = now;
  }

  #isHeld(now: number): boolean {
    const holdMs = (this.#fact("prune_from") ?? now) - now;
    // A longer hold is one of a clock that has been set back since.
    return holdMs > 0 && holdMs <= DAY_MS;
  }

  #fact(name: string): number | null {
    const value = this.#sql.fact.get(name)?.["value"];
    return value === undefined ? null : Number(value);
  }
}

/** The fact that says when the service last looked at the clock, to the minute: milliseconds since the epoch. */
export const LAST_SEEN = "last_seen";

/** The fact that says from when on finished events may be gone: milliseconds since the epoch. */
export const PRUNED_BEFORE = "pruned_before";

const TEST_LENGTH = 262_144;

const STATEMENTS = {
  fact: `SELECT value FROM fact WHERE name = ?`,
  put: `INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)`,
  putNewer: `INSERT INTO fact (name, value) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))`,
  forget: `DELETE FROM fact WHERE name = ?`,
  open: `SELECT seq FROM delivery AS d WHERE ${OPEN} AND seq > ?1
    UNION SELECT seq FROM delivery AS d WHERE d.state = 'queued' AND seq > max(?1, (SELECT min(queued_from) FROM plugin) - 1)
    ORDER BY seq LIMIT ?2`,
  bringForward: `UPDATE delivery AS d SET due_at = ?
    WHERE ${UNFINISHED} AND due_at > ? AND seq > ? AND seq <= ?`,
} as const;
