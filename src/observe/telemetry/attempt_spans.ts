import type { Delivery, Settlement } from "../../model/ledger.ts";
import type { NotifyContext, UpdateContext } from "../../model/plugin.ts";
import { Newest } from "./newest.ts";
import { childOf, type SpanContext, type TraceIds, traceparentOf } from "./trace_ids.ts";
import type { Tracer } from "./tracer.ts";

/** A delivery that was read, with the span of its next attempt. */
interface NextAttempt {
  readonly span: SpanContext;
  readonly parent: string;
  readonly delivery: Pick<Delivery, "event" | "attempts">;
  /** Absent: the ledger does not know the message any more. */
  readonly messageId?: string;
}

/**
 * Deliveries that are read and not settled. Lanes read few ahead; what an operator has dropped
 * meanwhile is never settled.
 */
const MAX_OPEN = 20_000;

/** The spans of attempts: begun when a delivery is read, ended when its outcome is on disk. */
export class AttemptSpans {
  readonly #tracer: Tracer;
  readonly #ids: TraceIds;
  readonly #open = new Newest<string, NextAttempt>(MAX_OPEN);

  constructor(tracer: Tracer, ids: TraceIds) {
    this.#tracer = tracer;
    this.#ids = ids;
  }

  /** @param causes The ids of the messages that led to the events, by their numbers. */
  read(deliveries: readonly Delivery[], causes: ReadonlyMap<number, string>): void {
    for (const { seq, plugin, event, attempts } of deliveries) {
      const messageId = causes.get(seq);
      const root = this.#ids.root(messageId ?? event.key);
      const named = messageId === undefined ? {} : { messageId };
      const next = { span: childOf(root), parent: root.spanId, delivery: { event, attempts }, ...named };
      this.#open.set(keyOf(plugin, seq), next);
    }
  }

  /** Makes the call of an attempt, which may tell its target of the trace. */
  within<Context extends NotifyContext | UpdateContext, Result>(
    plugin: string,
    context: Context,
    call: (context: Context) => Result,
  ): Result {
    const attempt = this.#open.get(keyOf(plugin, context.sequence));
    if (attempt === undefined) return call(context);
    return this.#tracer.within(attempt.span, () => call({ ...context, traceparent: traceparentOf(attempt.span) }));
  }

  settled(settlements: readonly Settlement[]): void {
    for (const settlement of settlements) {
      const { plugin, seq, outcome } = settlement;
      if (outcome === "begun") continue;
      const attempt = this.#open.take(keyOf(plugin, seq));
      // A filter's decision is no attempt.
      if (attempt !== undefined && outcome !== "unneeded" && outcome !== "undecided") this.#end(attempt, settlement);
    }
  }

  #end(
    { span, parent, messageId, delivery: { event, attempts } }: NextAttempt,
    { plugin, startedAt, endedAt, outcome, failure }: Settlement,
  ): void {
    const isFailure = failure !== null && failure.reason !== "partial";
    this.#tracer.ended(span, {
      name: `${event.updated ? "update" : "notify"} ${plugin}`,
      parent,
      startedAt,
      endedAt,
      attributes: {
        "oss_watcher.plugin": plugin,
        "oss_watcher.event.key": event.key,
        "oss_watcher.event.type": event.eventType,
        "oss_watcher.attempt": attempts + 1,
        "oss_watcher.outcome": outcome,
        ...(messageId === undefined ? {} : { "messaging.message.id": messageId }),
        ...(isFailure ? { "error.type": failure.reason } : {}),
      },
      ...(isFailure ? { error: failure.error } : {}),
    });
  }
}

function keyOf(plugin: string, seq: number): string {
  return `${seq} ${plugin}`;
}
