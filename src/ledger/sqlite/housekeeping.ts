import type { Clock } from "../../model/clock.ts";
import type { Logger } from "../../model/plugin.ts";
import { type Database, prepareAll, type Statements, transaction } from "./database.ts";
import {
  BETWEEN_SLICES_MS,
  DAY_MS,
  JUMP_MS,
  PRUNE_EVERY_MS,
  ROUND_MS,
  trailPrunedBefore,
} from "../housekeeping_times.ts";
import { SqliteAuditTrail } from "./audit_trail.ts";
import { Pruner } from "./prune.ts";
import { OPEN, UNFINISHED } from "./delivery_states.ts";

export interface HousekeepingOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly keepDays: number;
  /** The longest delay of any plugin's retry policy. */
  readonly maxDelayMs: number;
  readonly log: Logger;
  /** Called when due times were brought forward. */
  readonly onRescheduled: () => void;
}

/** Events whose deliveries one transaction reschedules: some milliseconds of work. */
const SLICE = 1000;

/**
 * Background work on the ledger: prunes old rows in slices, and protects due times and pruning
 * against a system clock that is set back or jumps ahead.
 */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #pruner: Pruner;
  readonly #trail: SqliteAuditTrail;
  readonly #sql: Statements<typeof STATEMENTS>;
  /** The system clock and the monotonic clock, when they were last compared. */
  #compared: { readonly wall: number; readonly passed: number };
  #prunedAt = -Infinity;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#pruner = new Pruner(options.database);
    this.#trail = new SqliteAuditTrail(options.database);
    this.#sql = prepareAll(options.database, STATEMENTS);
    this.#compared = { wall: options.clock.now(), passed: options.clock.passedMs() };
  }

  /** Works in rounds of 1 minute until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#compareClock(signal);
        await this.#prune(signal);
      } catch (error) {
        // The stages report a ledger that cannot be written. Here it only costs this round.
        this.#options.log.debug(`Housekeeping is postponed by a minute: ${error}`);
      }
      await clock.sleep(ROUND_MS, signal);
    }
  }

  /** Compares the system clock with the ledger, before a stage relies on it. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#compareClock(signal);
  }

  /**
   * Whether age limits may be applied: `false` for a day after a forward jump of the system clock.
   */
  trustsClock(): boolean {
    const { clock } = this.#options;
    const wallMs = clock.now() - this.#compared.wall;
    const passedMs = clock.passedMs() - this.#compared.passed;
    return wallMs - passedMs < JUMP_MS && !this.#isHeld(clock.now());
  }

  /** Writes 256 KiB and deletes it: works only if there is space for the next transactions. */
  testWrite(): void {
    const { database } = this.#options;
    transaction(database, () => this.#sql.put.run("test", "x".repeat(TEST_LENGTH)));
    transaction(database, () => this.#sql.forget.run("test"));
  }

  /** Compares the system clock with the time of the last round, of this run or an earlier one. */
  async #compareClock(signal: AbortSignal): Promise<void> {
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
      // Kept in the file, since a restart does not correct a clock.
      if (ahead) this.#sql.put.run("prune_from", String(now + DAY_MS));
      this.#sql.put.run(LAST_SEEN, String(now));
    });
    this.#compared = { wall: now, passed: clock.passedMs() };
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
    if (!this.trustsClock() || Math.abs(now - this.#prunedAt) < PRUNE_EVERY_MS) return;
    const before = now - keepDays * DAY_MS;
    transaction(database, () => this.#sql.putNewer.run(PRUNED_BEFORE, before));
    while (!signal.aborted && this.#pruner.slice(before)) await clock.sleep(BETWEEN_SLICES_MS, signal);
    const trailBefore = trailPrunedBefore(now, keepDays);
    while (!signal.aborted && this.#trail.pruneSlice(trailBefore)) await clock.sleep(BETWEEN_SLICES_MS, signal);
    this.#prunedAt = now;
  }

  /** Whether pruning is suspended, for a day after a forward jump. */
  #isHeld(now: number): boolean {
    const holdMs = (this.#fact("prune_from") ?? now) - now;
    // A longer suspension was written before the clock was set back.
    return holdMs > 0 && holdMs <= DAY_MS;
  }

  #fact(name: string): number | null {
    const value = this.#sql.fact.get(name)?.["value"];
    return value === undefined ? null : Number(value);
  }
}

/**
 * Row of table `fact`: when the service last worked, to the minute; milliseconds since the epoch.
 */
export const LAST_SEEN = "last_seen";

/**
 * Row of table `fact`: finished events older than this may be pruned; milliseconds since the epoch.
 */
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
