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
  readonly #listeners: Listener[] = [];
  #isClosed = false;

  constructor(options: PostgresClientOptions) {
    this.#options = options;
    this.#pool = this.#openAll();
  }

  rows(sql: string, parameters: readonly Parameter[] = []): Promise<readonly Row[]> {
    return this.#answered(run(this.#pool, sql, parameters));
  }

  /** Runs SQL text of any number of statements, without values. */
  async script(sql: string): Promise<void> {
    await this.#answered(this.#pool.unsafe(sql).simple());
  }

  /**
   * Runs statements in one transaction, on a connection of its own. `action` is called once, and must
   * await what it runs.
   *
   * The library's own transactions are not used: when the server dies in one, version 3.4.9 throws
   * where nobody can catch it.
   *
   * @param options `waitMs`: the longest time for all of it. @default `answerMs`
   */
  async transaction<Result>(
    action: (queries: Queries) => Promise<Result>,
    { waitMs = this.#options.answerMs }: { readonly waitMs?: number } = {},
  ): Promise<Result> {
    let isLost = false;
    const pool = this.#open({ connections: 1, onClose: () => isLost = true });
    const rows = async (sql: string, parameters: readonly Parameter[] = []) => {
      // A statement on the next connection would be outside of the transaction.
      if (isLost) throw new LedgerUnavailable("the connection was lost in the middle of a transaction");
      return await run(pool, sql, parameters);
    };
    const running = async () => {
      await rows("BEGIN");
      const result = await action({ rows });
      await rows("COMMIT");
      return result;
    };
    try {
      return await this.#within(running(), waitMs);
    } catch (error) {
      throw translated(error);
    } finally {
      // An open transaction is rolled back with its connection.
      await pool.end({ timeout: 0 });
    }
  }

  /**
   * Calls back for each NOTIFY on a channel, and each time after the connection was lost and is
   * there again.
   */
  async listen(channel: string, onNotify: (payload: string) => void, onListening: () => void): Promise<void> {
    this.#listeners.push({ channel, onNotify, onListening });
    await this.#answered(this.#pool.listen(channel, onNotify, onListening));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#pool.end({ timeout: CLOSE_SECONDS });
  }

  #open({ connections, onClose }: { readonly connections: number; readonly onClose?: () => void }): Pool {
    const { hosts, ports, database, user, password, tls, schema, application } = this.#options;
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
        // The same for a connection whose other end is gone, milliseconds.
        tcp_user_timeout: this.#options.answerMs,
      },
      onnotice: () => {},
      ...(onClose === undefined ? {} : { onclose: onClose }),
    } as unknown as postgres.Options<Record<string, never>>);
  }

  async #answered<Result>(answer: PromiseLike<Result>): Promise<Result> {
    const pool = this.#pool;
    try {
      return await this.#within(answer, this.#options.answerMs);
    } catch (error) {
      if (error instanceof NoAnswer) this.#replace(pool);
      throw translated(error);
    }
  }

  /** @throws {NoAnswer} when that takes too long. */
  async #within<Result>(answer: PromiseLike<Result>, waitMs: number): Promise<Result> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new NoAnswer(`PostgreSQL has not answered within ${waitMs} ms`)), waitMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Gives up connections that do not answer. Whoever waits on them is told. */
  #replace(pool: Pool): void {
    if (this.#isClosed || this.#pool !== pool) return;
    this.#pool = this.#openAll();
    void pool.end({ timeout: 0 });
    void this.#listenAgain();
  }

  #openAll(): Pool {
    return this.#open({ connections: this.#options.connections ?? DEFAULT_CONNECTIONS });
  }

  async #listenAgain(): Promise<void> {
    const pool = this.#pool;
    for (const { channel, onNotify, onListening } of this.#listeners) {
      // What is not heard is noticed by looking now and then.
      await pool.listen(channel, onNotify, onListening).catch(() => {});
    }
  }
}

/** There was no answer in time: whether the statement was carried out is not known. */
class NoAnswer extends LedgerUnavailable {}

interface Listener {
  readonly channel: string;
  readonly onNotify: (payload: string) => void;
  readonly onListening: () => void;
}

const DEFAULT_CONNECTIONS = 4;

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
