import assert from "node:assert/strict";
import { dumpCommand } from "../../src/cli/dump_command.ts";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";

const LEDGER = "postgres://oss:hush@db-1:5432,db-2:5433/state";

function directory(postgres: Readonly<Record<string, unknown>>): ProgramDirectory {
  return new ProgramDirectory({
    "config.ts": `export default {
  events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
  plugins: [{ name: "Silent", notify() {} }],
  rabbit: { watchQueue: "q" },
  ledger: { postgres: ${JSON.stringify(postgres)} },
};
`,
    "ca.pem": "",
  });
}

Deno.test("backup names pg_dump for a ledger on PostgreSQL, with exit code 1 and without the password", async () => {
  using dir = directory({ url: LEDGER, schema: "own" });
  const expected = /^Cannot write the copy "copy": the ledger is on PostgreSQL\. Use pg_dump .* --file=copy postgres:/;
  for (const args of [[], ["--ledger", `${LEDGER}?schema=own`]]) {
    const { code, out, err } = await runProgram({
      dir: dir.path(),
      args: ["backup", "copy", ...args],
      permissions: READ_WRITE,
    });
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, expected);
    assert.match(err, / --schema=own /);
    assert.ok(!err.includes("hush"), err);
  }
});

Deno.test("check shows where a ledger on PostgreSQL is, and files that cannot be read", async () => {
  const check = async (postgres: Readonly<Record<string, unknown>>) => {
    using dir = directory(postgres);
    const { out } = await runProgram({ dir: dir.path(), args: ["check", "--json"], permissions: READ_WRITE });
    assert.ok(!out.includes("hush"), out);
    const { findings } = JSON.parse(out) as { findings: readonly { key: string; level: string; text: string }[] };
    return findings.filter(({ key }) => key.startsWith("ledger"));
  };
  assert.deepEqual(await check({ url: LEDGER, caFile: "ca.pem" }), [{
    level: "ok",
    key: "ledger.postgres",
    text: `"postgres://db-1:5432,db-2:5433/state", schema "oss_watcher"`,
  }]);
  const [missing, ...others] = await check({ url: LEDGER, caFile: "no-such.pem" });
  assert.deepEqual([missing?.level, missing?.key, others], ["error", "ledger.postgres.caFile", []]);
  assert.match(missing?.text ?? "", /^"\/.*\/no-such\.pem": there is no such file\. Correct it$/);
});

Deno.test("check warns of a watched queue beside a ledger that processes share", async () => {
  using dir = directory({ url: LEDGER });
  const warnings = async () => {
    const { out } = await runProgram({ dir: dir.path(), args: ["check", "--json"], permissions: READ_WRITE });
    const { findings } = JSON.parse(out) as { findings: readonly { key: string; level: string; text: string }[] };
    return findings.filter(({ key }) => key === "rabbit.watchQueue");
  };
  const [warning, ...others] = await warnings();
  assert.deepEqual([warning?.level, others], ["warning", []]);
  assert.match(warning?.text ?? "", /one consumer: further processes on ledger\.postgres cannot start/);
  const source = Deno.readTextFileSync(dir.path("config.ts"));
  dir.write("config.ts", source.replace('watchQueue: "q"', 'queue: { name: "q" }'));
  assert.deepEqual(await warnings(), []);
  dir.write("config.ts", source.replace(/ledger: .*/, 'ledger: { file: "./ledger.db" },'));
  assert.deepEqual(await warnings(), []);
});

Deno.test("complete asks no server for names", async () => {
  using dir = directory({ url: LEDGER });
  for (const args of [[], ["--ledger", LEDGER]]) {
    const { code, out, err } = await runProgram({
      dir: dir.path(),
      args: ["complete", "zsh", "--", "events", "show", ...args, ""],
      permissions: READ_WRITE,
    });
    assert.deepEqual([code, out, err], [0, "", ""]);
  }
});

Deno.test("dumpCommand() has what a shell and TLS need", () => {
  assert.equal(
    dumpCommand({ url: "postgres://o'ss:hush@db/state?sslmode=require", caFile: "/etc/my ca.pem" }, "my copy"),
    "pg_dump --format=custom --schema=oss_watcher --file='my copy' " +
      "'postgres://o'\\''ss@db:5432/state?sslmode=verify-full&sslrootcert=%2Fetc%2Fmy%20ca.pem'",
  );
});
