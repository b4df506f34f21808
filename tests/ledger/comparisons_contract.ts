/**
 * What `reconcile` must find in every ledger that outlives its process, and do to it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { madeMemory, madeNotification, NO_CHANGES } from "../support/made_events.ts";
import { report, SCOPE } from "./made_reports.ts";
import type { OperatedContract } from "./operated_ledger.ts";

export function testComparisons({ name, open }: OperatedContract): void {
  const test = (what: string, run: () => Promise<void>) => Deno.test(`${name}: ${what}`, run);

  test("Comparisons.past() has the last comparison, and the last ones that came to an end", async () => {
    await using opened = await open();
    const { comparisons } = opened;
    const empty = await comparisons.past();
    assert.deepEqual(await comparisons.lastDifferences(), []);
    assert.deepEqual([empty.last, empty.lastComplete, empty.lastFull, empty.agreedAt], [null, null, null, null]);
    await comparisons.report(report(1, { isFull: true }));
    await comparisons.report(report(2, { outcome: "applied" }));
    await comparisons.report(report(3, { outcome: "planned", isFull: true }));
    await comparisons.report(report(4, { outcome: "failed", isFull: true, scope: null }));
    const { last, lastComplete, lastFull, agreedAt, reference } = await comparisons.past();
    assert.deepEqual([last?.startedAt, lastComplete?.startedAt, lastFull?.startedAt, agreedAt], [4, 2, 1, 3]);
    assert.deepEqual(reference, SCOPE);
    // They may be long, and are read each few seconds.
    assert.deepEqual(last?.differences, []);
    assert.deepEqual(await comparisons.lastDifferences(), report(4).differences);
  });

  test("Comparisons.past() refers to the scope of priming until a comparison was complete", async () => {
    await using opened = await open();
    const { comparisons } = opened;
    await comparisons.primed({ ...SCOPE, projectId: "primed" });
    await comparisons.report(report(1, { outcome: "failed", scope: null }));
    assert.equal((await comparisons.past()).reference?.projectId, "primed");
    await comparisons.report(report(2));
    assert.equal((await comparisons.past()).reference?.projectId, "p");
  });

  test("Ledger.prime() remembers when priming began, once", async () => {
    await using opened = await open();
    const { comparisons } = opened;
    assert.equal((await comparisons.past()).beganAt, null);
    for (const now of [1000, 2000]) {
      opened.now = now;
      const progress = { listing: "servers", next: null, done: true, count: 0 } as const;
      await opened.ledger.prime(() => ({ changes: NO_CHANGES, progress }));
    }
    assert.equal((await comparisons.past()).beganAt, 1000);
  });

  test("Comparisons.record() gives another process's observations to the running service", async () => {
    await using opened = await open();
    const decide = () => {
      const decided: string[] = [];
      return opened.ledger.decide(10, ({ messageId }) => {
        decided.push(messageId);
        return { outcome: "remembered", reason: "", events: [], fill: null, changes: NO_CHANGES };
      }).then(() => decided);
    };
    const [first, second] = [madeNotification("first"), madeNotification("second")];
    await opened.ledger.record([{ receivedAt: 0, notification: first }]);
    assert.deepEqual(await decide(), ["first"]);
    // The service believes now that nothing is left undecided.
    await using operations = await opened.operations();
    await operations.comparisons.record([second]);
    const { newest, oldestUndecided } = await operations.comparisons.decisions();
    assert.equal(newest, oldestUndecided);
    assert.deepEqual(await decide(), ["second"]);
    assert.equal((await operations.comparisons.decisions()).oldestUndecided, null);
  });

  test("Comparisons.look() calls back with memory, and existingIds() has what is not deleted", async () => {
    await using opened = await open();
    await using operations = await opened.operations();
    const ids = Array.from({ length: 300 }, (_, index) => `id-${String(index).padStart(3, "0")}`);
    const servers = ids.map((id, index) => madeMemory(id, { deleted: index % 5 === 0 }));
    await operations.prime((memory) => memory.server("id-001") === undefined ? { ...NO_CHANGES, servers } : NO_CHANGES);
    const existing = ids.filter((_, index) => index % 5 !== 0);
    assert.deepEqual(await operations.existingIds("servers"), existing);
    assert.deepEqual(await opened.comparisons.existingIds("servers"), existing);
    const looked = await opened.comparisons.look((memory) =>
      ["none", ...ids].map((id) => memory.server(id)?.id ?? null)
    );
    assert.deepEqual(looked, [null, ...ids]);
  });
}
