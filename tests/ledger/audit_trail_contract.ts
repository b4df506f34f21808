/**
 * What the audit trail of every ledger must do.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { AuditEntry } from "../../src/model/audit_trail.ts";
import type { OperatedContract } from "./operated_ledger.ts";

function entry(at: number, more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    at,
    who: "alice@host (command)",
    action: "drop",
    what: `event ${at}`,
    details: { keys: [`${at}`] },
    ...more,
  };
}

export function testAuditTrail({ name, open }: OperatedContract): void {
  const test = (what: string, run: () => Promise<void>) => Deno.test(`${name}: ${what}`, run);

  test("AuditTrail gives back what was written, newest first, in pages", async () => {
    await using opened = await open();
    await using operations = await opened.operations();
    const { trail } = operations;
    assert.deepEqual(await trail.read({ limit: 9 }), []);
    const hostile = "\x1b[2J\u0000\x1e\x1d\\u0000 \u202e 'ä\" 😀 \ud800".toWellFormed();
    const entries = [
      entry(1),
      entry(2, { who: hostile, what: hostile, details: { [hostile]: [hostile, null, 1.5, true] } }),
      entry(2, { action: "sign-in", details: null }),
    ];
    for (const each of entries) await trail.write(each);
    const read = await trail.read({ limit: 9 });
    assert.deepEqual(read.map(({ seq: _, ...rest }) => rest), entries.toReversed());
    const [newest, ...older] = read;
    assert.deepEqual(await trail.read({ before: newest!.seq, limit: 9 }), older);
    assert.deepEqual(await trail.read({ before: newest!.seq, limit: 1 }), older.slice(0, 1));
    assert.deepEqual(await trail.read({ before: read.at(-1)!.seq, limit: 1 }), []);
  });

  test("AuditTrail takes 64 KiB of details, and refuses more and long texts", async () => {
    await using opened = await open();
    await using operations = await opened.operations();
    const { trail } = operations;
    await trail.write(entry(1, { details: "x".repeat(65_534) }));
    await assert.rejects(trail.write(entry(2, { details: "ä".repeat(32_768) })), RangeError);
    await assert.rejects(trail.write(entry(2, { what: "x".repeat(2001) })), RangeError);
    assert.deepEqual((await trail.read({ limit: 9 })).map(({ at }) => at), [1]);
  });

  test("AuditTrail keeps what is at least as new as a time, and gives no number again", async () => {
    await using opened = await open();
    await using operations = await opened.operations();
    const { trail } = operations;
    for (let at = 0; at < 1500; at++) await trail.write(entry(at));
    await opened.pruneTrail(1499);
    const [last, ...others] = await trail.read({ limit: 9 });
    assert.deepEqual([last?.at, others], [1499, []]);
    await opened.pruneTrail(2000);
    assert.deepEqual(await trail.read({ limit: 9 }), []);
    await trail.write(entry(3000));
    assert.ok((await trail.read({ limit: 1 }))[0]!.seq > last!.seq);
  });
}
