import { policyOf } from "../dispatch/policy.ts";
import { RetryingLedger } from "../ledger/retrying_ledger.ts";
import type { Database } from "../ledger/sqlite/database.ts";
import { Housekeeping } from "../ledger/sqlite/housekeeping.ts";
import { SqliteLedger } from "../ledger/sqlite/ledger.ts";
import { ledgerFileOf } from "../ledger/sqlite/open.ts";
import { noticeRestore, restoredAtOf } from "../ledger/sqlite/restored.ts";
import type { Logger } from "../model/plugin.ts";
import type { ServiceOptions } from "./service_options.ts";

const DAY_MS = 86_400_000;
const DEFAULT_KEEP_DAYS = 30;
/**
 * Creations from a queue are not too old before this age, whatever `keepDays` is: outages may last.
 */
const MIN_OLD_DAYS = 30;

export interface ServiceLedgerOptions {
  readonly service: ServiceOptions;
  readonly database: Database;
  /** Ends all waiting for a ledger that is unavailable. */
  readonly signal: AbortSignal;
  /** Called once when the ledger becomes unavailable. */
  readonly onDown: () => void;
  /** Called once when the ledger can be written again. */
  readonly onUp: () => void;
  /** Called when due times were brought forward. */
  readonly onRescheduled: () => void;
}

/** The service's ledger: SQLite, with retries around it and housekeeping beside it. */
export class ServiceLedger {
  readonly sqlite: SqliteLedger;
  readonly housekeeping: Housekeeping;
  /** Notices a restore, and a clock that was set, before a stage relies on the ledger. */
  async start(signal: AbortSignal): Promise<void> {
    await this.housekeeping.start(signal);
    const isRestored = noticeRestore(this.#database, { file: this.#file, now: this.#now() });
    this.#restoredAtMs = restoredAtOf(this.#database) ?? 0;
    if (!isRestored) return;
    this.#log.warn(
      "The ledger was restored from a backup, copied or moved: what was sent after the copy was made is not in it",
    );
  }

  /** When it was last restored from a backup, or copied, milliseconds since the epoch; 0: never. */
  get restoredAtMs(): number {
    return this.#restoredAtMs;
  }

  /** What the stages use. */
  readonly retrying: RetryingLedger;
  readonly #database: Database;
  readonly #file: string;
  readonly #log: Logger;
  #restoredAtMs = 0;
  readonly #now: () => number;
  readonly #keepDays: number;

  constructor({ service, database, signal, onDown, onUp, onRescheduled }: ServiceLedgerOptions) {
    const { config, plugins, clock } = service;
    const log = service.log("ledger");
    this.#database = database;
    this.#file = ledgerFileOf(config.ledger);
    this.#log = log;
    this.#now = clock.now;
    this.#keepDays = config.ledger?.keepDays ?? DEFAULT_KEEP_DAYS;
    this.sqlite = new SqliteLedger(database, clock.now);
    this.housekeeping = new Housekeeping({
      database,
      clock,
      keepDays: this.#keepDays,
      maxDelayMs: Math.max(...[...plugins.keys()].map((name) => policyOf(name, config.retry).maxDelayMs)),
      log,
      onRescheduled,
    });
    this.retrying = new RetryingLedger({
      ledger: this.sqlite,
      clock,
      signal,
      testWrite: () => this.housekeeping.testWrite(),
      onDown: ({ message }) => {
        log.error(
          `Cannot write the ledger: ${message}. Nothing is acknowledged and nothing is sent until it can be written`,
        );
        onDown();
      },
      onUp: () => {
        log.info("The ledger can be written again");
        onUp();
      },
    });
  }

  /**
   * Creations before this time (ISO 8601, UTC) count as old; `null`: none does. After a forward
   * clock jump, age limits are not applied.
   */
  oldestCreation(): string | null {
    if (!this.housekeeping.trustsClock()) return null;
    const days = Math.max(this.#keepDays, MIN_OLD_DAYS);
    return new Date(this.#now() - days * DAY_MS).toISOString();
  }
}
