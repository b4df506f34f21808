import { setImmediate } from "node:timers/promises";
import type { WakeSignal } from "../model/wake_signal.ts";
import { LoopHeartbeat } from "../model/loop_heartbeat.ts";
import type { DetailStage } from "./detail_stage.ts";
import type { FactsStage } from "./facts_stage.ts";
import type { UpdatesStage } from "./updates_stage.ts";

/**
 * The pipeline. Start reading here:
 *
 *     RabbitMQ ─▶ 1 intake ─▶ 2 facts ─▶ 3 detail ─▶ 4 dispatch ─▶ plugin.notify(detail, created)
 *                 record,     decide     make the    deliver in order,   .update(detail, context)
 *                 then ack    events     JSON        retry, dead letters
 *                 └──── the ledger: each stage reads from it and writes to it ───┘
 *
 * 1. `src/intake/`: a message is recorded in the ledger, and acknowledged after the commit.
 * 2. `src/facts/`, called by `facts_stage.ts` in this folder: each recorded notification is
 *    decided: does it announce that a server, or the association of a floating IP, begins or ends?
 *    If so, it becomes an event, with one delivery per plugin. Where config.ts follows changes of
 *    servers, `updates_stage.ts` announces those that have settled, as updates.
 * 3. `src/detail/`, called by `detail_stage.ts` or `enriched_details.ts` in this folder: each event
 *    gets its detail, the JSON that plugins get. A detail that needs the notification alone is
 *    stored in the transaction of stage 2. Others are completed from OpenStack's APIs.
 * 4. `src/dispatch/`: one `Lane` per plugin attempts the deliveries that are ready.
 *
 * The stages do not call each other: they share the ledger. The broker drives stage 1, each lane
 * drives itself, and the loop in this file drives stages 2 and 3. A stage without work sleeps until
 * the stage before it wakes it.
 *
 * With an `openstack` section in config.ts, a new ledger is primed first (`priming.ts`): it learns
 * which resources exist. Until then, messages are recorded but not decided.
 */
export interface Stages {
  /** Stage 2. */
  readonly facts: Pick<FactsStage, "step">;
  /** Stage 2, for changes that have settled. @default changes of servers are not followed */
  readonly updates?: Pick<UpdatesStage, "step">;
  /** Stage 3. */
  readonly details: DetailStage;
  /** Wakes the loop: something was recorded, or a stage can continue. */
  readonly wakeSignal: WakeSignal;
  /** Liveness of the loop. */
  readonly heartbeat?: LoopHeartbeat;
}

/**
 * Notifications or events per transaction. Twice what intake records at once, so that a backlog
 * shrinks under load; some 30 ms of work, so that attempts continue beside it.
 */
const BATCH = 250;

/** Runs stages 2 and 3 until the signal aborts, beginning with what an earlier run left undone. */
export async function runPipeline(stages: Stages, signal: AbortSignal): Promise<void> {
  signal.addEventListener("abort", () => stages.wakeSignal.notify(), { once: true });
  const { heartbeat = new LoopHeartbeat() } = stages;
  while (!signal.aborted) {
    heartbeat.beat();
    const worked = await stepPipeline(stages);
    // Lets sockets be read during a backlog: SQLite's calls do not yield to the event loop.
    if (worked) await setImmediate();
    else if (!signal.aborted) await heartbeat.whileIdle(stages.wakeSignal.wait());
  }
  await stages.details.idle();
}

/** Moves one batch through stages 2 and 3. Returns whether there was any work. */
export async function stepPipeline({ facts, updates, details }: Stages): Promise<boolean> {
  const decided = await facts.step(BATCH);
  const updated = await updates?.step(BATCH) ?? false;
  const detailed = await details.step(BATCH);
  return decided || updated || detailed;
}
