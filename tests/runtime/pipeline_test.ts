import assert from "node:assert/strict";
import { RamLedger } from "../../src/ledger/ram/ledger.ts";
import { WakeSignal } from "../../src/model/wake_signal.ts";
import { detailMaker, ImmediateDetails } from "../../src/runtime/detail_stage.ts";
import { FactsStage } from "../../src/runtime/facts_stage.ts";
import { stepPipeline } from "../../src/runtime/pipeline.ts";
import { KeptLog } from "../support/loggers.ts";
import { EVERYTHING } from "../support/rules.ts";
import { came } from "../support/stories.ts";

Deno.test("stepPipeline() goes on behind a notification that cannot be decided, and tells of it", async () => {
  const ledger = new RamLedger();
  const log = new KeptLog();
  await ledger.activate(["P"]);
  const trap = new Proxy({}, {
    get() {
      throw new Error("trapped");
    },
  });
  const poison = { ...came("server-1"), messageId: "poison", payload: trap };
  await ledger.record([poison, came("server-2")].map((notification) => ({ receivedAt: 0, notification })));
  const details = new ImmediateDetails({ ledger, make: detailMaker(undefined, log), onDetailed: () => {} });
  const facts = new FactsStage({
    ledger,
    log,
    rules: () => EVERYTHING,
    mayDecide: () => true,
    nova: null,
    signal: new AbortController().signal,
    onAnswered: () => {},
  });
  const stages = { facts, details, wakeSignal: new WakeSignal() };
  assert.ok(await stepPipeline(stages));
  const ready = await ledger.ready({ plugin: "P", now: 0, limit: 9 });
  assert.deepEqual(ready.map(({ event }) => event.key), ["server/server-2/creation"]);
  assert.match(log.lines.join("\n"), /poison .*cannot be decided: trapped/);
});
