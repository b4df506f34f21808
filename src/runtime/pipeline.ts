import { setImmediate } from "node:timers/promises";
import { decide } from "../facts/decide.ts";
import type { Rules } from "../facts/situation.ts";
import type { Decision } from "../model/decision.ts";
import type { Bell } from "../model/bell.ts";
import type { Ledger } from "../model/ledger.ts";
import type { Notification } from "../model/notification.ts";
import type { Logger } from "../model/plugin.ts";
import type { DetailStage } from "./detail_stage.ts";

/**
 * The way of the data, start reading here:
 *
 *     RabbitMQ ─▶ 1 intake ──▶ 2 facts ──▶ 3 detail ──▶ 4 dispatch ──▶ plugin.notify(detail, created)
 *                 record,      what it      the JSON     in order,
 *                 then ack     means        to send      retry, dead letters
 *                 └─────────────── the ledger: every arrow is a commit ──────────────┘
 *
 * The stages know only the ledger. Intake is driven by the broker and each lane of dispatch by itself; between them this loop takes what was
 * recorded and makes it deliverable. A stage that has nothing left to do waits until the one before it rings.
 */
export interface Stages {
  readonly ledger: Ledger;
  /** Stage 2: which facts are claimed. Asked for each batch, since time passes. */
  readonly rules: () => Rules;
  /** Stage 3. */
  readonly details: DetailStage;
  /** Rung when something was recorded. */
  readonly recorded: Bell;
  readonly log: Logger;
}

/** How many notifications or events one transaction takes: few milliseconds of work, so that attempts go on beside a backlog. */
const BATCH = 50;

/** Runs stages 2 and 3 until the signal aborts; at the start it takes up what an earlier run left. */
export async function runPipeline(stages: Stages, signal: AbortSignal): Promise<void> {
  signal.addEventListener("abort", () => stages.recorded.ring(), { once: true });
  while (!signal.aborted) {
    const worked = await stepPipeline(stages);
    // A backlog must not keep the sockets waiting: the ledger answers without leaving this turn of the event loop.
    if (worked) await setImmediate();
    else if (!signal.aborted) await stages.recorded.wait();
  }
  await stages.details.idle();
}

/** One batch through stages 2 and 3. Returns whether there was anything to do. */
export async function stepPipeline({ ledger, rules, details, log }: Stages): Promise<boolean> {
  const claimed = rules();
  const decided = await ledger.decide(BATCH, (notification, memory) => {
    try {
      const decision = decide(notification, memory, claimed);
      if (decision.outcome === "superseded") {
        log.info(`Superseded: ${notification.eventType} ${notification.messageId}: ${decision.reason}`);
      }
      return decision;
    } catch (error) {
      return undecidable(notification, { error, log });
    }
  });
  const detailed = await details.step(BATCH);
  return decided > 0 || detailed;
}

/** A notification that trips us must not stop those behind it: it is kept, listed as superseded, and told. */
function undecidable(
  { messageId, eventType }: Notification,
  { error, log }: { readonly error: unknown; readonly log: Logger },
): Decision {
  const reason = `cannot be decided: ${error instanceof Error ? error.message : error}`;
  log.error(
    `The notification ${messageId} (${eventType}) ${reason}. This is a mistake in oss-watcher: please report it`,
  );
  const changes = { servers: [], ports: [], floatingIps: [] };
  return { outcome: "superseded", reason, events: [], fill: null, changes };
}
