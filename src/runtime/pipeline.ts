import { setImmediate } from "node:timers/promises";
import type { WakeSignal } from "../model/wake_signal.ts";
import { LoopHeartbeat } from "../model/loop_heartbeat.ts";
import type { DetailStage } from "./detail_stage.ts";
import type { FactsStage } from "./facts_stage.ts";

/**
 * The way of the data, start reading here:
 *
 *     RabbitMQ ─▶ 1 intake ──▶ 2 facts ──▶ 3 detail ──▶ 4 dispatch ──▶ plugin.notify(detail, created)
 *                 record,      what it      the JSON     in order,
 *                 then ack     means        to send      retry, dead letters
 *                 └─────────────── the ledger: every arrow is a commit ──────────────┘
 *
 * The stages know only the ledger. Intake is driven by the broker and each lane of dispatch by itself; between them this loop takes what was
 * recorded and makes it deliverable. A stage that has nothing left to do waits until the one before it rings. Where config.ts names a cloud, a new
 * ledger first learns what is there already (`priming.ts`): until then messages are recorded, and none is decided.
 */
export interface Stages {
  /** Stage 2. */
  readonly facts: Pick<FactsStage, "step">;
  /** Stage 3. */
  readonly details: DetailStage;
  /** Rung when something was recorded, or can go on. */
  readonly recorded: WakeSignal;
  /** Turns with this loop. */
  readonly heartbeat?: LoopHeartbeat;
}

/**
 * How many notifications or events one transaction takes: twice what intake records at once, so that what was left of an earlier time does not stay
 * ahead of what comes for ever; some 30 ms of work, so that attempts go on beside a backlog.
 */
const BATCH = 250;

/** Runs stages 2 and 3 until the signal aborts; at the start it takes up what an earlier run left. */
export async function runPipeline(stages: Stages, signal: AbortSignal): Promise<void> {
  signal.addEventListener("abort", () => stages.recorded.notify(), { once: true });
  const { heartbeat = new LoopHeartbeat() } = stages;
  while (!signal.aborted) {
    heartbeat.beat();
    const worked = await stepPipeline(stages);
    // A backlog must not keep the sockets waiting: the ledger answers without leaving this turn of the event loop.
    if (worked) await setImmediate();
    else if (!signal.aborted) await heartbeat.rest(stages.recorded.wait());
  }
  await stages.details.idle();
}

/** One batch through stages 2 and 3. Returns whether there was anything to do. */
export async function stepPipeline({ facts, details }: Stages): Promise<boolean> {
  const decided = await facts.step(BATCH);
  const detailed = await details.step(BATCH);
  return decided || detailed;
}
