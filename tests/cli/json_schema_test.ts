import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { Command } from "commander";
import { COMMANDS } from "../../src/cli/commands.ts";
import type { CommandContext } from "../../src/cli/context.ts";
import { JSON_SCHEMAS } from "../../src/cli/json_schemas.ts";
import { defineCommands } from "../../src/cli/program.ts";
import { openDatabase } from "../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { pathOf } from "../../src/cli/usage.ts";
import { assertJsonAsDocumented } from "../support/json_output.ts";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";

/** What writes files, scripts, a link or JUnit (`test`), or runs until it is stopped: no result for a program. */
const WITHOUT_JSON = [
  "init",
  "new",
  "new plugin",
  "migrate",
  "record",
  "config",
  "config schema",
  "console",
  "ledger",
  "queue",
  "queue remove",
  "completion",
  "test",
];

/** Every command by its words. */
async function commands(): Promise<ReadonlyMap<string, Command>> {
  const program = new Command("oss-watcher");
  const context = { version: "", imports: {}, terminal: { print() {}, error() {} } } as unknown as CommandContext;
  await defineCommands(program, { args: COMMANDS.map(({ name }) => name), context });
  const below = (command: Command): Command[] => [command, ...command.commands.flatMap(below)];
  return new Map(program.commands.flatMap(below).map((one) => [pathOf(one).replace(/^oss-watcher /, ""), one]));
}

Deno.test("every command has --json and a JSON Schema of it, but for those that have no result", async () => {
  const all = [...await commands()].filter(([name]) => !/^help$| help$/.test(name));
  const withJson = all.filter(([, command]) => command.options.some(({ long }) => long === "--json"));
  const names = withJson.map(([name]) => name);
  assert.deepEqual(["--dry-run", ...names].sort(), Object.keys(JSON_SCHEMAS).sort());
  assert.deepEqual(all.map(([name]) => name).filter((name) => !names.includes(name)).sort(), WITHOUT_JSON.toSorted());
});

for (const command of Object.keys(JSON_SCHEMAS)) {
  Deno.test(`${command} --json-schema prints a JSON Schema, without configuration and arguments`, async () => {
    using dir = new ProgramDirectory({});
    const args = [...(command === "--dry-run" ? [] : command.split(" ")), "--json-schema"];
    const { code, out, err } = await runProgram({ dir: dir.path(), args });
    assert.deepEqual({ code, err }, { code: 0, err: "" });
    const validate = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false }).compile(JSON.parse(out));
    assert.ok(!validate({ "no such key": 1 }));
  });
}

Deno.test("output of tests that run a command with --json is held to its JSON Schema", () => {
  assertJsonAsDocumented(["plugins", "resume", "X", "--json"], `{"plugin":"X","wasPaused":true}\n`);
  assertJsonAsDocumented(["plugins", "resume", "X"], `{"plugin":"X"}\n`);
  for (const output of [`{"plugin":"X"}\n`, `{"plugin":"X","wasPaused":true,"more":1}\n`]) {
    assert.throws(() => assertJsonAsDocumented(["plugins", "resume", "X", "--json"], output), /plugins resume --json/);
  }
});

Deno.test("commands that change deliveries and plugins tell what they did as JSON", async () => {
  using dir = new ProgramDirectory({
    "config.ts": `export default {
      events: { creation: ["compute.instance.create.end"], deletion: [] },
      plugins: [{ name: "Mine", notify() {} }],
      ledger: { file: "ledger.db" },
    };`,
  });
  const run = async (...args: readonly string[]) => {
    const { code, out, err } = await runProgram({
      dir: dir.path(),
      args: [...args, "--json"],
      permissions: READ_WRITE,
    });
    assert.ok(out !== "", err);
    return { code, json: JSON.parse(out) };
  };
  {
    using database = openDatabase(dir.path("ledger.db"), { create: true });
    const ledger = new SqliteLedger(database, Date.now);
    await ledger.activate(["Mine"]);
  }
  const paused = await run("plugins", "pause", "Mine");
  assert.deepEqual([paused.code, paused.json.plugin, paused.json.isNew], [0, "Mine", true]);
  assert.deepEqual(await run("plugins", "resume", "Mine"), { code: 0, json: { plugin: "Mine", wasPaused: true } });
  assert.deepEqual(await run("plugins", "try", "Mine"), { code: 0, json: { plugin: "Mine", waited: 0 } });
  assert.deepEqual(await run("events", "replay", "server/1/creation"), {
    code: 1,
    json: { results: [], unknown: ["server/1/creation"] },
  });
  assert.deepEqual(await run("events", "drop", "--plugin", "Mine"), { code: 0, json: { results: [], unknown: [] } });
  const copied = await run("ledger", "copy", "--from", "ledger.db", "--to", "copy.db");
  assert.deepEqual([copied.code, Object.keys(copied.json)], [0, ["from", "to", "seconds", "tables"]]);
  const { code, json } = await run("backup", "backup.db");
  assert.deepEqual({ code, json }, {
    code: 0,
    json: { file: "backup.db", bytes: Deno.statSync(dir.path("backup.db")).size },
  });
});
