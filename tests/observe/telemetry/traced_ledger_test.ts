import assert from "node:assert/strict";
import { AttemptSpans } from "../../../src/observe/telemetry/attempt_spans.ts";
import { NotificationSpans } from "../../../src/observe/telemetry/notification_spans.ts";
import type { OtlpSpan } from "../../../src/observe/telemetry/otlp.ts";
import { TraceIds } from "../../../src/observe/telemetry/trace_ids.ts";
import { TracedLedger } from "../../../src/observe/telemetry/traced_ledger.ts";
import { Tracer } from "../../../src/observe/telemetry/tracer.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { testLedgerFates } from "../../ledger/fates_contract.ts";
import { type LedgerUnderTest, testLedger } from "../../ledger/contract.ts";
import { testLedgerUpdates } from "../../ledger/updates_contract.ts";
import { announceEvents, decideEvents, madeEvent, promptDetail, settlementOf } from "../../support/made_events.ts";
import { OpenedSqliteLedger } from "../../support/opened_sqlite_ledger.ts";

/** A ledger on SQLite, traced. */
class OpenedTracedLedger implements LedgerUnderTest {
  readonly spans: OtlpSpan[] = [];
  readonly ledger: TracedLedger;
  readonly #opened = new OpenedSqliteLedger();

  constructor({ knowsCauses = true } = {}) {
    const tracer = new Tracer({ export: (span) => this.spans.push(span), clock: systemClock });
    const ids = new TraceIds({ service: "test", sampledShare: 1 });
    this.ledger = new TracedLedger({
      ledger: this.#opened.ledger,
      causesOf: (seqs) =>
        knowsCauses
          ? Promise.resolve(new Map(seqs.map((seq) => [seq, "message of s/creation"])))
          : Promise.reject(new Error("it cannot be read")),
      notifications: new NotificationSpans(tracer, ids),
      attempts: new AttemptSpans(tracer, ids),
      clock: systemClock,
    });
  }

  get now(): number {
    return this.#opened.now;
  }

  set now(now: number) {
    this.#opened.now = now;
  }

  named(name: string): readonly OtlpSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened[Symbol.asyncDispose]();
  }
}

const CONTRACT = {
  name: "TracedLedger",
  open: () => Promise.resolve(new OpenedTracedLedger()),
  firstDueAt: (decidedAt: number) => decidedAt,
};
testLedger(CONTRACT);
testLedgerUpdates(CONTRACT);
testLedgerFates(CONTRACT);

Deno.test("TracedLedger traces a notification that was recorded again once", async () => {
  await using opened = new OpenedTracedLedger();
  const event = madeEvent("s/creation", ["s"]);
  await decideEvents(opened.ledger, [event], promptDetail);
  await decideEvents(opened.ledger, [event], promptDetail);
  assert.deepEqual(opened.spans.map(({ name }) => name), ["receive", "record", "decide", "detail"]);
});

Deno.test("TracedLedger makes a span of a detail that is stored later", async () => {
  await using opened = new OpenedTracedLedger();
  await announceEvents(opened.ledger, [madeEvent("s/creation", ["s"])]);
  assert.equal(opened.named("detail").length, 1);
});

Deno.test("TracedLedger makes a span of each attempt, also where the ledger cannot say which message led to it", async () => {
  for (const knowsCauses of [true, false]) {
    await using opened = new OpenedTracedLedger({ knowsCauses });
    await opened.ledger.activate(["p"]);
    await announceEvents(opened.ledger, [madeEvent("s/creation", ["s"])]);
    const [delivery] = await opened.ledger.ready({ plugin: "p", now: 0, limit: 1 });
    assert.ok(delivery);
    await opened.ledger.settle([settlementOf(delivery, { outcome: "done", endedAt: 2000 })]);
    const [attempt, ...others] = opened.named("notify p");
    assert.deepEqual(others, []);
    assert.equal(attempt?.traceId === opened.named("receive")[0]?.traceId, knowsCauses);
    assert.deepEqual([attempt?.startTimeUnixNano, attempt?.endTimeUnixNano], ["1000000000", "2000000000"]);
  }
});
