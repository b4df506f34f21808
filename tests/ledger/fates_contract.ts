/**
 * What every ledger must know of creations that a plugin was not told, for plugins with a filter.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { Delivery, Ledger, Settlement } from "../../src/model/ledger.ts";
import { announceEvents, madeAssociation, madeEvent, madeServerEvent } from "../support/made_events.ts";
import type { LedgerContract, LedgerUnderTest } from "./contract.ts";

const NOW = Date.UTC(2026, 10, 21);

/** Registers the tests of one implementation. */
export function testLedgerFates({ name, open }: LedgerContract): void {
  const test = (does: string, body: (opened: LedgerUnderTest) => Promise<void>) =>
    Deno.test(`${name}.${does}`, async () => {
      await using opened = await open();
      opened.now = NOW;
      await opened.ledger.activate(["p", "q"]);
      await body(opened);
    });

  for (
    const [outcomes, fate] of [
      [["done"], "told"],
      [["dead"], "told"],
      [["retry", "dead"], "told"],
      [["begun", "done"], "told"],
      [["unneeded"], "skipped"],
      [["undecided"], "undecided"],
      [[], "unknown"],
    ] as const
  ) {
    test(`creationFate() is ${fate} after ${outcomes.join(", ") || "nothing"}, by plugin`, async (opened) => {
      const { ledger } = opened;
      await announceEvents(ledger, [madeServerEvent("creation")]);
      for (const outcome of outcomes) await settleNext(ledger, "p", outcome);
      await opened.reopen?.();
      await opened.ledger.activate(["p", "q"]);
      await announceEvents(opened.ledger, [madeServerEvent("deletion")]);
      const later = { seq: 9, key: "server/s/deletion" };
      assert.equal(await opened.ledger.creationFate("p", later), fate);
      assert.equal(await opened.ledger.creationFate("p", { ...later, key: "server/s/update/7" }), fate);
      assert.equal(await opened.ledger.creationFate("q", later), "unknown");
      assert.equal(await opened.ledger.creationFate("p", { ...later, key: "server/other/deletion" }), "unknown");
    });
  }

  test("creationFate() of an association's end is that of its own beginning", async ({ ledger, reopen }) => {
    const isStored = reopen !== undefined;
    await announceEvents(ledger, [association(1, true)]);
    await settleNext(ledger, "p", "unneeded");
    await announceEvents(ledger, [association(2, false)]);
    const end = await next(ledger, "p");
    assert.equal(await ledger.creationFate("p", { seq: end.seq, key: end.event.key }), "skipped");
    await settleNext(ledger, "p", "unneeded");
    await announceEvents(ledger, [association(3, true)]);
    await settleNext(ledger, "p", "done");
    await announceEvents(ledger, [association(4, false)]);
    const second = await next(ledger, "p");
    assert.equal(await ledger.creationFate("p", { seq: second.seq, key: second.event.key }), "told");
    assert.equal(await ledger.creationFate("p", { seq: 99, key: "floatingip/g/2/deletion" }), "unknown");
    // After a restore the numbers have a gap. The end of an end is nobody's.
    const gap = { seq: second.seq, key: "floatingip/f/1795000000/deletion" };
    if (isStored) assert.equal(await ledger.creationFate("p", gap), "told");
    if (isStored) assert.equal(await ledger.creationFate("p", { ...gap, seq: second.seq + 1 }), "unknown");
  });

  test("settle() with begun leaves the delivery to be attempted, first, and blocks the next one", async (opened) => {
    await announceEvents(opened.ledger, [madeServerEvent("creation"), madeServerEvent("deletion")]);
    const before = await next(opened.ledger, "p");
    assert.deepEqual([before.attempts, before.lastAttemptAt], [0, null]);
    await settle(opened.ledger, before, "begun");
    await opened.reopen?.();
    const ready = await opened.ledger.ready({ plugin: "p", now: NOW, limit: 9 });
    assert.deepEqual(
      ready.map(({ event, attempts, lastAttemptAt }) => [event.key, attempts, lastAttemptAt]),
      [["server/s/creation", 0, NOW]],
    );
    assert.equal(await opened.ledger.creationFate("p", { seq: 9, key: "server/s/deletion" }), "told");
    await settle(opened.ledger, ready[0]!, "done");
    assert.equal((await next(opened.ledger, "p")).event.key, "server/s/deletion");
  });

  test("settle() with undecided finishes the delivery and holds back nothing", async ({ ledger }) => {
    await announceEvents(ledger, [madeServerEvent("creation"), madeServerEvent("deletion")]);
    await settleNext(ledger, "p", "undecided");
    assert.equal((await next(ledger, "p")).event.key, "server/s/deletion");
  });
}

/** The association, or its end, with this number. */
function association(number: number, created: boolean): WatcherEvent {
  const { updates: _, ...made } = madeAssociation();
  const key = `floatingip/f/${number}/${created ? "creation" : "deletion"}`;
  return { ...made, key, created, messageId: madeEvent(key).messageId };
}

async function next(ledger: Ledger, plugin: string): Promise<Delivery> {
  const [delivery] = await ledger.ready({ plugin, now: Number.MAX_SAFE_INTEGER, limit: 1 });
  assert.ok(delivery !== undefined, "Nothing is ready");
  return delivery;
}

async function settleNext(ledger: Ledger, plugin: string, outcome: Settlement["outcome"]): Promise<void> {
  await settle(ledger, await next(ledger, plugin), outcome);
}

async function settle(ledger: Ledger, { seq, plugin }: Delivery, outcome: Settlement["outcome"]): Promise<void> {
  const hasFailed = outcome === "dead" || outcome === "retry" || outcome === "undecided";
  const failure = hasFailed ? { reason: "permanent" as const, error: "It failed" } : null;
  await ledger.settle([{ seq, plugin, outcome, startedAt: NOW, endedAt: NOW, failure, dueAt: 0, triedMs: 0 }]);
}
