import assert from "node:assert/strict";
import { checkServer } from "../../../src/ledger/postgres/check_server.ts";
import { openClient } from "../../../src/ledger/postgres/open_client.ts";
import { migrate } from "../../../src/ledger/postgres/migrate.ts";
import { STEPS } from "../../../src/ledger/postgres/schema.ts";
import { UserError } from "../../../src/model/errors.ts";
import { type PostgresServer, startPostgres } from "../../../tools/postgres/server.ts";
import { ProgramDirectory, runProgram } from "../../support/program.ts";

let server = {} as PostgresServer;

Deno.test.beforeAll(async () => {
  server = await startPostgres();
});

Deno.test.afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** Its findings as `level: text`. */
async function findings(url: string, schema = "oss_watcher"): Promise<readonly string[]> {
  return (await checkServer({ url, schema })).map(({ level, key, text }) => {
    assert.equal(key, "ledger.postgres");
    return `${level}: ${text}`;
  });
}

/** Runs statements as the superuser, and others in the end. */
async function altered(statements: string, undo: string, action: () => Promise<void>): Promise<void> {
  const run = async (sql: string) => {
    for (const statement of sql.split("; ")) await server.psql(statement, { admin: true });
  };
  await run(statements);
  try {
    await action();
  } finally {
    await run(undo);
  }
}

Deno.test("checkServer() finds nothing wrong with a server that keeps what it commits", async () => {
  const [release, schema, durable, connections, ...others] = await findings(server.url);
  assert.match(release!, /^ok: PostgreSQL 1\d\./);
  assert.deepEqual([schema, durable, others], [
    'ok: the service will make the schema "oss_watcher"',
    "ok: what is committed is on disk",
    [],
  ]);
  assert.match(connections!, /^ok: \d+ of 97 connections are left; each process takes 6$/);
});

Deno.test("checkServer() knows tables of its own version, of a newer one, and a schema without", async () => {
  await server.psql("CREATE SCHEMA empty");
  assert.ok((await findings(server.url, "empty")).includes('ok: the service will make its tables in "empty"'));
  await using client = await openClient({ url: server.url, schema: "made" }, { connections: 1, answerMs: 10_000 });
  await migrate(client, { schema: "made", place: "of the test" });
  assert.ok((await findings(server.url, "made")).includes('ok: its tables are in "made"'));
  const newer = STEPS.length + 1;
  await server.psql(`INSERT INTO made.schema_version (step, oldest_beside) VALUES (${newer}, 1)`);
  assert.ok(
    (await findings(server.url, "made")).includes(
      `warning: the tables are of a newer oss-watcher (schema ${newer})`,
    ),
  );
});

Deno.test("checkServer() says which rights are missing, with the statement that gives them", async () => {
  const guest = server.url.replace(/\/\/[^@]*@/, "//guest:guest@");
  const make = "CREATE ROLE guest LOGIN PASSWORD 'guest'; CREATE SCHEMA theirs";
  await altered(make, "DROP SCHEMA theirs; DROP ROLE guest", async () => {
    assert.ok(
      (await findings(guest)).includes(
        `error: there is no schema "oss_watcher", and "guest" may not make one: CREATE SCHEMA oss_watcher AUTHORIZATION "guest"`,
      ),
    );
    const lacking =
      `error: "guest" may not make tables in the schema "theirs": GRANT USAGE, CREATE ON SCHEMA theirs TO "guest"`;
    assert.ok((await findings(guest, "theirs")).includes(lacking));
    await altered(
      `GRANT USAGE, CREATE ON SCHEMA theirs TO "guest"`,
      "REVOKE ALL ON SCHEMA theirs FROM guest",
      async () => {
        assert.ok((await findings(guest, "theirs")).includes('ok: the service will make its tables in "theirs"'));
      },
    );
    await altered("CREATE TABLE theirs.schema_version (step integer)", "DROP TABLE theirs.schema_version", async () => {
      assert.ok((await findings(guest, "theirs")).includes(lacking));
      await altered(
        "GRANT USAGE, CREATE ON SCHEMA theirs TO guest",
        "REVOKE ALL ON SCHEMA theirs FROM guest",
        async () => {
          assert.ok(
            (await findings(guest, "theirs")).includes(
              `error: "guest" may not use the tables in "theirs": GRANT ALL ON ALL TABLES IN SCHEMA theirs TO "guest"`,
            ),
          );
        },
      );
    });
  });
});

Deno.test("checkServer() tells of commits that are not on disk", async () => {
  const role = "ALTER ROLE watcher";
  await altered(`${role} SET synchronous_commit = off`, `${role} RESET synchronous_commit`, async () => {
    const told = await findings(server.url);
    assert.ok(
      told.includes(
        'warning: synchronous_commit is off: a crash of the server loses what was acknowledged last. ALTER ROLE "watcher" SET synchronous_commit = on',
      ),
      told.join("\n"),
    );
    assert.ok(!told.includes("ok: what is committed is on disk"));
  });
  await using careless = await startPostgres({ fast: true });
  const told = await findings(careless.url);
  assert.ok(
    told.includes("error: fsync is off: a crash of the server's machine destroys the ledger. Turn it on"),
    told.join("\n"),
  );
  assert.ok(told.includes("warning: full_page_writes is off: a crash of the server's machine may damage the ledger"));
});

Deno.test("checkServer() tells of few connections", async () => {
  await using small = await startPostgres({ fast: true, settings: { max_connections: 20 } });
  assert.ok(
    (await findings(small.url)).some((text) =>
      /^warning: \d+ of 17 connections are left; each process takes 6: raise max_connections$/.test(text)
    ),
  );
});

Deno.test("checkServer() tells standbys apart: asynchronous, synchronous, not to be seen, and one that is asked itself", async () => {
  await using primary = await startPostgres();
  await using standby = await startPostgres({ standbyOf: primary });
  assert.ok(
    (await findings(primary.url)).some((text) => text.startsWith("unchecked: there are standbys, and we may not see")),
  );
  await primary.psql("GRANT pg_monitor TO watcher", { admin: true });
  assert.ok(
    (await findings(primary.url)).some((text) =>
      text.startsWith("warning: no standby is synchronous: a fail-over loses what was acknowledged last")
    ),
  );
  await primary.psql(`ALTER SYSTEM SET synchronous_standby_names = '${standby.name}'`, { admin: true });
  await primary.psql("SELECT pg_reload_conf()", { admin: true });
  const query = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
  while (await primary.psql(query, { admin: true }) !== "1");
  assert.ok((await findings(primary.url)).includes("ok: a standby is synchronous"));
  assert.ok(
    (await findings(standby.url)).includes(
      "error: the server is a standby: name the primary, or all servers, in ledger.postgres.url",
    ),
  );
});

Deno.test("checkServer() rejects when nobody answers", async () => {
  await assert.rejects(checkServer({ url: server.url.replace("watcher-password", "wrong") }), UserError);
});

Deno.test("check --connect has the server's findings, also as JSON", async () => {
  using dir = new ProgramDirectory({
    "config.ts": `export default {
      events: { creation: ["compute.instance.create.end"], deletion: [] },
      plugins: [{ name: "Silent", notify() {} }],
      rabbit: { url: "amqp://127.0.0.1:1", queue: { name: "q" } },
      ledger: { postgres: { url: ${JSON.stringify(server.url)} } },
    };`,
  });
  const permissions = ["--allow-read", "--allow-env", "--allow-net", "--deny-write"];
  const run = (...args: readonly string[]) =>
    runProgram({ dir: dir.path(), args: ["check", "--connect", ...args], permissions });
  const { findings } = JSON.parse((await run("--json")).out) as {
    readonly findings: readonly { readonly level: string; readonly key: string; readonly text: string }[];
  };
  const told = findings.filter(({ key, level }) => key === "ledger.postgres" && level === "ok").map(({ text }) => text);
  assert.ok(told.includes("what is committed is on disk"), told.join("\n"));
  const { out } = await run();
  assert.match(out, /ok +ledger\.postgres: what is committed is on disk/);
  assert.ok(!out.includes("watcher-password"));
});
