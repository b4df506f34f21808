import { type Detail, type Json, type NotifyContext, PermanentError, type Plugin } from "../mod.ts";
import { type AmqpMessage, type AmqpPlace, AmqpTarget, type AmqpTargetOptions } from "../src/kit/mod.ts";
import { callUserFunction, givenOptions, printable, RETURNS_TEXT } from "../src/kit/mod.ts";
import { optional, optionProblems, type OptionRules, refuseProblems, required, TEXT } from "../src/kit/mod.ts";

/** Makes the routing key of an event's message, given what `notify` is given. At most 255 bytes. One that fails makes a dead letter. */
export type AmqpRoutingKey = (detail: Detail, created: boolean, context: NotifyContext) => string;

/** Options of {@linkcode AmqpPublish}, with those of `AmqpTarget`: `url`, or `host`, `port`, `user`, `password`, `vhost`; `tls`, … */
export interface AmqpPublishOptions extends AmqpTargetOptions {
  /** Publish to this exchange. It must be there: it is its owner's to declare. This or `queue` is needed. */
  readonly exchange?: string;
  /** Of messages to `exchange`: a text, or a function. @default the event's type, as compute.instance.create.end */
  readonly routingKey?: string | AmqpRoutingKey;
  /** Publish to this queue, instead of an exchange. It must be there, or the message is unroutable, and tried again. */
  readonly queue?: string;
  /** Unique among the configured plugins. @default "AmqpPublish" */
  readonly name?: string;
}

/**
 * Publishes every event's detail as a persistent JSON message, and is done when the broker has confirmed that a queue has it. Its
 * `message_id` is the event's key: an event may come twice, its key tells. `type` is the event's type, `timestamp` its time; the headers
 * `created` and `creationSeen` are booleans. A message that no queue is bound for is an error, tried again.
 *
 * @example
 * ```ts
 * import { AmqpPublish, type AmqpPublishOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: AmqpPublishOptions = {
 *   url: "amqps://watcher:s3cret@rabbit-1.example.com/events",
 *   exchange: "cloud",
 *   routingKey: (_detail, created) => created ? "node.created" : "node.deleted",
 * };
 *
 * assert.equal(new AmqpPublish(options).name, "AmqpPublish");
 * assert.throws(() => new AmqpPublish({ ...options, queue: "nodes" }), /queue: stands beside exchange/);
 * ```
 */
export class AmqpPublish implements Plugin {
  readonly name: string;
  readonly #to: AmqpPlace;
  readonly #routingKey: string | AmqpRoutingKey | undefined;
  readonly #target: AmqpTarget;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: AmqpPublishOptions) {
    const given = givenOptions("AmqpPublish", options);
    const { name = "AmqpPublish", exchange = "", queue, routingKey = queue, ...server } = given;
    refuseProblems("Cannot make AmqpPublish", [...optionProblems(options, RULES), ...AmqpTarget.problems(server)]);
    this.name = name;
    this.#to = queue === undefined ? { exchange } : { queue };
    this.#routingKey = routingKey;
    this.#target = new AmqpTarget(server);
  }

  /**
   * Publishes the event's message, and waits for the broker's confirmation.
   *
   * @throws {PermanentError} when the broker, or AMQP, can never take the message, or the function
   * `routingKey` fails.
   * @throws {DeliveryError} when no queue takes it, the broker does not accept it at present,
   * refuses our credentials, or cannot be reached.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await this.#target.publish(this.#message(detail, created, context), context.signal);
  }

  /** The message that {@linkcode AmqpPublish.notify} would publish, in AMQP's words. */
  preview(detail: Detail, created: boolean, context: NotifyContext): Json {
    const { messageId, type, contentType, timestamp, headers, ...message } = this.#message(detail, created, context);
    return {
      exchange: "exchange" in this.#to ? this.#to.exchange : "",
      routing_key: message.routingKey,
      mandatory: true,
      properties: {
        message_id: messageId,
        type,
        content_type: contentType,
        delivery_mode: 2,
        timestamp,
        headers: { ...headers },
      },
      body: JSON.parse(message.body),
    };
  }

  /** Rejects when no broker can be reached, it does not know us, or the exchange or queue is not there. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#target.check(this.#to, signal);
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  #message(detail: Detail, created: boolean, context: NotifyContext): AmqpMessage {
    const { key, eventType, time, creationSeen } = context;
    const routing = this.#routingKey ?? eventType;
    const routingKey = typeof routing === "string"
      ? routing
      : callUserFunction({ ...RETURNS_TEXT, plugin: this.name, option: "routingKey" }, () =>
        routing(detail, created, context));
    return {
      to: this.#to,
      routingKey: short("routing key", routingKey),
      messageId: short("message_id", key),
      type: short("type", eventType),
      contentType: "application/json",
      timestamp: Math.floor(Date.parse(time) / 1000),
      headers: { created, creationSeen },
      body: JSON.stringify(detail),
    };
  }
}

const MAX_SHORT_BYTES = 255;
const NAME = optional<AmqpPublishOptions>(isName, "must be a name of 1 to 255 bytes");

const RULES: OptionRules<AmqpPublishOptions, Exclude<keyof AmqpPublishOptions, keyof AmqpTargetOptions>> = {
  exchange: [NAME, required((value, { queue }) => value !== undefined || queue !== undefined, "needed, or queue")],
  queue: [NAME, optional((_queue, { exchange }) => exchange === undefined, "stands beside exchange; keep one")],
  routingKey: [
    optional(
      (value) => value === "" || typeof value === "function" || isName(value),
      "must be a text of at most 255 bytes, or a function",
    ),
    optional((_key, { queue }) => queue === undefined, "needs exchange; a queue has none"),
  ],
  name: TEXT,
};

function isName(value: unknown): boolean {
  return typeof value === "string" && /^\P{Cc}+$/u.test(value) && isShort(value);
}

/** A text for a field that AMQP calls a short string. */
function short(what: string, text: string): string {
  const sent = text.toWellFormed();
  if (isShort(sent)) return sent;
  throw new PermanentError(`Cannot use the ${what} "${printable(sent, 80)}": longer than ${MAX_SHORT_BYTES} bytes`);
}

function isShort(text: string): boolean {
  return new TextEncoder().encode(text).length <= MAX_SHORT_BYTES;
}
