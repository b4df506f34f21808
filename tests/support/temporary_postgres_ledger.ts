import type { OperatedLedger } from "../ledger/operated_ledger.ts";
import { PostgresAuditTrail } from "../../src/ledger/postgres/audit_trail.ts";
import { PostgresClient, type Queries, type Row } from "../../src/ledger/postgres/client.ts";
import { Comparisons } from "../../src/ledger/postgres/comparisons.ts";
import { openDelivered } from "../../src/ledger/postgres/delivered.ts";
import { original } from "../../src/ledger/postgres/columns.ts";
import { HeldLeases } from "../../src/ledger/postgres/held_leases.ts";
import { takeLease } from "../../src/ledger/postgres/lease_table.ts";
import { PostgresLedger } from "../../src/ledger/postgres/ledger.ts";
import { migrate } from "../../src/ledger/postgres/migrate.ts";
import { openOperations } from "../../src/ledger/postgres/operations.ts";
import { Pruner } from "../../src/ledger/postgres/prune.ts";
import type { ComparisonLedger } from "../../src/model/comparison_ledger.ts";
import type { PostgresOptions } from "../../src/model/config.ts";
import type { DeliveredLedger } from "../../src/model/delivered.ts";
import type { LedgerOperations } from "../../src/model/operations.ts";
import { postgresAddress } from "../../src/model/postgres_address.ts";
import { pluginLease } from "../../src/model/tenancy.ts";
import { type TemporaryDatabase, temporaryDatabase } from "./postgres_server.ts";

/** The connection of a test to its schema. */
export function clientOf({ url, schema }: Pick<TemporaryDatabase, "url" | "schema">): PostgresClient {
  const address = postgresAddress({ url, schema });
  return new PostgresClient({ ...address, tls: null, application: "test", answerMs: 20_000 });
}

/** Takes leases for a ledger, whoever has them. */
export async function takeLeases(
  { client, ledger, leases, id = "test" }: {
    readonly client: Queries;
    readonly ledger: PostgresLedger;
    readonly leases: HeldLeases;
    /** Of the process. */
    readonly id?: string;
  },
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    await client.rows("UPDATE lease SET holder = NULL WHERE name = $1", [name]);
    leases.begin((await takeLease(client, { name, id, leaseSeconds: 3600 }))!);
    ledger.begin(name);
  }
}

/** A ledger on PostgreSQL in a schema of its own, all of whose work is ours, and its time. */
export class TemporaryPostgresLedger implements OperatedLedger {
  readonly database: TemporaryDatabase;
  client: PostgresClient;
  ledger!: PostgresLedger;
  leases = new HeldLeases();
  now = 0;
  /** All that were ever configured. */
  readonly #plugins = new Set<string>();
  #active: readonly string[] = [];

  private constructor(database: TemporaryDatabase) {
    this.database = database;
    this.client = clientOf(database);
  }

  static async open(): Promise<TemporaryPostgresLedger> {
    return await TemporaryPostgresLedger.over(await temporaryDatabase());
  }

  /** The same in a schema that may have a ledger already. It goes with this one. */
  static async over(database: TemporaryDatabase): Promise<TemporaryPostgresLedger> {
    const opened = new TemporaryPostgresLedger(database);
    await migrate(opened.client, { schema: opened.database.schema, place: "of the test" });
    await opened.#open();
    return opened;
  }

  /** What a crash of the process, and another that takes its place, do. */
  async reopen(): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    this.client = clientOf(this.database);
    await this.#open();
  }

  /** Takes leases, whoever has them. */
  async take(...names: readonly string[]): Promise<void> {
    await takeLeases(this, names);
  }

  /** What a command of an operator opens; what it changes is noticed at once. */
  async operations(): Promise<LedgerOperations> {
    return this.#noticing(await openOperations(this.#options));
  }

  /** What `audit` opens; the same. */
  async delivered(): Promise<DeliveredLedger> {
    return this.#noticing(await openDelivered(this.#options));
  }

  get comparisons(): ComparisonLedger {
    return new Comparisons(this.client);
  }

  async markTold({ key, plugin }: { readonly key: string; readonly plugin: string }): Promise<void> {
    const number = `(SELECT id FROM plugin WHERE name = '${plugin}')`;
    await this.client.rows(`UPDATE event SET plugins = plugins || ${number} WHERE key = '${key}'`);
    await this.client.rows(`INSERT INTO delivery (seq, plugin, state, due_at, attempts, tried_ms, finished_at)
      SELECT seq, ${number}, 'done', 0, 1, 0, 0 FROM event WHERE key = '${key}'`);
    await this.#forget();
  }

  async pruneTrail(before: number): Promise<void> {
    const trail = new PostgresAuditTrail(this.client);
    while (await trail.pruneSlice(before));
  }

  async prune(before: number): Promise<void> {
    const pruner = new Pruner(this.client);
    while (await pruner.slice(before));
    await this.#forget();
  }

  /** Runs SQL, and has the ledger read again what it keeps in memory. */
  async sql(text: string): Promise<readonly Row[]> {
    const rows = await this.client.rows(text);
    await this.#forget();
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
  }

  get #options(): PostgresOptions {
    const { url, schema } = this.database;
    return { url, schema };
  }

  async #forget(): Promise<void> {
    await this.ledger.refresh(this.#active);
    await this.take("facts", ...[...this.#plugins].map(pluginLease));
  }

  /** Another process's connection, whose changes are noticed when its promises resolve. */
  #noticing<Opened extends LedgerOperations | DeliveredLedger | ComparisonLedger>(opened: Opened): Opened {
    const changing = ["replay", "drop", "tryNow", "pause", "resume", "prime", "redeliver", "record"];
    return new Proxy(opened, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name === "comparisons") return this.#noticing(value as ComparisonLedger);
        if (typeof value !== "function") return value;
        const call = (...values: readonly unknown[]): unknown => Reflect.apply(value, target, values);
        if (!changing.includes(String(name))) return call;
        return async (...values: readonly unknown[]) => {
          const result = await call(...values);
          await this.ledger.refresh(this.#active);
          this.ledger.notice();
          if (name === "prime") await this.take("facts");
          return result;
        };
      },
    });
  }

  async #open(): Promise<void> {
    this.leases = new HeldLeases();
    const { client: queries, leases } = this;
    const options = { queries, leases, now: () => this.now };
    this.ledger = await PostgresLedger.open(options);
    const activate = this.ledger.activate.bind(this.ledger);
    this.ledger.activate = async (plugins) => {
      await activate(plugins);
      this.#active = plugins;
      for (const plugin of plugins) this.#plugins.add(plugin);
      await this.take(...plugins.map(pluginLease));
    };
    for (const { name } of await queries.rows("SELECT name FROM plugin")) this.#plugins.add(original(name as string));
    await this.take("facts", ...[...this.#plugins].map(pluginLease));
  }
}
