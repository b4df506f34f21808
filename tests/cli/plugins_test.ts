import assert from "node:assert/strict";
import { describePlugins } from "../../src/cli/plugins_text.ts";
import { openDatabase } from "../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { openOperations } from "../../src/ledger/sqlite/operations.ts";
import type { FailureReason } from "../../src/model/errors.ts";
import { announceEvents, madeEvent } from "../support/made_events.ts";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";

Deno.test("plugins says of a target that is reached and not usable what it does", () => {
  const now = Date.now();
  const target = (reason: FailureReason) => {
    const outage = { since: now - 100_000, nextProbeAt: now + 12_000, reason, error: "e" };
    const deliveries = { waiting: 0, retrying: 1, done: 0, skipped: 0, dead: 0, dropped: 0 };
    const states = [{ plugin: "P", deliveries, isConfigured: true, outage, paused: null }];
    return describePlugins(states, { seenAt: now, now }).split("\n").slice(1).map((line) =>
      line.replace(/^P .* 0 {2}/, "")
    );
  };
  const next = "  next probe in 12 s: e";
  assert.deepEqual(target("connection"), ["away for 1 min 40 s", next]);
  assert.deepEqual(target("unauthorized"), ["refuses the credentials for 1 min 40 s", next]);
  assert.deepEqual(target("server_error"), ["fails for 1 min 40 s", next]);
});

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
    await using operations = openOperations(file);
    const now = Date.now();
    const lines = describePlugins(await operations.pluginStates(), { seenAt: now, now }).split("\n");
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
