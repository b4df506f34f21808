import postgres from "postgres";
import { LedgerUnavailable } from "../../model/ledger.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import { isEndOfConnection, sqlStateOf, translated } from "./failure.ts";

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
 * Connections to PostgreSQL: of several servers, to the one that can be written. A statement that is
 * not answered in time ends them all: the network may have gone without a word. Whether it was
 * carried out is not known then.
 */
export class PostgresClient implements Queries, AsyncDisposable {
  readonly #options: PostgresClientOptions;
  /** `null`: to be connected by the next call. */
  #link: Promise<Link> | null = null;
  readonly #listeners: Listener[] = [];
  #isClosed = false;

  constructor(options: PostgresClientOptions) {
    this.#options = options;
  }

  rows(sql: string, parameters: readonly Parameter[] = []): Promise<readonly Row[]> {
    return this.#answered(({ pool }) => run(pool, sql, parameters));
  }

  /** Runs SQL text of any number of statements, without values. */
  async script(sql: string): Promise<void> {
    await this.#answered(({ pool }) => pool.unsafe(sql).simple());
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
    const { server } = await this.#answered((link) => Promise.resolve(link));
    const pool = this.#open(server, { connections: 1, waitMs, onClose: () => isLost = true });
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
    await this.#answered(({ pool }) => pool.listen(channel, onNotify, onListening));
    this.#listeners.push({ channel, onNotify, onListening });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const closed = this.#link?.then(({ pool }) => pool.end({ timeout: CLOSE_SECONDS }));
    // A server that is being looked for may not answer.
    await this.#within(closed ?? Promise.resolve(), 2 * CLOSE_SECONDS * 1000).catch(() => {});
  }

  #open(
    { host, port }: Server,
    { connections, waitMs = this.#options.answerMs, onClose }: {
      readonly connections: number;
      readonly waitMs?: number;
      readonly onClose?: () => void;
    },
  ): Pool {
    const { database, user, password, tls, schema, application, answerMs, hosts } = this.#options;
    return postgres({
      host,
      port,
      database,
      user,
      pass: password,
      ssl: tls === null ? false : { ...tls },
      max: connections,
      connect_timeout: Math.ceil(answerMs / 1000 / hosts.length),
      // Between two attempts to connect, seconds.
      backoff: () => 0.2,
      max_lifetime: null,
      keep_alive: 10,
      fetch_types: false,
      types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
      connection: {
        application_name: application,
        search_path: `"${schema}"`,
        // What is given up must end on the server, too: its locks would stop who tries again.
        statement_timeout: waitMs,
        // The network may go in the middle of a transaction: its locks must not stay.
        idle_in_transaction_session_timeout: answerMs,
        // The same for a connection whose other end is gone, milliseconds.
        tcp_user_timeout: answerMs,
      },
      onnotice: () => {},
      ...(onClose === undefined ? {} : { onclose: onClose }),
    } as unknown as postgres.Options<Record<string, never>>);
  }

  async #answered<Result>(ask: (link: Link) => PromiseLike<Result>): Promise<Result> {
    if (this.#isClosed) throw new LedgerUnavailable("the connections to PostgreSQL are closed");
    const link = this.#link ??= this.#connect();
    try {
      return await this.#within(link.then(ask), this.#options.answerMs);
    } catch (error) {
      // Other statements on the same connection might get what is left of its answers.
      if (sqlStateOf(error) === null || isEndOfConnection(error)) this.#giveUp(link);
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

  /** Gives up connections, so that the next call makes new ones. Whoever waits on them is told. */
  #giveUp(link: Promise<Link>): void {
    if (this.#isClosed || this.#link !== link) return;
    this.#link = null;
    link.then(({ pool }) => pool.end({ timeout: 0 })).catch(() => {});
    // Who listens makes no calls.
    if (this.#listeners.length > 0) this.#link = this.#connect();
  }

  /** Connects to the server that can be written. @throws {LedgerUnavailable} when there is none. */
  #connect(): Promise<Link> {
    const link: Promise<Link> = this.#findServer().then((server) => {
      const connections = this.#options.connections ?? DEFAULT_CONNECTIONS;
      // Of several servers, the one that has lost a connection may not be the primary any more.
      const onClose = this.#options.hosts.length > 1 ? { onClose: () => this.#giveUp(link) } : {};
      const pool = this.#open(server, { connections, ...onClose });
      void this.#listenOn(pool);
      return { server, pool };
    });
    link.catch(() => {
      if (this.#link === link) this.#link = null;
    });
    return link;
  }

  async #findServer(): Promise<Server> {
    const { hosts, ports } = this.#options;
    const servers = hosts.map((host, index) => ({ host, port: ports[index] as number }));
    const [first] = servers;
    if (first !== undefined && servers.length === 1) return first;
    const reasons: string[] = [];
    let cause: unknown;
    for (const server of servers) {
      try {
        if (await this.#isWritable(server)) return server;
        reasons.push(`${server.host}:${server.port} is a standby`);
      } catch (error) {
        cause = error;
        reasons.push(`${server.host}:${server.port}: ${error instanceof Error ? error.message : error}`);
      }
    }
    throw new LedgerUnavailable(`no server can be written: ${reasons.join("; ")}`, { cause });
  }

  async #isWritable(server: Server): Promise<boolean> {
    const pool = this.#open(server, { connections: 1 });
    try {
      const [row] = await run(pool, IS_WRITABLE, []);
      return row?.["writable"] === true;
    } finally {
      await pool.end({ timeout: 0 });
    }
  }

  async #listenOn(pool: Pool): Promise<void> {
    for (const { channel, onNotify, onListening } of this.#listeners) {
      // What is not heard is noticed by looking now and then.
      await pool.listen(channel, onNotify, onListening).catch(() => {});
    }
  }
}

/** Not by the library's `target_session_attrs`: version 3.4.9 uses standbys, and tries without a pause. */
const IS_WRITABLE =
  "SELECT NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off' AS writable";

interface Server {
  readonly host: string;
  readonly port: number;
}

/** Connections to one server. */
interface Link {
  readonly server: Server;
  readonly pool: Pool;
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
  const rows = await pool.unsafe<Row[]>(sql, [...parameters] as never[], { prepare: true, simple: false } as never);
  // Version 3.4.9 leaves places free for the rows of an answer in whose middle the connection was lost.
  return rows.length === 0 || 0 in rows ? rows : rows.filter(() => true);
}

/** How long statements in flight may take to end, seconds. */
const CLOSE_SECONDS = 2;
