import postgres from "postgres";
import { LedgerUnavailable } from "../../model/ledger.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import { translated } from "./failure.ts";

/** A value of a statement. Numbers are integers below 2^53. */
export type Parameter = string | number | boolean | null | Uint8Array;

/** A row, by the names of its columns. `bigint` is a number, an array is PostgreSQL's text of it. */
export type Row = Readonly<Record<string, unknown>>;

/** Runs statements, each of which is prepared once per connection. */
export interface Queries {
  /** @throws {LedgerUnavailable} when there is no answer, or waiting may help. */
  rows(sql: string, parameters?: readonly Parameter[]): Promise<readonly Row[]>;
}

export interface PostgresClientOptions extends ConnectionOptions {
  /** Connections at most, without the one that listens. @default 4 */
  readonly connections?: number;
  /** The longest time without an answer, milliseconds. Nothing that this client runs takes as long. */
  readonly answerMs: number;
}

/**
 * Connections to PostgreSQL. A statement that is not answered in time ends them all: the network may
 * have gone without a word. Whether it was carried out is not known then.
 */
export class PostgresClient implements Queries, AsyncDisposable {
  readonly #options: PostgresClientOptions;
  #pool: Pool;
  #isClosed = false;

  constructor(options: PostgresClientOptions) {
    this.#options = options;
    this.#pool = this.#open();
  }

  rows(sql: string, parameters: readonly Parameter[] = []): Promise<readonly Row[]> {
    return this.#answered(run(this.#pool, sql, parameters));
  }

  /** Runs SQL text of any number of statements, without values. */
  async script(sql: string): Promise<void> {
    await this.#answered(this.#pool.unsafe(sql).simple());
  }

  /**
   * Runs statements in one transaction. `action` may be called only once, and must await what it runs.
   *
   * @param options `waitMs`: the longest time for all of it. @default `answerMs`
   */
  async transaction<Result>(
    action: (queries: Queries & Pick<PostgresClient, "script">) => Promise<Result>,
    { waitMs = this.#options.answerMs }: { readonly waitMs?: number } = {},
  ): Promise<Result> {
    const running = this.#pool.begin((transaction) =>
      action({
        rows: (sql, parameters = []) => run(transaction, sql, parameters),
        script: async (sql) => {
          await transaction.unsafe(sql).simple();
        },
      })
    );
    return await this.#answered(running as Promise<Result>, waitMs);
  }

  /**
   * Calls back for each NOTIFY on a channel, and each time after the connection was lost and is
   * there again.
   */
  async listen(channel: string, onNotify: (payload: string) => void, onListening: () => void): Promise<void> {
    await this.#answered(this.#pool.listen(channel, onNotify, onListening));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#pool.end({ timeout: CLOSE_SECONDS });
  }

  #open(): Pool {
    const { hosts, ports, database, user, password, tls, schema, application, connections = 4 } = this.#options;
    return postgres({
      host: [...hosts],
      port: [...ports],
      database,
      user,
      pass: password,
      ssl: tls === null ? false : { ...tls },
      max: connections,
      connect_timeout: Math.ceil(this.#options.answerMs / 1000),
      // Between two attempts to connect, seconds.
      backoff: () => 0.2,
      max_lifetime: null,
      keep_alive: 10,
      fetch_types: false,
      ...(hosts.length > 1 ? { target_session_attrs: "read-write" } : {}),
      types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
      connection: {
        application_name: application,
        search_path: `"${schema}"`,
        // The network may go in the middle of a transaction: its locks must not stay.
        idle_in_transaction_session_timeout: this.#options.answerMs,
      },
      onnotice: () => {},
    } as unknown as postgres.Options<Record<string, never>>);
  }

  async #answered<Result>(answer: PromiseLike<Result>, waitMs = this.#options.answerMs): Promise<Result> {
    const pool = this.#pool;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new LedgerUnavailable(`PostgreSQL has not answered within ${waitMs} ms`)),
        waitMs,
      );
    });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      if (error instanceof LedgerUnavailable) this.#replace(pool);
      throw translated(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Gives up connections that do not answer. Whoever waits on them is told. */
  #replace(pool: Pool): void {
    if (this.#isClosed || this.#pool !== pool) return;
    this.#pool = this.#open();
    void pool.end({ timeout: 0 });
  }
}

type Pool = postgres.Sql;

async function run(
  pool: Pool | postgres.TransactionSql,
  sql: string,
  parameters: readonly Parameter[],
): Promise<readonly Row[]> {
  return await pool.unsafe<Row[]>(sql, [...parameters] as never[], { prepare: true, simple: false } as never);
}

/** How long statements in flight may take to end, seconds. */
const CLOSE_SECONDS = 2;
