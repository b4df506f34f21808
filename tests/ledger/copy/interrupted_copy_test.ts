import assert from "node:assert/strict";
import { copyLedger, type CopyProgress } from "../../../src/ledger/copy/copy_ledger.ts";
import { openCopySource, openCopyTarget, openDelivered, openOperations } from "../../../src/ledger/open_ledger.ts";
import { openDatabase } from "../../../src/ledger/sqlite/database.ts";
import type { StoredLedger } from "../../../src/model/stored_ledger.ts";
import { openStoredLedger } from "../../../src/ledger/open_ledger.ts";
import { copyBetween, KINDS, neutralRows, type TestPlace, testPlace } from "../../support/copied_ledgers.ts";
import { writeHistory } from "../../support/ledger_history.ts";
import { decideEvents, madeEvent, madeNotification } from "../../support/made_events.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";
import { clientOf } from "../../support/temporary_postgres_ledger.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

const UNFINISHED = /is an unfinished copy of ".*Finish it with the same "oss-watcher ledger copy", or remove it$/;

class Crash extends Error {}

/** Copies until so many states of progress were told; whatever comes behind is not done. */
async function crashing(from: TestPlace, to: TestPlace, after: number): Promise<"crashed" | "done"> {
  let left = after;
  const onProgress = () => {
    if (left-- === 0) throw new Crash();
  };
  try {
    await copyBetween(from, to, { onProgress });
    return "done";
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return "crashed";
  }
}

/** Opens a ledger as the service does. */
async function openService({ place }: TestPlace): Promise<StoredLedger> {
  const silent = () => {};
  return await openStoredLedger(place, {
    version: "0.0.0",
    announces: "",
    plugins: ["a"],
    clock: new VirtualClock(),
    keepDays: 30,
    maxDelayMs: 0,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    onRescheduled: silent,
    onRecorded: silent,
  });
}

/** What the service says, if it does not start. */
async function refusalOf(place: TestPlace): Promise<string | null> {
  try {
    await using stored = await openService(place);
    await stored.start(new AbortController().signal);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Runs SQL on the tables of a ledger, past all that keeps them in order. */
async function tamper({ place }: TestPlace, sql: string): Promise<void> {
  if ("file" in place) {
    const database = openDatabase(place.file, { create: false, isCopied: true });
    database.exec(sql);
    database.close();
  } else {
    await using client = clientOf({ url: place.postgres.url, schema: place.postgres.schema! });
    await client.rows(sql);
  }
}

const OTHER = { SQLite: "PostgreSQL", PostgreSQL: "SQLite" } as const;

for (const from of KINDS) {
  const to = OTHER[from];

  Deno.test(`copyLedger() from ${from} to ${to} goes on wherever it was interrupted`, async () => {
    await using source = await testPlace(from);
    await writeHistory(source, "x");
    const rows = await neutralRows(source);
    await using target = await testPlace(to);
    let crashes = 0;
    // Each run comes one step further than the one before.
    while (await crashing(source, target, 1 + crashes) === "crashed") {
      crashes++;
      assert.match(await refusalOf(target) ?? "", UNFINISHED);
      await assert.rejects(openOperations(target.place), UNFINISHED);
      await assert.rejects(openDelivered(target.place), UNFINISHED);
    }
    assert.ok(crashes > 8, String(crashes));
    assert.deepEqual(await neutralRows(target), rows);
    assert.equal(await refusalOf(target), null);
  });

  Deno.test(`copyLedger() from ${from} to ${to} stops at a signal, and says how it goes on`, async () => {
    await using source = await testPlace(from);
    await writeHistory(source, "x");
    await using target = await testPlace(to);
    const stop = new AbortController();
    const onProgress = ({ table }: CopyProgress) => table === "server" && stop.abort();
    const said = /^UserError: Interrupted: ".* is an unfinished copy\. The same command goes on with it$/;
    await assert.rejects(copyBetween(source, target, { signal: stop.signal, onProgress }), said);
    let isResumed = false;
    await copyBetween(source, target, { onResumed: () => isResumed = true });
    assert.ok(isResumed);
    assert.deepEqual(await neutralRows(target), await neutralRows(source));
  });

  Deno.test(`copyLedger() from ${from} to ${to} begins again when the source has changed since`, async () => {
    await using source = await testPlace(from);
    await writeHistory(source, "x");
    await using target = await testPlace(to);
    assert.equal(await crashing(source, target, 9), "crashed");
    {
      await using opened = await source.open();
      await opened.ledger.record([{ receivedAt: 1, notification: madeNotification("meanwhile") }]);
    }
    const told: string[] = [];
    await copyBetween(source, target, {
      onResumed: () => told.push("resumed"),
      onBeganAgain: () => told.push("began again"),
    });
    assert.deepEqual(told, ["began again"]);
    assert.deepEqual(await neutralRows(target), await neutralRows(source));
  });

  Deno.test(`copyLedger() from ${from} to ${to} names the table that differs, and leaves the copy marked`, async () => {
    await using source = await testPlace(from);
    await writeHistory(source, "x");
    await using target = await testPlace(to);
    const isVerifying = ({ step }: CopyProgress) => step === "verify";
    let steps = 0;
    await assert.rejects(copyBetween(source, target, {
      onProgress: (progress) => {
        if (isVerifying(progress)) throw new Crash();
        steps++;
      },
    }));
    assert.ok(steps > 0);
    await tamper(target, "UPDATE server SET deleted_at = 1 WHERE id = 's1'");
    const differs = /its table "server" differs from the source's, 4 rows .* instead of 4 rows .*Remove the copy/;
    await assert.rejects(copyBetween(source, target), differs);
    assert.match(await refusalOf(target) ?? "", UNFINISHED);
    await tamper(target, "UPDATE server SET deleted_at = NULL WHERE id = 's1'");
    await copyBetween(source, target);
    assert.equal(await refusalOf(target), null);
  });

  Deno.test(`copyLedger() refuses a place on ${to} that is not empty, or is the unfinished copy of another`, async () => {
    await using source = await testPlace(from);
    await writeHistory(source, "x");
    await using other = await testPlace(from);
    await writeHistory(other, "y");
    await using filled = await testPlace(to);
    {
      await using opened = await filled.open();
      await opened.ledger.activate(["z"]);
    }
    await using third = await testPlace(to);
    // A service that was started without a message has left nothing.
    await copyBetween(source, filled);
    await assert.rejects(
      copyBetween(source, filled),
      /the second is not empty, it has rows in table "event"\. Name an/,
    );
    assert.equal(await crashing(source, third, 5), "crashed");
    await assert.rejects(copyBetween(other, third), /the second is an unfinished copy of .*\. Finish that, or remove/);
    await using fourth = await testPlace(from);
    await assert.rejects(copyBetween(third, fourth), /the first is an unfinished copy of/);
  });

  Deno.test(`openCopySource() and openCopyTarget() refuse a ledger on ${from} while a service runs`, async () => {
    await using place = await testPlace(from);
    {
      await using opened = await place.open();
      await decideEvents(opened.ledger, [madeEvent("s/creation", ["s"])]);
    }
    {
      await using service = await openService(place);
      await service.start(new AbortController().signal);
      const runs = from === "SQLite" ? /another oss-watcher uses it/ : /the service runs with it: ".+"\. Stop it first/;
      await assert.rejects(async () => await openCopySource(place.place), runs);
      await assert.rejects(async () => await openCopyTarget(place.place), runs);
    }
    for (const open of [openCopySource, openCopyTarget]) {
      await using _ = await open(place.place);
      assert.match(await refusalOf(place) ?? "", /another oss-watcher uses it|"oss-watcher ledger copy" is copying it/);
    }
    assert.equal(await refusalOf(place), null);
  });
}

Deno.test("openCopySource() makes nothing where there is no ledger", async () => {
  await using place = await testPlace("SQLite");
  const file = `${(place.place as { readonly file: string }).file}.d/ledger.db`;
  await assert.rejects(openCopySource({ file }), /it is not there\. Is the path right\?/);
  assert.throws(() => Deno.statSync(`${file}.lock`), Deno.errors.NotFound);
  await using empty = await testPlace("PostgreSQL");
  await assert.rejects(openCopySource(empty.place), /it has no tables yet\. Has the service run yet\?/);
});

Deno.test("openCopySource() keeps operators' commands from writing to a file meanwhile", async () => {
  await using place = await testPlace("SQLite");
  await writeHistory(place, "x");
  await using _ = await openCopySource(place.place);
  await using operations = await openOperations(place.place);
  assert.ok((await operations.plugins()).length > 0);
  await assert.rejects(operations.drop({ keys: ["n1/creation"], plugin: "c" }), /database is locked/);
});

Deno.test("copyLedger() tells a copy of a backup that it was restored, and counts on above all that came meanwhile", async () => {
  await using source = await testPlace("SQLite");
  await using backup = await testPlace("SQLite");
  await writeHistory(source, "x");
  {
    await using operations = await source.operations();
    await operations.backup((backup.place as { readonly file: string }).file);
  }
  const now = Date.UTC(2027, 0, 1);
  await using target = await testPlace("PostgreSQL");
  await copyBetween(backup, target, { now });
  await using operations = await target.operations();
  assert.equal((await operations.comparisons.past()).restoredAt, now);
  await using opened = await target.open();
  await opened.ledger.activate(["a"]);
  await opened.ledger.decide(99, () => ({
    outcome: "event",
    reason: "",
    events: [madeEvent(`${crypto.randomUUID()}/creation`, ["z"])],
    fill: null,
    changes: { servers: [], ports: [], floatingIps: [] },
  }));
  const seqs = (await opened.ledger.undetailed(99)).map(({ seq }) => seq);
  assert.deepEqual(seqs.slice(-2), [now + 1, now + 2]);
});

Deno.test("copyLedger() goes on after a sleep longer than its lease, unless a service has come meanwhile", async () => {
  await using source = await testPlace("PostgreSQL");
  await writeHistory(source, "x");
  const expire = "UPDATE lease SET expires_at = clock_timestamp() - interval '1 hour' WHERE name = 'copy'";
  const sleeping = async (target: TestPlace, meanwhile: () => Promise<void>) => {
    await using from = await openCopySource(source.place);
    await using to = await openCopyTarget(target.place);
    await tamper(source, expire);
    await tamper(target, expire);
    await meanwhile();
    const options = { onProgress: () => {}, onResumed: () => {}, onBeganAgain: () => {} };
    await copyLedger({ source: from, target: to, now: 0, signal: new AbortController().signal, ...options });
  };
  await using first = await testPlace("PostgreSQL");
  await sleeping(first, () => Promise.resolve());
  assert.deepEqual(await neutralRows(first), await neutralRows(source));
  await using second = await testPlace("PostgreSQL");
  let service: StoredLedger | undefined;
  const begin = async () => {
    service = await openService(source);
    await service.start(new AbortController().signal);
  };
  try {
    await assert.rejects(
      sleeping(second, begin),
      /had no word of its server for too long\. Run the same command again/,
    );
    assert.match(await refusalOf(second) ?? "", UNFINISHED);
  } finally {
    await service?.[Symbol.asyncDispose]();
  }
});
