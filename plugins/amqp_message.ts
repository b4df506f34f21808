import { type Detail, type Json, type NotifyContext, PermanentError, type UpdateContext } from "../mod.ts";
import { type AmqpMessage, type AmqpPlace, cloudEvent, type CloudEventFormat } from "../src/kit/targets.ts";
import { encodeCloudEvent, headerList, printable } from "../src/kit/targets.ts";

const MAX_SHORT_BYTES = 255;

/** How events are published as CloudEvents. */
export interface CloudEvents {
  readonly format: CloudEventFormat;
  readonly source: string | undefined;
}

/**
 * The message of an event.
 *
 * @throws {PermanentError} when a text is too long for AMQP.
 */
export function eventMessage(
  detail: Detail,
  { created, context, to, routingKey, cloudEvents }: {
    readonly cloudEvents?: CloudEvents | undefined;
    readonly created: boolean;
    readonly context: NotifyContext | UpdateContext;
    readonly to: AmqpPlace;
    readonly routingKey: string;
  },
): AmqpMessage {
  const { key, sequence, eventType, time, creationSeen } = context;
  const { contentType, attributes, body } = cloudEvents === undefined
    ? { contentType: "application/json", attributes: {}, body: JSON.stringify(detail) }
    : encodeCloudEvent(cloudEvent(detail, context, cloudEvents.source), cloudEvents.format);
  return {
    to,
    routingKey: shortString("routing key", routingKey),
    messageId: shortString("message_id", key),
    type: shortString("type", eventType),
    contentType,
    timestamp: Math.floor(Date.parse(time) / 1000),
    headers: {
      ...{ kind: context.kind, sequence, created, creationSeen },
      ...(context.kind === "update" ? { changed: headerList(context.changed) } : {}),
      // As CloudEvents' binding for AMQP 1.0 names its application properties.
      ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`cloudEvents:${name}`, value])),
    },
    body,
  };
}

/** A message as JSON, in AMQP's terms. */
export function messagePreview({ to, routingKey, body, ...properties }: AmqpMessage): Json {
  const { messageId, type, contentType, timestamp, headers } = properties;
  return {
    exchange: "exchange" in to ? to.exchange : "",
    routing_key: routingKey,
    mandatory: true,
    properties: {
      message_id: messageId,
      type,
      content_type: contentType,
      delivery_mode: 2,
      timestamp,
      headers: { ...headers },
    },
    body: JSON.parse(body),
  };
}

/** Whether a value can name an exchange, a queue or a routing key. */
export function isAmqpName(value: unknown): boolean {
  return typeof value === "string" && /^\P{Cc}+$/u.test(value) && isShort(value);
}

/** Checks a text for a field of AMQP's type short string. */
function shortString(what: string, text: string): string {
  const sent = text.toWellFormed();
  if (isShort(sent)) return sent;
  throw new PermanentError(`Cannot use the ${what} "${printable(sent, 80)}": longer than ${MAX_SHORT_BYTES} bytes`);
}

function isShort(text: string): boolean {
  return new TextEncoder().encode(text).length <= MAX_SHORT_BYTES;
}
