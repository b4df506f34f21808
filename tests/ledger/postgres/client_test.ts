import assert from "node:assert/strict";
import { type ConnectionOptions } from "../../../src/ledger/postgres/connection_options.ts";
import { PostgresClient } from "../../../src/ledger/postgres/client.ts";
import { LedgerUnavailable } from "../../../src/model/ledger.ts";
import { postgresAddress } from "../../../src/model/postgres_address.ts";
import { freePorts } from "../../../tools/free_ports.ts";
import { startPostgres } from "../../../tools/postgres/server.ts";
import { sharedPostgres, temporaryDatabase } from "../../support/postgres_server.ts";
import { until } from "../../support/until.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

const ANSWER_MS = 20_000;

function clientTo(
  url: string,
  options: Partial<ConnectionOptions & { answerMs: number; connections: number }> = {},
): PostgresClient {
  return new PostgresClient({
    ...postgresAddress({ url, schema: "public" }),
    tls: null,
    application: "test",
    answerMs: ANSWER_MS,
    ...options,
  });
}

/** The URL with other servers before the one that it names. */
function after(url: string, ...ports: readonly number[]): string {
  return url.replace(/@([^/]*)/, (_, host) => `@${[...ports.map((port) => `127.0.0.1:${port}`), host].join(",")}`);
}

Deno.test("of several servers that refuse, the error names each, at once", async () => {
  const [first, second] = freePorts(2);
  await using client = clientTo(`postgres://u:p@127.0.0.1:${first},127.0.0.1:${second}/db`);
  await assert.rejects(client.rows("SELECT 1"), (error: unknown) => {
    assert.ok(error instanceof LedgerUnavailable);
    assert.match(error.message, new RegExp(`127.0.0.1:${first}.*refused.*127.0.0.1:${second}.*refused`, "i"));
    assert.doesNotMatch(error.message, /has not answered/);
    return true;
  });
});

Deno.test("of several servers, one that refuses is passed over", async () => {
  await using database = await temporaryDatabase();
  const [refusing] = freePorts(1);
  await using client = clientTo(after(database.url, refusing!));
  assert.deepEqual((await client.rows("SELECT 1 AS one")).map((row) => ({ ...row })), [{ one: 1 }]);
  const inside = await client.transaction(async (queries) => await queries.rows("SELECT 2 AS two"));
  assert.deepEqual(inside.map((row) => ({ ...row })), [{ two: 2 }]);
});

Deno.test("a standby is never used: neither first, nor after connections were lost, nor alone", async () => {
  await using primary = await startPostgres();
  await using standby = await startPostgres({ standbyOf: primary });
  const standbyAlone = primary.url.replace(/@[^/]*/, `@127.0.0.1:${standby.port},127.0.0.1:${standby.port}`);
  await using onlyStandby = clientTo(standbyAlone);
  await assert.rejects(onlyStandby.rows("SELECT 1"), /is a standby/);

  await using client = clientTo(after(primary.url, standby.port));
  const isStandby = async () => (await client.rows("SELECT pg_is_in_recovery() AS yes"))[0]?.["yes"];
  assert.equal(await isStandby(), false);
  await primary.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test'", {
    admin: true,
  });
  await until(() => client.rows("SELECT 1").then(() => true, () => false));
  assert.equal(await isStandby(), false);
  await standby.promote();
  await primary[Symbol.asyncDispose]();
  await until(() => client.rows("SELECT 1").then(() => true, () => false));
  assert.equal(await isStandby(), false);
});

Deno.test("after a change of servers, what is told is heard again", async () => {
  await using primary = await startPostgres();
  await using standby = await startPostgres({ standbyOf: primary });
  await using client = clientTo(after(primary.url, standby.port));
  const heard: string[] = [];
  let listening = 0;
  await client.listen("news", (payload) => heard.push(payload), () => listening++);
  assert.equal(listening, 1);
  await standby.promote();
  await primary[Symbol.asyncDispose]();
  await until(() => client.rows("SELECT 1").then(() => true, () => false));
  await until(() => listening > 1);
  await client.rows("SELECT pg_notify('news', 'after')");
  await until(() => heard.includes("after"));
});

Deno.test("after a server was away while calls failed, what is told is heard again", async () => {
  await using server = await startPostgres({ fast: true });
  await using client = clientTo(server.url);
  const heard: string[] = [];
  await client.listen("news", (payload) => heard.push(payload), () => {});
  await server.kill();
  for (let calls = 0; calls < 3; calls++) await assert.rejects(client.rows("SELECT 1"), LedgerUnavailable);
  await server.start();
  await until(() => client.rows("SELECT 1").then(() => true, () => false));
  await until(async () => {
    await client.rows("SELECT pg_notify('news', 'after')");
    return heard.includes("after");
  });
});

Deno.test("a statement that is given up ends on the server, too: its locks do not stay", async () => {
  await using database = await temporaryDatabase();
  await using hasty = clientTo(database.url, { answerMs: 1000 });
  await using other = clientTo(database.url);
  await assert.rejects(hasty.rows("SELECT pg_sleep(3600), 'endless'"), LedgerUnavailable);
  const running =
    "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%endless%' AND pid <> pg_backend_pid()";
  await until(async () => (await other.rows(running)).length === 0);
});

Deno.test("after a connection was lost in the middle of an answer, the next answer is whole", async () => {
  await using database = await temporaryDatabase();
  await using client = clientTo(database.url, { connections: 1 });
  await using other = clientTo(database.url);
  // Each row is sent at once: it is larger than what the server collects.
  const slow = client.rows("SELECT repeat('x', 20000) AS cut_off, pg_sleep(0.05) FROM generate_series(1, 10000)");
  slow.catch(() => {});
  const kill =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%cut_off%' AND pid <> pg_backend_pid()";
  await until(async () =>
    (await other.rows(
      "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%cut_off%' AND now() - query_start > '1 s' AND pid <> pg_backend_pid()",
    )).length > 0
  );
  await other.rows(kill);
  await assert.rejects(slow, LedgerUnavailable);
  const rows = await until(() => client.rows("SELECT 1 AS one").catch(() => null));
  assert.equal(rows[0]?.["one"], 1);
});
