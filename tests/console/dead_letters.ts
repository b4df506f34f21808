import { openStoredLedger } from "../../src/ledger/open_ledger.ts";
import { KeptLog } from "../support/loggers.ts";
import { announceEvents, madeEvent, settlementOf } from "../support/made_events.ts";
import type { RunningConsole } from "./consoles.ts";

/** Events of a transaction. */
const BATCH = 5000;

/** Restarts a service with a ledger of so many dead letters of "Old", a plugin that is not configured any more. */
export async function giveDeadLetters(running: RunningConsole, count: number): Promise<void> {
  await running.service.end("SIGTERM");
  const file = running.dir.path("ledger.db");
  Deno.removeSync(file);
  await deadLetters(file, count);
  await running.restart();
}

async function deadLetters(file: string, count: number): Promise<void> {
  const stored = await openStoredLedger({ file }, {
    plugins: ["Old"],
    version: "1",
    announces: "x",
    clock: { now: Date.now, passedMs: () => performance.now(), sleep: () => Promise.resolve() },
    keepDays: 36_500,
    maxDelayMs: 1000,
    log: new KeptLog(),
    onRescheduled: () => {},
    onRecorded: () => {},
  });
  const { ledger } = stored;
  await ledger.activate(["Old"]);
  for (let from = 0; from < count; from += BATCH) {
    const events = Array.from({ length: Math.min(BATCH, count - from) }, (_, n) => from + n);
    await announceEvents(ledger, events.map((n) => madeEvent(`s${n}/1`, [`s${n}`])));
    for (;;) {
      const ready = await ledger.ready({ plugin: "Old", now: Date.now(), limit: BATCH });
      if (ready.length === 0) break;
      await ledger.settle(ready.map((one) => settlementOf(one, { outcome: "dead", endedAt: Date.now() })));
    }
  }
  await stored[Symbol.asyncDispose]();
}
