import assert from "node:assert/strict";
import type { Queries, Row } from "../../../src/ledger/postgres/client.ts";
import { DeliveryWindow } from "../../../src/ledger/postgres/window.ts";

const ALL = { now: Infinity, limit: 10, busy: new Set<number>() };
const EVENT = { newest: 1, seq: 1, decided_at: 0, order_keys: "{7}", detailed: true };

/** Tables with one event, whose delivery waits; calls back before each answer. */
function tables(onQuery: (sql: string) => void): Queries {
  return {
    rows: (sql) => {
      onQuery(sql);
      const rows: readonly Row[] = sql.startsWith("SELECT queued_from")
        ? [{ queued_from: 1, changes: 0 }]
        : sql.startsWith("SELECT n.newest")
        ? [EVENT]
        : [];
      return Promise.resolve(rows);
    },
  };
}

for (const [what, query] of [["started deliveries", "SELECT d.seq"], ["further deliveries", "SELECT n.newest"]]) {
  Deno.test(`DeliveryWindow.fill() begins anew when it has to reload while ${what} are read`, async () => {
    const window = new DeliveryWindow(1);
    let [reloads, reads, queries] = [0, 0, 0];
    await window.fill(
      ALL,
      tables((sql) => {
        assert.ok(++queries < 20, "it reads for ever");
        if (sql.startsWith("SELECT queued_from")) reads++;
        if (sql.startsWith(query!) && reloads++ === 0) window.reload();
      }),
    );
    assert.equal(reads, 2);
    assert.deepEqual(window.deliveries.ready(ALL).map(({ seq }) => seq), [1]);
  });
}

Deno.test("DeliveryWindow.append() adds nothing that was read from the tables before: it may be finished by now", async () => {
  const window = new DeliveryWindow(1);
  await window.fill(ALL, tables(() => {}));
  window.finish(1);
  const event = { orderKeys: [7], plugins: [1], decidedAt: 0, recent: null };
  assert.equal(window.append({ ...event, seq: 1 }), false);
  assert.equal(window.append({ ...event, seq: 2 }), true);
  assert.equal(window.deliveries.size, 1);
});

for (
  const [what, query, row] of [
    ["a started delivery", "SELECT d.seq", { ...EVENT, due_at: 0, attempts: 1, tried_ms: 0, behind: false }],
    ["a further delivery", "SELECT n.newest", EVENT],
  ] as const
) {
  Deno.test(`DeliveryWindow.fill() leaves out ${what} that is finished while the tables are read again`, async () => {
    const window = new DeliveryWindow(1);
    await window.fill(ALL, tables(() => {}));
    window.reload();
    let isFinished = false;
    const queries: Queries = {
      rows: async (sql) => {
        // What the statement has found is from before the commit of the outcome.
        const rows: readonly Row[] = sql.startsWith("SELECT queued_from")
          ? [{ queued_from: 1, changes: 0 }]
          : sql.startsWith(query)
          ? [row]
          : sql.startsWith("SELECT n.newest")
          ? [{ newest: 1, seq: null }]
          : [];
        if (sql.startsWith(query) && !isFinished) {
          isFinished = true;
          await Promise.resolve();
          window.finish(1);
        }
        return rows;
      },
    };
    await window.fill(ALL, queries);
    assert.ok(isFinished);
    assert.deepEqual(window.deliveries.ready(ALL).map(({ seq }) => seq), []);
  });
}
