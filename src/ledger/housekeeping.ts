import type { Clock } from "../model/clock.ts";
import type { Logger } from "../model/plugin.ts";
import { type Database, prepareAll, type Statements, transaction } from "./sqlite.ts";
import { Pruner } from "./sqlite_prune.ts";

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
/** A clock that is further off than this between two rounds was set, not slow. */
const JUMP_MS = 5 * 60_000;

/** What keeps the ledger fit beside the stages: pruning in slices, and due times that a clock set back would put off for years. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #pruner: Pruner;
  readonly #sql: Statements<typeof STATEMENTS>;
  #pruneAgainAt = 0;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#pruner = new Pruner(options.database);
    this.#sql = prepareAll(options.database, STATEMENTS);
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      try {
        this.#minded();
        await this.#prune(signal);
      } catch (error) {
        // The stages find out by themselves when the ledger cannot be written; here it only means another time.
        this.#options.log.debug(`Housekeeping is put off: ${error}`);
      }
      await clock.sleep(ROUND_MS, signal);
    }
  }

  /** Writes more than a page and takes it back: works only where the next transactions will. */
  testWrite(): void {
    const { database } = this.#options;
    transaction(database, () => this.#sql.putTest.run());
    transaction(database, () => this.#sql.takeTest.run());
  }

  /** Compares the clock with what it said a round ago, or when the last run ended. */
  #minded(): void {
    const { clock, log, maxDelayMs, keepDays, onRescheduled, database } = this.#options;
    const now = clock.now();
    const last = Number(this.#sql.lastSeen.get()?.["value"] ?? now);
    transaction(database, () => this.#sql.seen.run(String(now)));
    if (now - last > keepDays * DAY_MS) {
      log.warn(
        `The clock is ${
          Math.round((now - last) / DAY_MS)
        } days ahead of the ledger's last entry: nothing is pruned for a day`,
      );
      this.#pruneAgainAt = now + DAY_MS;
    }
    if (last - now > JUMP_MS) {
      log.warn(`The clock was set back by ${Math.round((last - now) / 60_000)} minutes: retries are brought forward`);
      transaction(database, () => this.#sql.bringForward.run(now + maxDelayMs, now + maxDelayMs));
      this.#pruneAgainAt = 0;
      onRescheduled();
    }
  }

  async #prune(signal: AbortSignal): Promise<void> {
    const { clock, keepDays } = this.#options;
    const now = clock.now();
    if (now < this.#pruneAgainAt) return;
    while (!signal.aborted && this.#pruner.slice(now - keepDays * DAY_MS)) await clock.sleep(BETWEEN_SLICES_MS, signal);
  }
}

const STATEMENTS = {
  lastSeen: `SELECT value FROM fact WHERE name = 'last_seen'`,
  seen: `INSERT OR REPLACE INTO fact (name, value) VALUES ('last_seen', ?)`,
  bringForward: `UPDATE delivery SET due_at = ? WHERE state IN ('new', 'blocked', 'ready') AND due_at > ?`,
  putTest: `INSERT OR REPLACE INTO fact (name, value) VALUES ('test', hex(zeroblob(131072)))`,
  takeTest: `DELETE FROM fact WHERE name = 'test'`,
} as const;
