import type { ComparisonLedger } from "../../model/comparison_ledger.ts";
import type { PostgresOptions } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import type { PluginPause } from "../../model/pause.ts";
import { postgresAddress } from "../../model/postgres_address.ts";
import type { Backlog } from "../../model/readings.ts";
import type { StoredLedger, StoredLedgerOptions } from "../../model/stored_ledger.ts";
import { HOUSEKEEPING, type Tenancy } from "../../model/tenancy.ts";
import { hostName } from "../host_name.ts";
import type { PostgresClient } from "./client.ts";
import { Comparisons } from "./comparisons.ts";
import { BEING_COPIED, isBeingCopied, refuseCopies } from "./copy_lease.ts";
import { differencesOf } from "./differences.ts";
import { HeldLeases } from "./held_leases.ts";
import { Housekeeping } from "./housekeeping.ts";
import { BacklogCounter } from "./backlog.ts";
import { causesOf } from "./causes.ts";
import { Leases } from "./leases.ts";
import type { Seen } from "./lease_table.ts";
import { PostgresLedger } from "./ledger.ts";
import { migrate, schemaState, whyTooOld } from "./migrate.ts";
import { openClient, placeOf, unopenable } from "./open_client.ts";
import { noticeRestore } from "./restored.ts";
import { POSTGRES_DEFAULTS } from "../../model/config_defaults.ts";

/** Connections: recording, deciding, settling, reading; and one that listens. */
const CONNECTIONS = 5;

/** Looks at the leases between two looks at the version of the tables. */
const LOOKS_PER_VERSION = 10;

/**
 * Opens the service's ledger in a database of PostgreSQL, beside other processes. Makes the schema
 * and its tables where they are missing.
 *
 * @throws {UserError} when it cannot be opened.
 */
export async function openStoredLedger(
  postgres: PostgresOptions,
  options: StoredLedgerOptions,
): Promise<StoredLedger> {
  const { leaseSeconds = POSTGRES_DEFAULTS.leaseSeconds } = postgres;
  const place = placeOf(postgres);
  // A call must have failed before the lease that allows it is over.
  const client = await openClient(postgres, { connections: CONNECTIONS, answerMs: leaseSeconds * 1000 });
  try {
    await migrate(client, {
      schema: postgresAddress(postgres).schema,
      place,
      onOlder: ({ from, to }) => options.log.info(`Migrating the ledger from schema ${from} to schema ${to}`),
    });
    await refuseCopies(client, place);
    const held = new HeldLeases();
    const others = { isThere: false };
    const ledger = await PostgresLedger.open({
      queries: client,
      now: options.clock.now,
      leases: held,
      hasOthers: () => others.isThere,
      onCommitted: options.onRescheduled,
    });
    return new PostgresStoredLedger({ postgres, options, leaseSeconds, place, client, ledger, held, others });
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw unopenable(place, error);
  }
}

interface Parts {
  readonly postgres: PostgresOptions;
  readonly options: StoredLedgerOptions;
  readonly leaseSeconds: number;
  readonly place: string;
  readonly client: PostgresClient;
  readonly ledger: PostgresLedger;
  readonly held: HeldLeases;
  readonly others: { isThere: boolean };
}

class PostgresStoredLedger implements StoredLedger {
  readonly ledger: PostgresLedger;
  readonly comparisons: ComparisonLedger;
  readonly #parts: Parts;
  readonly #leases: Leases;
  readonly #housekeeping: Housekeeping;
  readonly #backlog: BacklogCounter;
  /** Ends the renewal of leases, after all that they allow has ended. */
  readonly #closing = new AbortController();
  #renewing: Promise<void> = Promise.resolve();
  #restoredAtMs = 0;
  /** `null`: not known yet. */
  #cluster: string | null = null;
  #looks = 0;
  /** What was told of processes whose configuration differs. */
  #toldDifferences = "";

  constructor(parts: Parts) {
    const { postgres, options, leaseSeconds, client, ledger, held } = parts;
    const { plugins, version, announces, clock, log, keepDays, maxDelayMs } = options;
    this.#parts = parts;
    this.ledger = ledger;
    this.comparisons = new Comparisons(client);
    this.#housekeeping = new Housekeeping({ client, clock, keepDays, maxDelayMs, log });
    const queueOf = (plugin: string) => Promise.resolve(ledger.stateOf(plugin));
    this.#backlog = new BacklogCounter({ queries: client, queueOf, plugins, passedMs: () => clock.passedMs() });
    const name = postgres.processName ?? hostName();
    this.#leases = new Leases({
      queries: client,
      held,
      clock,
      log,
      leaseSeconds,
      self: { id: crypto.randomUUID(), name, version, plugins, events: announces },
      onBegin: (lease) => ledger.begin(lease),
      onEnd: (lease) => ledger.end(lease),
      onSeen: (seen) => this.#seen(seen),
    });
  }

  get tenancy(): Tenancy {
    return this.#leases;
  }

  get restoredAtMs(): number {
    return this.#restoredAtMs;
  }

  async start(): Promise<void> {
    try {
      await this.#begin();
    } catch (error) {
      throw unopenable(this.#parts.place, error);
    }
  }

  async #begin(): Promise<void> {
    const { client, place, postgres } = this.#parts;
    // In this order: a command that copies takes its lease, and then looks who is there.
    await this.#leases.register();
    await refuseCopies(client, place);
    await this.#housekeeping.start();
    await this.#noticeRestore();
    await client.listen(postgresAddress(postgres).schema, (what) => this.#told(what), () => this.#told("events"));
    this.#renewing = this.#leases.run(this.#closing.signal);
    // Told by run().
    this.#renewing.catch(() => {});
  }

  async run(signal: AbortSignal): Promise<void> {
    const housekeeping = this.#leases.hold(HOUSEKEEPING, ({ ending }) => this.#housekeeping.run(ending), signal);
    const work = Promise.all([housekeeping, this.#housekeeping.watch(signal), ended(signal)]);
    // Ends before the others only when we must stop.
    await Promise.race([work, this.#renewing]);
    await work;
  }

  trustsClock(): boolean {
    return this.#housekeeping.trustsClock();
  }

  testWrite(): Promise<void> {
    return this.#housekeeping.testWrite();
  }

  count(): Promise<ReadonlyMap<string, Backlog>> {
    return this.#backlog.count();
  }

  pauses(): Promise<ReadonlyMap<string, PluginPause>> {
    return Promise.resolve(this.ledger.pauses());
  }

  causesOf(seqs: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return causesOf(this.#parts.client, seqs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { client } = this.#parts;
    this.#closing.abort();
    await this.#renewing.catch(() => {});
    // Others see at the latest by its silence that it has ended.
    await this.#leases.leave().catch(() => {});
    await client[Symbol.asyncDispose]();
  }

  /** Another process, or a command, says that it has written. */
  #told(what: string): void {
    const { options: { onRescheduled, onRecorded }, ledger } = this.#parts;
    // The look at the leases also finds what operators' commands have changed.
    if (what === "leases" || what === "changed") return this.#leases.notice();
    ledger.notice();
    if (what === "recorded") onRecorded();
    else onRescheduled();
  }

  async #noticeRestore(): Promise<void> {
    const { client, options: { clock, log } } = this.#parts;
    const { isRestored, restoredAt } = await noticeRestore(client, clock.now());
    const isNew = isRestored || (restoredAt ?? 0) > this.#restoredAtMs && this.#cluster !== null;
    this.#restoredAtMs = restoredAt ?? 0;
    if (!isNew) return;
    log.warn(
      "The ledger was restored from a backup, or its server has failed over: what was committed last may not be in it",
    );
  }

  /** Another server answers, or the same from an earlier time: what is in memory may not be in its tables. */
  async #noticeCluster({ cluster }: Seen): Promise<void> {
    if (cluster === this.#cluster) return;
    if (this.#cluster !== null) {
      await this.#noticeRestore();
      this.#parts.ledger.restored();
    }
    this.#cluster = cluster;
  }

  async #seen(seen: Seen): Promise<void> {
    if (isBeingCopied(seen.leases)) {
      // The process was asleep, and counted as ended.
      throw new UserError(`Cannot go on with the ledger ${this.#parts.place}: ${BEING_COPIED}`);
    }
    await this.#noticeCluster(seen);
    const { ledger, others, client, place, options: { onRecorded, onRescheduled } } = this.#parts;
    const { self } = this.#leases;
    others.isThere = seen.processes.some(({ isLiving, id }) => isLiving && id !== self.id);
    const plugins = new Set([...self.plugins, ...seen.processes.flatMap((process) => process.plugins)]);
    const hasChanged = await ledger.refresh([...plugins]);
    if (hasChanged) onRescheduled();
    // What was not heard of is noticed so: also the last words of a process that has ended meanwhile.
    ledger.notice();
    onRecorded();
    this.#tellDifferences(seen);
    if (this.#looks++ % LOOKS_PER_VERSION > 0) return;
    const why = whyTooOld(await schemaState(client));
    if (why !== null) throw new UserError(`Cannot go on with the ledger ${place}: ${why}`);
  }

  #tellDifferences(seen: Seen): void {
    const { log } = this.#parts.options;
    const differences = differencesOf(this.#leases.self, seen.processes);
    const told = differences.join("\n");
    if (told === this.#toldDifferences) return;
    this.#toldDifferences = told;
    if (differences.length === 0) log.info("The configurations of all processes agree");
    for (const difference of differences) log.warn(difference);
  }
}

function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
