import assert from "node:assert/strict";
import { openStoredLedger } from "../../../src/ledger/postgres/stored_ledger.ts";
import { UserError } from "../../../src/model/errors.ts";
import { startPostgres } from "../../../tools/postgres/server.ts";
import { SILENT } from "../../support/loggers.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

Deno.test("a ledger that is gone when the work begins says so as one that cannot be opened", async () => {
  await using server = await startPostgres({ fast: true });
  await using stored = await openStoredLedger({ url: server.url }, {
    plugins: ["p"],
    version: "0.0.0",
    announces: "",
    clock: new VirtualClock(),
    keepDays: 30,
    maxDelayMs: 1000,
    log: SILENT,
    onRescheduled() {},
    onRecorded() {},
  });
  await server.kill();
  await assert.rejects(stored.start(new AbortController().signal), (error: unknown) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, /^Cannot open the ledger "postgres:.*Is it running, and may we reach it\?$/);
    return true;
  });
});
