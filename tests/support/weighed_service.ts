import { setTimeout as wait } from "node:timers/promises";
import { Lane } from "../../src/dispatch/lane.ts";
import { policyOf } from "../../src/dispatch/policy.ts";
import { WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import type { DeliveryChannel } from "../../src/rabbitmq/consumer.ts";
import { Intake } from "../../src/intake/intake.ts";
import { WakeSignal } from "../../src/model/wake_signal.ts";
import type { Logger, NotifyContext, Plugin } from "../../src/model/plugin.ts";
import type { Detail } from "../../src/model/detail.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { detailMaker, ImmediateDetails } from "../../src/runtime/detail_stage.ts";
import { FactsStage } from "../../src/runtime/facts_stage.ts";
import { runPipeline } from "../../src/runtime/pipeline.ts";
import type { Body } from "./heavy_messages.ts";
import { EVERYTHING } from "./rules.ts";
import { TemporaryLedger } from "./temporary_ledger.ts";

/** What a plugin was told. */
export interface Told {
  readonly detail: Detail;
  readonly context: NotifyContext;
}

/** The stages of the service over a ledger in a file, without a broker, with one plugin that does nothing. */
export class WeighedService implements AsyncDisposable {
  readonly ledger = new TemporaryLedger();
  /** Called with all that the plugin is told. */
  onTold: (told: Told) => void = () => {};
  readonly intake: Intake;
  readonly #lane: Lane;
  readonly #stop = new AbortController();
  readonly #work: Promise<unknown>;
  #tag = 0;
  #told = 0;

  constructor(log: Logger) {
    this.ledger.now = Date.now();
    const { ledger } = this.ledger;
    const recorded = new WakeSignal();
    const lane = this.#lane = new Lane({
      plugin: this.#plugin(),
      name: "Idle",
      policy: policyOf("Idle"),
      ledger,
      clock: systemClock,
      random: Math.random,
      log,
      redact: (text) => text,
      canRecord: () => true,
      onAttempt: () => void this.#told++,
    });
    const fail = (error: unknown) => {
      throw error;
    };
    this.intake = new Intake({
      ledger,
      wanted: WATCHED_EVENT_TYPES,
      keepRejectedBodies: false,
      now: Date.now,
      log,
      onRecorded: () => recorded.notify(),
      onFailed: fail,
    });
    const onDetailed = () => lane.wake();
    const details = new ImmediateDetails({ ledger, make: detailMaker({}, log), onDetailed });
    const { signal } = this.#stop;
    const facts = new FactsStage({
      ledger,
      makeImmediate: details.makeImmediate,
      rules: () => EVERYTHING,
      mayDecide: () => true,
      nova: null,
      log,
      signal,
      onAnswered: () => {},
      onDetailed,
    });
    this.#work = ledger.activate(["Idle"]).then(() =>
      Promise.all([runPipeline({ facts, details, wakeSignal: recorded }, signal), lane.run(signal)])
    );
  }

  /** Takes messages as they would come from the broker, one in each turn of the event loop, and waits until all that they led to is delivered. */
  async take(bodies: Iterable<Body>): Promise<void> {
    for (const body of bodies) {
      this.intake.accept({
        ...body,
        tag: ++this.#tag,
        exchange: "x",
        routingKey: "x",
        redelivered: false,
        channel: CHANNEL,
      });
      await new Promise((resolve) => setImmediate(resolve));
      await this.intake.backpressure();
    }
    await this.intake.flush();
    while (!this.#isIdle()) await wait(this.#told > 0 ? 50 : 5);
  }

  #plugin(): Plugin {
    return {
      notify: (detail, _created, context) => this.onTold({ detail, context }),
    };
  }

  #isIdle(): boolean {
    const { database } = this.ledger;
    const row = database.prepare(
      `SELECT (SELECT count(*) FROM event) AS events, EXISTS (SELECT 1 FROM notification WHERE outcome IS NULL) AS open`,
    ).get();
    return row?.["open"] === 0 && Number(row["events"]) === this.#told;
  }

  /** Bytes of the ledger's file, with all that is written in it. */
  size(): number {
    this.ledger.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return Deno.statSync(this.ledger.file).size;
  }

  get delivered(): number {
    return this.#told;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#lane.wake();
    await this.#work;
    this.ledger[Symbol.dispose]();
  }
}

const CHANNEL: DeliveryChannel = { open: true, prefetch: 1000, ackThrough: () => {} };
