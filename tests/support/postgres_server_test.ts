import assert from "node:assert/strict";
import postgres from "postgres";
import { type PostgresServer, startPostgres, WATCHER } from "../../tools/postgres/server.ts";
import { TcpGate } from "../../src/testing/tcp_gate.ts";
import { temporaryDatabase } from "./postgres_server.ts";
import { tool } from "./tool.ts";
import { until } from "./until.ts";

const ADMIN = { admin: true };
const SLEEPERS = "SELECT count(*) FROM pg_stat_activity WHERE query ~ 'pg_sl' AND usename = 'watcher'";

/** What a client hears: the first column of the first row, or why not. */
async function ask(url: string, query: string, options: postgres.Options<Record<never, never>> = {}): Promise<unknown> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, ...options });
  try {
    return Object.values((await sql.unsafe(query))[0] ?? {})[0];
  } finally {
    await sql.end({ timeout: 0 });
  }
}

/** The processes of a server. */
async function processesOf({ name }: Pick<PostgresServer, "name">): Promise<number> {
  const { output } = await tool("pgrep", ["-f", `postgres.*${name}`]);
  return output.split("\n").filter((line) => line !== "").length;
}

Deno.test("startPostgres() gives a database to a role that logs in by its password and is no superuser", async () => {
  await using server = await startPostgres();
  assert.equal(await ask(server.url, "SELECT current_user || ' ' || current_database()"), "watcher watcher");
  assert.equal(await server.psql("SELECT current_user, current_setting('is_superuser')"), "watcher|off");
  assert.equal(await server.psql("SELECT current_setting('is_superuser')", ADMIN), "on");
  assert.equal(await ask(server.adminUrl, "SELECT current_setting('fsync')"), "on");
  assert.match(
    await server.psql("SELECT rolpassword FROM pg_authid WHERE rolname = 'watcher'", ADMIN),
    /^SCRAM-SHA-256/,
  );
  const wrong = server.url.replace(WATCHER.password, "wrong");
  await assert.rejects(ask(wrong, "SELECT 1"), /password authentication failed for user "watcher"/);
});

Deno.test("startPostgres() takes settings", async () => {
  const settings = { max_connections: 7, log_line_prefix: "it's " };
  await using server = await startPostgres({ fast: true, settings });
  const names = [...Object.keys(settings), "fsync"].map((name) => `current_setting('${name}')`);
  assert.equal(await server.psql(`SELECT ${names.join(", ")}`), "7|it's |off");
});

Deno.test("psql() says why a statement failed", async () => {
  const { server } = await temporaryDatabase();
  await assert.rejects(server.psql("SELECT 1; SELECT nothing"), /column "nothing" does not exist/);
});

Deno.test("kill() ends all processes at once, start() brings back what was committed", async () => {
  await using server = await startPostgres();
  await server.psql("CREATE TABLE kept (a int)");
  assert.equal(await ask(server.url, "INSERT INTO kept VALUES (1) RETURNING a"), 1);
  const lost = server.psql("BEGIN; INSERT INTO kept VALUES (2); SELECT pg_sleep(60)");
  lost.catch(() => {});
  await until(async () => await server.psql(SLEEPERS, ADMIN) === "1");
  await server.kill();
  assert.equal(await processesOf(server), 0);
  await assert.rejects(lost);
  await server.start();
  assert.equal(await server.psql("SELECT * FROM kept"), "1");
  assert.match(server.lastLog, /automatic recovery/);
});

Deno.test("stop() cuts clients off and needs no recovery afterwards", async () => {
  await using server = await startPostgres({ fast: true });
  const cut = server.psql("SELECT pg_sleep(60)").then(() => "", String);
  await until(async () => await server.psql(SLEEPERS, ADMIN) === "1");
  const before = performance.now();
  await server.stop();
  assert.ok(performance.now() - before < 5000);
  assert.match(await cut, /terminating connection/);
  await server.start();
  assert.equal(await server.psql("SELECT 1"), "1");
  assert.doesNotMatch(server.lastLog, /automatic recovery/);
});

Deno.test("freeze() leaves clients without an answer until thaw()", async () => {
  await using server = await startPostgres({ fast: true });
  const sql = postgres(server.url, { max: 1 });
  await sql`SELECT 1`;
  server.freeze();
  const [known, unknown] = [sql`SELECT 1`.then(() => "answered"), ask(server.url, "SELECT 1").then(() => "answered")];
  const silence = new Promise<string>((resolve) => setTimeout(() => resolve("silent"), 300));
  assert.equal(await Promise.race([known, unknown, silence]), "silent");
  server.thaw();
  assert.deepEqual(await Promise.all([known, unknown]), ["answered", "answered"]);
  await sql.end();
});

Deno.test("startPostgres() with TLS shows a certificate that its own authority alone vouches for", async () => {
  await using server = await startPostgres({ fast: true, tls: true });
  const query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
  assert.equal(await server.psql(query), "t");
  const ca = await Deno.readTextFile(server.caFile!);
  assert.equal(await ask(server.url, query, { ssl: { ca } }), true);
  await assert.rejects(ask(server.url, query, { ssl: "verify-full" }), /certificate/i);
  await assert.rejects(ask(server.url, query), /no pg_hba.conf entry .*no encryption/);
});

Deno.test("A synchronous standby that is promoted has every committed row", async () => {
  await using primary = await startPostgres({ tls: true, settings: { max_connections: 120 } });
  await primary.psql("CREATE TABLE kept (a int); INSERT INTO kept VALUES (1)");
  await using standby = await startPostgres({ standbyOf: primary, synchronous: true });
  assert.equal(await primary.psql("SELECT sync_state FROM pg_stat_replication", ADMIN), "sync");
  await primary.psql("INSERT INTO kept VALUES (2)");
  await primary.kill();
  await assert.rejects(standby.psql("INSERT INTO kept VALUES (3)"), /read-only transaction/);
  await standby.promote();
  // It waits for no standby of its own.
  assert.equal(
    await standby.psql("INSERT INTO kept VALUES (3); SELECT string_agg(a::text, ' ' ORDER BY a) FROM kept"),
    "1 2 3",
  );
  assert.equal(await standby.psql("SHOW max_connections"), "120");
});

Deno.test("An asynchronous standby with a slot catches up after it was away", async () => {
  await using primary = await startPostgres({ fast: true });
  await using standby = await startPostgres({ standbyOf: primary, slot: true });
  assert.equal(await primary.psql("SELECT slot_name FROM pg_replication_slots WHERE active", ADMIN), standby.name);
  await standby.stop();
  await primary.psql("CREATE TABLE kept AS SELECT 1 AS a");
  await standby.start();
  await until(async () => await standby.psql("SELECT to_regclass('kept') IS NOT NULL") === "t");
});

Deno.test("startPostgres() keeps its data where it is told", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "oss-watcher-disk-" });
  {
    await using server = await startPostgres({ fast: true, dataDir });
    assert.equal(await server.psql("SHOW data_directory", ADMIN), `${dataDir}/data`);
  }
  assert.deepEqual([...Deno.readDirSync(dataDir)], []);
  await Deno.remove(dataDir);
});

Deno.test("A server does not hear that a client has gone behind a gate that stalls", async () => {
  const { server, url } = await temporaryDatabase();
  await using gate = new TcpGate({ hostname: "127.0.0.1", port: server.port });
  const sql = postgres(url.replace(String(server.port), String(gate.port)), { max: 1 });
  const [{ pid }] = await sql`SELECT pg_backend_pid() AS pid` as unknown as [{ pid: number }];
  const count = () => server.psql(`SELECT count(*) FROM pg_stat_activity WHERE pid = ${pid}`, ADMIN);
  gate.set("stalls");
  const answer = sql`SELECT 2 AS two`.then(() => "answered", (error: Error) => error.message);
  const silence = new Promise<string>((resolve) => setTimeout(() => resolve("silent"), 200));
  assert.equal(await Promise.race([answer, silence]), "silent");
  await sql.end({ timeout: 0 });
  assert.equal(await count(), "1");
  gate.set("passes");
  await until(async () => await count() === "0");
});

for (const state of ["busy", "frozen"]) {
  Deno.test(`A server that is ${state} is gone after our process was killed`, async () => {
    const program = `
      import { startPostgres } from ${JSON.stringify(new URL("../../tools/postgres/server.ts", import.meta.url).href)};
      const server = await startPostgres({ fast: true });
      server.psql("SELECT pg_sleep(60)").catch(() => {});
      while (await server.psql(${JSON.stringify(SLEEPERS)}, { admin: true }) !== "1");
      const folder = await server.psql("SHOW data_directory", { admin: true });
      if (${state === "frozen"}) server.freeze();
      console.log(JSON.stringify({ name: server.name, folder }));
    `;
    await using child = new Deno.Command(Deno.execPath(), { args: ["eval", program], stdout: "piped" }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { name, folder } = JSON.parse((await reader.read()).value ?? "");
    assert.ok(await processesOf({ name }) > 5);
    child.kill("SIGKILL");
    await reader.cancel();
    await until(async () => await processesOf({ name }) === 0, 10_000);
    await until(() => Deno.stat(folder.replace(/\/data$/, "")).then(() => false, () => true), 10_000);
  });
}

Deno.test("temporaryDatabase() gives an empty schema that goes in the end", async () => {
  const database = await temporaryDatabase();
  const { server, schema, url } = database;
  await ask(url, `CREATE TABLE ${schema}.one (a int)`);
  await using other = await temporaryDatabase();
  assert.notEqual(other.schema, schema);
  await database[Symbol.asyncDispose]();
  assert.equal(await server.psql(`SELECT count(*) FROM pg_namespace WHERE nspname = '${schema}'`), "0");
});

Deno.test("temporaryDatabase() gives a whole database if it is asked to", async () => {
  const database = await temporaryDatabase({ whole: true });
  const { server, schema, url, adminUrl } = database;
  await ask(url, `CREATE TABLE ${schema}.one (a int)`);
  assert.equal(await ask(adminUrl, "SELECT count(*)::int FROM one"), 0);
  await assert.rejects(server.psql("SELECT * FROM one"), /does not exist/);
  await database[Symbol.asyncDispose]();
  await assert.rejects(ask(url, "SELECT 1"), /does not exist/);
});
