import type { Clock } from "../../model/clock.ts";
import type { Logger } from "../../model/plugin.ts";
import { told } from "./channel.ts";
import type { PostgresClient } from "./client.ts";
import {
  BETWEEN_SLICES_MS,
  DAY_MS,
  JUMP_MS,
  PRUNE_EVERY_MS,
  ROUND_MS,
  trailPrunedBefore,
} from "../housekeeping_times.ts";
import { PostgresAuditTrail } from "./audit_trail.ts";
import { Pruner } from "./prune.ts";
import { saveQueueStarts } from "./queue_starts.ts";

export interface HousekeepingOptions {
  readonly client: PostgresClient;
  readonly clock: Clock;
  readonly keepDays: number;
  /** The longest delay of any plugin's retry policy. */
  readonly maxDelayMs: number;
  readonly log: Logger;
}

/** Characters of a test write: they do not compress. */
const TEST_LENGTH = 65_536;

/**
 * Background work on the ledger: prunes old rows in slices, and protects due times and pruning
 * against a system clock that is set back or jumps ahead. Each process watches its own clock; the
 * holder of lease `housekeeping` prunes.
 */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #pruner: Pruner;
  readonly #trail: PostgresAuditTrail;
  /** The system clock and the monotonic clock, when they were last compared. */
  #compared: { readonly wall: number; readonly passed: number };
  /** Until when nothing is pruned; milliseconds since the epoch. */
  #heldUntil: number | null = null;
  #prunedAt = -Infinity;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#pruner = new Pruner(options.client);
    this.#trail = new PostgresAuditTrail(options.client);
    this.#compared = { wall: options.clock.now(), passed: options.clock.passedMs() };
  }

  /** Compares the system clock with the ledger, before a stage relies on it. */
  async start(): Promise<void> {
    await this.#compareClock(await this.#lastSeen());
  }

  /** Watches the system clock of a process, in rounds of 1 minute until the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    await this.#rounds(signal, async () => {
      const { wall, passed } = this.#compared;
      await this.#compareClock(wall + clock.passedMs() - passed);
    });
  }

  /** The work of lease `housekeeping`, in rounds of 1 minute until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#rounds(signal, async () => {
      await this.#compareClock(await this.#lastSeen());
      await this.#put(LAST_SEEN, this.#options.clock.now());
      await this.#prune(signal);
    });
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

  /** Writes 64 KiB and deletes it: works only if there is space for the next transactions. */
  async testWrite(): Promise<void> {
    const text = crypto.getRandomValues(new Uint8Array(TEST_LENGTH / 2)).toHex();
    await this.#options.client.transaction(async (queries) => {
      await queries.rows(PUT, ["test", text]);
      await queries.rows("DELETE FROM fact WHERE name = 'test'");
    });
  }

  async #rounds(signal: AbortSignal, round: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        await round();
      } catch (error) {
        // The stages report a ledger that cannot be written. Here it only costs this round.
        log.debug(`Housekeeping is postponed by a minute: ${error}`);
      }
      await clock.sleep(ROUND_MS, signal);
    }
  }

  /** Compares the system clock with a time that has passed: of the last round, or of an earlier run. */
  async #compareClock(last: number): Promise<void> {
    const { clock, log, keepDays } = this.#options;
    const now = clock.now();
    if (now - last > keepDays * DAY_MS) {
      const days = Math.round((now - last) / DAY_MS);
      log.warn(`The clock is ${days} days ahead of the ledger's last entry: nothing is pruned for a day`);
      // Kept in the ledger, since a restart does not correct a clock.
      await this.#put(PRUNE_FROM, now + DAY_MS);
    }
    if (last - now > JUMP_MS) {
      log.warn(`The clock was set back by ${Math.round((last - now) / 60_000)} minutes: retries are brought forward`);
      await this.#bringForward(now);
    }
    this.#heldUntil = await this.#fact(PRUNE_FROM);
    this.#compared = { wall: now, passed: clock.passedMs() };
  }

  async #bringForward(now: number): Promise<void> {
    const { client, maxDelayMs } = this.#options;
    await client.rows(BRING_FORWARD, [now + maxDelayMs]);
  }

  async #prune(signal: AbortSignal): Promise<void> {
    const { clock, keepDays, client } = this.#options;
    const now = clock.now();
    if (!this.trustsClock() || Math.abs(now - this.#prunedAt) < PRUNE_EVERY_MS) return;
    const before = now - keepDays * DAY_MS;
    await client.rows(PUT_NEWER, [PRUNED_BEFORE, before]);
    await saveQueueStarts(client);
    while (!signal.aborted && await this.#pruner.slice(before)) await clock.sleep(BETWEEN_SLICES_MS, signal);
    const trailBefore = trailPrunedBefore(now, keepDays);
    while (!signal.aborted && await this.#trail.pruneSlice(trailBefore)) await clock.sleep(BETWEEN_SLICES_MS, signal);
    this.#prunedAt = now;
  }

  /** Whether pruning is suspended, for a day after a forward jump. */
  #isHeld(now: number): boolean {
    const holdMs = (this.#heldUntil ?? now) - now;
    // A longer suspension was written before the clock was set back.
    return holdMs > 0 && holdMs <= DAY_MS;
  }

  async #lastSeen(): Promise<number> {
    return await this.#fact(LAST_SEEN) ?? this.#options.clock.now();
  }

  async #fact(name: string): Promise<number | null> {
    const [row] = await this.#options.client.rows("SELECT value FROM fact WHERE name = $1", [name]);
    return row === undefined ? null : Number(row["value"]);
  }

  async #put(name: string, value: number): Promise<void> {
    await this.#options.client.rows(PUT, [name, String(value)]);
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

/** Row of table `fact`: until when nothing is pruned. */
const PRUNE_FROM = "prune_from";

const PUT = "INSERT INTO fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

const PUT_NEWER = `INSERT INTO fact (name, value) VALUES ($1, $2::bigint::text) ON CONFLICT (name)
  DO UPDATE SET value = greatest(fact.value::bigint, excluded.value::bigint)::text`;

/** Those without a row are due at once. */
const BRING_FORWARD = `WITH brought AS (
    UPDATE delivery SET due_at = $1::bigint WHERE state = 'open' AND due_at > $1::bigint RETURNING plugin),
  changed AS (UPDATE plugin SET changes = changes + 1 WHERE id IN (SELECT plugin FROM brought) RETURNING 1),
  one AS (SELECT 1 FROM changed LIMIT 1)
  SELECT ${told("changed")} FROM one`;
