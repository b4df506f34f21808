import type { Clock } from "../../model/clock.ts";
import type { PluginPause } from "../../model/pause.ts";
import type { Logger } from "../../model/plugin.ts";
import type { Backlog } from "../../model/readings.ts";
import type { StoredLedger, StoredLedgerOptions } from "../../model/stored_ledger.ts";
import { SOLE_TENANCY } from "../sole_tenancy.ts";
import { BacklogCounter } from "./backlog.ts";
import { Causes } from "./causes.ts";
import { Comparisons } from "./comparisons.ts";
import type { Database } from "./database.ts";
import { Housekeeping } from "./housekeeping.ts";
import { SqliteLedger } from "./ledger.ts";
import { type OwnedLedger, ownLedger } from "./open.ts";
import { noticeRestore, restoredAtOf } from "./restored.ts";

/**
 * Opens the service's ledger in a file of SQLite, which no other service has then.
 *
 * @throws {UserError} when another service uses it, or it cannot be opened.
 */
export function openStoredLedger(file: string, options: StoredLedgerOptions): StoredLedger {
  const { log } = options;
  const owned = ownLedger(file, {
    onOlder: ({ from, to }) =>
      log.info(`Migrating the ledger from schema ${from} to schema ${to}: this takes minutes for millions of events`),
  });
  try {
    return new SqliteStoredLedger(owned, { ...options, file });
  } catch (error) {
    owned[Symbol.dispose]();
    throw error;
  }
}

class SqliteStoredLedger implements StoredLedger {
  readonly ledger: SqliteLedger;
  readonly comparisons: Comparisons;
  readonly tenancy = SOLE_TENANCY;
  readonly #owned: OwnedLedger;
  readonly #database: Database;
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #housekeeping: Housekeeping;
  readonly #backlog: BacklogCounter;
  /** Asked for traces alone. */
  #causes: Causes | undefined;
  #restoredAtMs = 0;

  constructor(owned: OwnedLedger, options: StoredLedgerOptions & { readonly file: string }) {
    const { file, plugins, clock, keepDays, maxDelayMs, log, onRescheduled } = options;
    const { database } = owned;
    this.#owned = owned;
    this.#database = database;
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    const ledger = new SqliteLedger(database, clock.now);
    this.ledger = ledger;
    this.comparisons = new Comparisons(database);
    this.#housekeeping = new Housekeeping({ database, clock, keepDays, maxDelayMs, log, onRescheduled });
    this.#backlog = new BacklogCounter({
      database,
      queueOf: (plugin) => ledger.queueOf(plugin),
      plugins,
      passedMs: () => clock.passedMs(),
    });
  }

  get restoredAtMs(): number {
    return this.#restoredAtMs;
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#housekeeping.start(signal);
    const isRestored = noticeRestore(this.#database, { file: this.#file, now: this.#clock.now() });
    this.#restoredAtMs = restoredAtOf(this.#database) ?? 0;
    if (!isRestored) return;
    this.#log.warn(
      "The ledger was restored from a backup, copied or moved: what was sent after the copy was made is not in it",
    );
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#housekeeping.run(signal);
  }

  trustsClock(): boolean {
    return this.#housekeeping.trustsClock();
  }

  // deno-lint-ignore require-await -- async turns what SQLite throws into a rejection
  async testWrite(): Promise<void> {
    this.#housekeeping.testWrite();
  }

  count(): Promise<ReadonlyMap<string, Backlog>> {
    return this.#backlog.count();
  }

  pauses(): Promise<ReadonlyMap<string, PluginPause>> {
    return this.ledger.pauses();
  }

  // deno-lint-ignore require-await -- as above
  async causesOf(seqs: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return (this.#causes ??= new Causes(this.#database)).of(seqs);
  }

  // deno-lint-ignore require-await -- as above
  async [Symbol.asyncDispose](): Promise<void> {
    this.#owned[Symbol.dispose]();
  }
}
