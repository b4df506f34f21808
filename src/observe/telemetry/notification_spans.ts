import type { Decision } from "../../model/decision.ts";
import type { WatcherEvent } from "../../model/event.ts";
import type { Arrival } from "../../model/ledger.ts";
import type { Notification } from "../../model/notification.ts";
import type { SpanAttributes } from "../../wire/tracing.ts";
import { Newest } from "./newest.ts";
import { childOf, type TraceIds } from "./trace_ids.ts";
import type { Tracer } from "./tracer.ts";

/** Milliseconds since the epoch. */
export interface Timed {
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface TimedDecision extends Timed {
  readonly notification: Notification;
  readonly decision: Decision;
}

export interface TimedDetail extends Timed {
  readonly event: WatcherEvent;
  readonly missing: readonly string[];
}

/** Ids of messages that came last. Of copies, which come close together, the first is traced. */
const MAX_RECENT = 10_000;
/** Keys of events in an attribute. */
const MAX_KEYS = 5;

/** The spans of stages 1 to 3. */
export class NotificationSpans {
  readonly #tracer: Tracer;
  readonly #ids: TraceIds;
  readonly #recent = new Newest<string, true>(MAX_RECENT);

  constructor(tracer: Tracer, ids: TraceIds) {
    this.#tracer = tracer;
    this.#ids = ids;
  }

  /** Messages are on disk, and acknowledged: the first span of each trace, and its recording. */
  recorded(arrivals: readonly Arrival[], { startedAt, endedAt }: Timed): void {
    for (const arrival of arrivals) {
      if (!("notification" in arrival) || !this.#isNew(arrival.notification)) continue;
      const { notification: { messageId, eventType }, receivedAt, message } = arrival;
      const root = this.#ids.root(messageId);
      const destination = message === undefined ? "" : `${message.exchange}:${message.routingKey}`;
      const of = aboutMessage({ messageId, eventType });
      this.#tracer.ended(root, {
        name: `receive ${destination}`.trim(),
        kind: "consumer",
        startedAt: receivedAt,
        endedAt,
        attributes: {
          ...of,
          "messaging.system": "rabbitmq",
          "messaging.operation.name": "receive",
          "messaging.operation.type": "receive",
          ...(message === undefined ? {} : {
            "messaging.destination.name": destination,
            "messaging.rabbitmq.destination.routing_key": message.routingKey,
            "messaging.message.body.size": message.bytes,
          }),
        },
      });
      this.#tracer.ended(childOf(root), { name: "record", parent: root.spanId, startedAt, endedAt, attributes: of });
    }
  }

  decided(decisions: readonly TimedDecision[]): void {
    for (const { notification, decision: { outcome, events, isDoubtful = false }, startedAt, endedAt } of decisions) {
      const root = this.#ids.root(notification.messageId);
      // An observation was not received: its trace begins here.
      const isFirst = notification.origin === "reconcile";
      this.#tracer.ended(isFirst ? root : childOf(root), {
        name: "decide",
        ...(isFirst ? {} : { parent: root.spanId }),
        startedAt,
        endedAt,
        attributes: {
          ...aboutMessage(notification),
          "oss_watcher.decision.outcome": outcome,
          "oss_watcher.decision.doubtful": isDoubtful,
          "oss_watcher.decision.events": events.length,
          ...(events.length === 0
            ? {}
            : { "oss_watcher.event.key": events.slice(0, MAX_KEYS).map(({ key }) => key).join(" ") }),
        },
      });
    }
  }

  detailed({ event, missing, startedAt, endedAt }: TimedDetail): void {
    const root = this.#ids.root(event.messageId);
    this.#tracer.ended(childOf(root), {
      name: "detail",
      parent: root.spanId,
      startedAt,
      endedAt,
      attributes: {
        ...aboutMessage(event),
        "oss_watcher.event.key": event.key,
        ...(missing.length === 0 ? {} : { "oss_watcher.detail.missing": missing.join(" ") }),
      },
    });
  }

  #isNew({ messageId, origin }: Notification): boolean {
    if (origin === "reconcile" || this.#recent.has(messageId)) return false;
    this.#recent.set(messageId, true);
    return true;
  }
}

function aboutMessage({ messageId, eventType }: Pick<Notification, "messageId" | "eventType">): SpanAttributes {
  return { "messaging.message.id": messageId, "oss_watcher.event.type": eventType };
}
