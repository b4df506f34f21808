import postgres from "postgres";
import { type PostgresServer, startPostgres } from "../../tools/postgres/server.ts";

/** A place on a server that a test has for itself. */
export interface TemporaryDatabase extends AsyncDisposable {
  /** Of the role `watcher`, who owns it. */
  readonly url: string;
  /** Of the superuser. */
  readonly adminUrl: string;
  /** The schema: empty, and not in the search path unless a URL says so. */
  readonly schema: string;
  readonly server: PostgresServer;
}

export interface TemporaryDatabaseOptions {
  /**
   * A database in place of a schema, which takes some 30 ms: channels of NOTIFY and advisory locks
   * are shared by all schemas of a database. `schema` is `public` then. @default false
   */
  readonly whole?: boolean;
}

/** The server of {@linkcode temporaryDatabase}: for tests that may leave nothing, which want it to run before they begin. */
export async function sharedPostgres(): Promise<PostgresServer> {
  return (await (shared ??= share())).server;
}

/**
 * An empty schema of the server that the tests of a file share, dropped in the end. The server starts
 * at the first call and waits for no disk; it is no place for `kill()`.
 */
export async function temporaryDatabase({ whole = false }: TemporaryDatabaseOptions = {}): Promise<TemporaryDatabase> {
  const { server, admin } = await (shared ??= share());
  const name = `test_${++count}`;
  const [owner, made] = [admin("watcher"), admin(name)];
  if (whole) await admin`CREATE DATABASE ${made} OWNER ${owner}`;
  else await admin`CREATE SCHEMA ${made} AUTHORIZATION ${owner}`;
  const of = (url: string) => whole ? url.replace(/[^/]*$/, name) : url;
  return {
    url: of(server.url),
    adminUrl: of(server.adminUrl),
    schema: whole ? "public" : name,
    server,
    async [Symbol.asyncDispose]() {
      if (whole) await admin`DROP DATABASE ${made} WITH (FORCE)`;
      else await admin`DROP SCHEMA ${made} CASCADE`;
    },
  };
}

interface Shared {
  readonly server: PostgresServer;
  readonly admin: postgres.Sql;
}

let shared: Promise<Shared> | undefined;
let count = 0;

async function share(): Promise<Shared> {
  const server = await startPostgres({ fast: true });
  // A test that has left a transaction open is told so, instead of waiting for it.
  const connection = { lock_timeout: 5000, client_min_messages: "warning" };
  return { server, admin: postgres(server.adminUrl, { max: 1, connection }) };
}

Deno.test.afterAll(async () => {
  if (shared === undefined) return;
  const { server, admin } = await shared;
  await admin.end();
  await server[Symbol.asyncDispose]();
});
