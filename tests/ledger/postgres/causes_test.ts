import assert from "node:assert/strict";
import { causesOf } from "../../../src/ledger/postgres/causes.ts";
import { announceEvents, madeEvent } from "../../support/made_events.ts";
import { TemporaryPostgresLedger } from "../../support/temporary_postgres_ledger.ts";

Deno.test("causesOf() says which messages led to events", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  await opened.ledger.activate(["p"]);
  await announceEvents(opened.ledger, [madeEvent("s/creation", ["s"]), madeEvent("t/creation", ["t"])]);
  const [first, second] = await opened.ledger.ready({ plugin: "p", now: 0, limit: 2 });
  assert.ok(first && second);
  assert.deepEqual(
    await causesOf(opened.client, [second.seq, first.seq, 4711]),
    new Map([[second.seq, `message of ${second.event.key}`], [first.seq, `message of ${first.event.key}`]]),
  );
});
