import assert from "node:assert/strict";
import { ownLedger } from "../../../src/ledger/sqlite/open.ts";
import { openOperations } from "../../../src/ledger/sqlite/operations.ts";
import { openStoredLedger } from "../../../src/ledger/sqlite/stored_ledger.ts";
import type { StoredLedger } from "../../../src/model/stored_ledger.ts";
import { announceEvents, madeEvent } from "../../support/made_events.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const NEVER = new AbortController().signal;

/** Opens a ledger as the service does; `warnings` gets what it warns of. */
function open(file: string, warnings: string[] = []): StoredLedger {
  const silent = () => {};
  return openStoredLedger(file, {
    version: "0.0.0",
    announces: "",
    onRecorded: () => {},
    plugins: ["p", "q"],
    clock: new VirtualClock(),
    keepDays: 30,
    maxDelayMs: 0,
    log: { debug: silent, info: silent, warn: (text) => warnings.push(text), error: silent },
    onRescheduled: silent,
  });
}

Deno.test("openStoredLedger() locks the file until the ledger is disposed of", async () => {
  using dir = new TemporaryDirectory();
  const file = dir.path("ledger.db");
  {
    await using _ = open(file);
    assert.throws(() => ownLedger(file), /another oss-watcher uses it/);
  }
  ownLedger(file)[Symbol.dispose]();
});

Deno.test("StoredLedger counts the backlog of the configured plugins, and leaves nothing of a test write", async () => {
  using dir = new TemporaryDirectory();
  await using stored = open(dir.path("ledger.db"));
  await stored.start(NEVER);
  assert.equal(stored.trustsClock(), true);
  await stored.testWrite();
  await stored.ledger.activate(["p"]);
  await announceEvents(stored.ledger, [madeEvent("s/creation", ["s"])]);
  const backlog = await stored.count();
  assert.deepEqual([...backlog].map(([plugin, { waiting }]) => [plugin, waiting.ready]), [["p", 1], ["q", 0]]);
  assert.equal((await stored.comparisons.decisions()).oldestUndecided, null);
});

Deno.test("StoredLedger.causesOf() says which messages led to events", async () => {
  using dir = new TemporaryDirectory();
  await using stored = open(dir.path("ledger.db"));
  await stored.ledger.activate(["p"]);
  await announceEvents(stored.ledger, [madeEvent("s/creation", ["s"]), madeEvent("t/creation", ["t"])]);
  const [first, second] = await stored.ledger.ready({ plugin: "p", now: 0, limit: 2 });
  assert.ok(first && second);
  assert.deepEqual(
    await stored.causesOf([second.seq, first.seq, 4711]),
    new Map([[second.seq, `message of ${second.event.key}`], [first.seq, `message of ${first.event.key}`]]),
  );
});

Deno.test("StoredLedger.start() notices a restore, and warns of it once", async () => {
  using dir = new TemporaryDirectory();
  const [file, copy] = [dir.path("ledger.db"), dir.path("copy.db")];
  const warnings: string[] = [];
  const restoredAt = async (path: string) => {
    await using stored = open(path, warnings);
    await stored.start(NEVER);
    return stored.restoredAtMs;
  };
  assert.equal(await restoredAt(file), 0);
  {
    await using operations = openOperations(file);
    await operations.backup(copy);
  }
  const at = await restoredAt(copy);
  assert.equal(at, new VirtualClock().now());
  assert.equal(await restoredAt(copy), at);
  assert.deepEqual(warnings.map((text) => text.slice(0, 43)), ["The ledger was restored from a backup, copi"]);
});
