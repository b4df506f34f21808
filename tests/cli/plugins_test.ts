import assert from "node:assert/strict";
import { describePlugins } from "../../src/cli/plugins_text.ts";
import { openDatabase } from "../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { openOperations } from "../../src/ledger/sqlite/operations.ts";
import { announceEvents, madeEvent } from "../support/made_events.ts";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";

Deno.test("plugins does not call the target of a plugin ok that the service runs without, nor tries it", async () => {
  using dir = new ProgramDirectory({});
  const file = dir.path("ledger.db");
  {
    using database = openDatabase(file, { create: true });
    const ledger = new SqliteLedger(database, Date.now);
    await ledger.activate(["Old", "New"]);
    await announceEvents(ledger, [madeEvent("s/creation", ["s"])]);
    // The next start, without it.
    await ledger.activate(["New"]);
  }
  {
    using operations = openOperations(file);
    const now = Date.now();
    const lines = describePlugins(operations.pluginStates(), { seenAt: now, now }).split("\n");
    assert.match(lines[1] ?? "", /^New +0 +1 +0 +0 {2}ok$/);
    assert.match(lines[2] ?? "", /^Old +0 +1 +0 +0 {2}not in config\.ts$/);
  }
  const plugins = (...args: readonly string[]) =>
    runProgram({ dir: dir.path(), args: ["plugins", ...args, "--ledger", file], permissions: READ_WRITE });
  const tried = await plugins("try", "Old");
  assert.equal(tried.code, 1);
  assert.match(tried.err, /^Cannot try the plugin "Old": the service runs without it\./);
  assert.equal((await plugins("try", "New")).code, 0);
});
