import type { Detail, NotifyContext, UpdateContext } from "../mod.ts";
import { cloudEvent, type CloudEventFormat, cloudEventHeaders } from "../src/kit/targets.ts";
import { encodeCloudEvent, headerList, idempotencyKey } from "../src/kit/targets.ts";

/** How events are published as CloudEvents; `undefined`: the detail alone. */
export interface BusCloudEvents {
  readonly format: CloudEventFormat | undefined;
  readonly source: string | undefined;
}

/** An event as messages of NATS and Kafka carry it. */
export interface BusMessage {
  /** The event's key, percent-encoded as for a header of HTTP. */
  readonly id: string;
  /** Visible ASCII. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON: a detail, or a CloudEvent. */
  readonly body: string;
}

/**
 * The message of an event.
 *
 * @throws {PermanentError} when its key is too long for a header.
 */
export function busMessage(
  detail: Detail,
  context: NotifyContext | UpdateContext,
  { format, source }: BusCloudEvents,
): BusMessage {
  const { kind, key, sequence, creationSeen, eventType } = context;
  const { contentType, attributes, body } = format === undefined
    ? { contentType: "application/json", attributes: {}, body: JSON.stringify(detail) }
    : encodeCloudEvent(cloudEvent(detail, context, source), format);
  return {
    id: idempotencyKey(key),
    headers: {
      "Content-Type": contentType,
      "OSS-Watcher-Kind": kind,
      "OSS-Watcher-Event-Type": headerList([eventType]),
      "OSS-Watcher-Sequence": String(sequence),
      "OSS-Watcher-Creation-Seen": String(creationSeen),
      ...(context.kind === "update" && { "OSS-Watcher-Changed": headerList(context.changed) }),
      ...cloudEventHeaders({ attributes }),
    },
    body,
  };
}
