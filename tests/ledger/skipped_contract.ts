/**
 * What operators see of deliveries that a plugin's filter skipped, and can do with them.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Ledger, Settlement } from "../../src/model/ledger.ts";
import type { LedgerOperations, ListedState } from "../../src/model/operations.ts";
import { deliverAll, tell } from "../support/decided_ledger.ts";
import { announceEvents, madeAssociation, madeServerEvent } from "../support/made_events.ts";
import { came, floatingIpIs, portCame } from "../support/stories.ts";
import { type OperatedContract, type OperatedLedger, textsIn } from "./operated_ledger.ts";

const [CREATION, DELETION] = ["server/s/creation", "server/s/deletion"];

export function testSkipped({ name, open }: OperatedContract): void {
  const test = (what: string, run: (opened: OperatedLedger) => Promise<void>) =>
    Deno.test(`${name}: ${what}`, async () => {
      await using opened = await open();
      await opened.ledger.activate(["P", "Q"]);
      await run(opened);
    });

  test("what was skipped is listed, searched, counted and shown as skipped", async (opened) => {
    await announceEvents(opened.ledger, [madeServerEvent("creation"), madeServerEvent("creation", { id: "t" })]);
    await end(opened.ledger, "P", "unneeded", "done");
    await end(opened.ledger, "Q", "undecided");
    await using operations = await opened.operations();
    assert.deepEqual(await listed(operations, "skipped"), ["P server/s/creation"]);
    assert.deepEqual(await listed(operations, "done"), ["P server/t/creation"]);
    assert.deepEqual(await listed(operations, "dead"), ["Q server/s/creation"]);
    for (const state of ["skipped", "done", "dead"] as const) {
      const { rows } = await operations.search.search({ state, limit: 9 });
      assert.deepEqual(rows.map((row) => [row.state, row.reason]), [[state, state === "dead" ? "It failed" : null]]);
    }
    const [p] = await operations.pluginStates();
    assert.deepEqual([p?.deliveries.skipped, p?.deliveries.done], [1, 1]);
    const shown = await operations.show(CREATION);
    assert.deepEqual(
      shown?.deliveries.map(({ state, attempts, failures }) => [state, attempts, failures.map((one) => one.attempt)]),
      [["skipped", 0, []], ["dead", 0, [0]]],
    );
  });

  test("replay() tells what was skipped where key and plugin are named, whatever the filter says", async (opened) => {
    await announceEvents(opened.ledger, [madeServerEvent("creation")]);
    await end(opened.ledger, "P", "unneeded");
    await end(opened.ledger, "Q", "unneeded");
    await using operations = await opened.operations();
    const unnamed = await operations.replay({ keys: [CREATION] }, { force: true });
    assert.deepEqual(
      unnamed.map(({ refused }) => refused),
      Array(2).fill("it was skipped; name its key and its plugin, and it is told all the same"),
    );
    assert.deepEqual(await operations.replay({ keys: [CREATION], plugin: "P" }, { force: false }), [
      { key: CREATION, plugin: "P", refused: null },
    ]);
    const [again] = await opened.ledger.ready({ plugin: "P", now: Number.MAX_SAFE_INTEGER, limit: 9 });
    assert.equal(again?.attempts, 0);
    assert.notEqual(again?.lastAttemptAt, null);
    assert.deepEqual(await opened.ledger.ready({ plugin: "Q", now: Number.MAX_SAFE_INTEGER, limit: 9 }), []);
    const later = { seq: 9, key: DELETION };
    assert.equal(await opened.ledger.creationFate("P", later), "told");
    assert.equal(await opened.ledger.creationFate("Q", later), "skipped");
  });

  test("replay() of a dead letter by its key does not tell other plugins what they skipped", async (opened) => {
    await announceEvents(opened.ledger, [madeServerEvent("creation")]);
    await end(opened.ledger, "P", "unneeded");
    await end(opened.ledger, "Q", "dead");
    await using operations = await opened.operations();
    assert.deepEqual(await operations.replay({ keys: [CREATION] }, { force: false }), [
      { key: CREATION, plugin: "Q", refused: null },
    ]);
  });

  test("replay() asks a filter again that failed", async (opened) => {
    await announceEvents(opened.ledger, [madeServerEvent("creation")]);
    await end(opened.ledger, "P", "undecided");
    await using operations = await opened.operations();
    assert.equal((await operations.replay({ dead: true, plugin: "P" }, { force: false })).length, 1);
    const [again] = await opened.ledger.ready({ plugin: "P", now: Number.MAX_SAFE_INTEGER, limit: 9 });
    assert.deepEqual([again?.attempts, again?.lastAttemptAt], [0, null]);
  });

  test("replay() goes past a creation that was skipped, and not past a deletion that was", async (opened) => {
    const creation = madeServerEvent("creation");
    await announceEvents(opened.ledger, [creation, madeAssociation()]);
    await end(opened.ledger, "P", "dead", "unneeded");
    await using operations = await opened.operations();
    const refusals = async () =>
      (await operations.refusals({ keys: [CREATION], plugin: "P" }, { action: "replay", force: false, limit: 9 }))
        .map(({ refused }) => refused);
    assert.deepEqual(await refusals(), [null]);
    await announceEvents(opened.ledger, [madeServerEvent("deletion")]);
    await end(opened.ledger, "P", "unneeded");
    assert.deepEqual(await refusals(), [
      `the later event ${DELETION} was skipped; --force sends it all the same`,
    ]);
    assert.deepEqual(
      (await operations.drop({ keys: ["floatingip/f/1/creation"], plugin: "P" }))[0]?.refused,
      "it is skipped already",
    );
  });

  test("a creation that is replayed while its deletion is being skipped is not told for ever", async (opened) => {
    await announceEvents(opened.ledger, [madeServerEvent("creation")]);
    await end(opened.ledger, "P", "unneeded");
    await announceEvents(opened.ledger, [madeServerEvent("deletion")]);
    await using operations = await opened.operations();
    const [deletion] = await opened.ledger.ready({ plugin: "P", now: Number.MAX_SAFE_INTEGER, limit: 9 });
    await operations.replay({ keys: [CREATION], plugin: "P" }, { force: false });
    await settle(opened.ledger, deletion!, "unneeded");
    const left = await opened.ledger.ready({ plugin: "P", now: Number.MAX_SAFE_INTEGER, limit: 9 });
    assert.deepEqual(left.map(({ event }) => event.key), []);
    assert.deepEqual(await listed(operations, "dead"), ["P server/s/creation"]);
  });

  test("what was dropped before an attempt counts as skipped, and what was begun as told", async (opened) => {
    await announceEvents(opened.ledger, [madeServerEvent("creation"), madeServerEvent("creation", { id: "t" })]);
    await using operations = await opened.operations();
    const [begun] = await opened.ledger.ready({ plugin: "P", now: Number.MAX_SAFE_INTEGER, limit: 1 });
    await settle(opened.ledger, begun!, "begun");
    await operations.drop({ keys: [CREATION, "server/t/creation"], plugin: "P" });
    assert.equal(await opened.ledger.creationFate("P", { seq: 9, key: DELETION }), "told");
    assert.equal(await opened.ledger.creationFate("P", { seq: 9, key: "server/t/deletion" }), "skipped");
  });

  test("Pruner keeps the beginning of an association until its end is delivered", async (opened) => {
    await opened.ledger.activate(["p"]);
    const to = (port: string | null) => floatingIpIs("f/1", { port, ...(port === null ? {} : { server: "a" }) });
    await tell(opened, came("a"), portCame("port-a", { server: "a" }), to("port-a"));
    await deliverAll(opened);
    await tell(opened, to(null));
    await opened.prune(Number.MAX_SAFE_INTEGER);
    const keys = () => textsIn(opened, "event", "key", "seq");
    assert.deepEqual(await keys(), ["server/a/creation", "floatingip/f/1/1/creation", "floatingip/f/1/2/deletion"]);
    await deliverAll(opened);
    await opened.prune(Number.MAX_SAFE_INTEGER);
    assert.ok(!(await keys()).includes("floatingip/f/1/1/creation"));
  });
}

async function listed(operations: LedgerOperations, state: ListedState): Promise<string[]> {
  const found: string[] = [];
  for await (const page of operations.list({ state, limit: 9 })) {
    for (const { plugin, key } of page) found.push(`${plugin} ${key}`);
  }
  return found.sort();
}

/** Ends the deliveries that are ready next, one after the other. */
async function end(ledger: Ledger, plugin: string, ...outcomes: readonly Settlement["outcome"][]): Promise<void> {
  for (const outcome of outcomes) {
    const [delivery] = await ledger.ready({ plugin, now: Number.MAX_SAFE_INTEGER, limit: 1 });
    assert.ok(delivery !== undefined, "Nothing is ready");
    await settle(ledger, delivery, outcome);
  }
}

async function settle(
  ledger: Ledger,
  { seq, plugin }: { readonly seq: number; readonly plugin: string },
  outcome: Settlement["outcome"],
): Promise<void> {
  const hasFailed = outcome === "dead" || outcome === "undecided";
  const failure = hasFailed ? { reason: "permanent" as const, error: "It failed" } : null;
  await ledger.settle([{ seq, plugin, outcome, startedAt: 1, endedAt: 2, failure, dueAt: 0, triedMs: 0 }]);
}
