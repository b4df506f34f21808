import { match as assertMatch } from "node:assert/strict";
import { LATER_ADDED } from "../../../src/ledger/sqlite/redelivery.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

Deno.test("redeliver() looks up later events by their keys", () => {
  using ledger = new TemporaryLedger();
  const plan = ledger.database.prepare(`EXPLAIN QUERY PLAN ${LATER_ADDED}`).all().map((row) => String(row["detail"]));
  assertMatch(plan.join("\n"), /SEARCH o USING PRIMARY KEY \(span=\? AND order_key=\? AND seq>\?\)/);
});
