import type { Detail, Json, NotifyContext, Plugin, UpdateContext } from "../mod.ts";
import { type AmqpMessage, type AmqpPlace, AmqpTarget, type AmqpTargetOptions } from "../src/kit/targets.ts";
import { callUserFunction, givenOptions, RETURNS_TEXT } from "../src/kit/targets.ts";
import { optional, optionProblems, type OptionRules, refuseProblems, required, TEXT } from "../src/kit/targets.ts";
import { CLOUD_EVENT_FORMATS, type CloudEventFormat, isCloudEventSource, isOneOf, needs } from "../src/kit/targets.ts";
import { type CloudEvents, eventMessage, isAmqpName, messagePreview } from "./amqp_message.ts";

/**
 * Returns the routing key of an event's message, at most 255 bytes. Takes the arguments of
 * `notify`; of an update, `created` is `true`, and the context that of `update`, with `kind:
 * "update"`, `before` and `changed`. A function that fails makes a dead letter.
 */
export type AmqpRoutingKey = (detail: Detail, created: boolean, context: NotifyContext | UpdateContext) => string;

/**
 * Options of {@linkcode AmqpPublish}, with those of `AmqpTarget`: `url`, or `host`, `port`, `user`,
 * `password`, `vhost`; `tls`, …
 */
export interface AmqpPublishOptions extends AmqpTargetOptions {
  /** Publish to this exchange, which its owner must have declared. This or `queue` is needed. */
  readonly exchange?: string;
  /**
   * For messages to `exchange`: a text, or a function. @default the event's type, as
   * compute.instance.create.end
   */
  readonly routingKey?: string | AmqpRoutingKey;
  /**
   * Publish to this queue instead of an exchange. While it does not exist, messages are unroutable
   * and retried.
   */
  readonly queue?: string;
  /**
   * Publishes CloudEvents 1.0: `cloudevents` as one JSON document, `cloudevents-binary` with the
   * detail as body and headers `cloudEvents:…`. @default the detail, without CloudEvents
   */
  readonly format?: CloudEventFormat;
  /** The attribute `source` of CloudEvents: a URI or a reference. @default "/oss-watcher" */
  readonly source?: string;
  /** Unique among the configured plugins. @default "AmqpPublish" */
  readonly name?: string;
}

/**
 * Publishes every event's detail as a persistent JSON message. The delivery is done when the broker
 * has confirmed that a queue has it (publisher confirm). `message_id` is the event's key, by which
 * receivers recognise an event that comes twice; `type` is its type, `timestamp` its time. The header
 * `kind` is `creation`, `update` or `deletion`; `created` (`false` for a deletion alone) and
 * `creationSeen` are booleans. Of an update, `changed` lists the keys that differ, as `headerList`
 * of `oss-watcher/kit` writes them: `FQDN,Metadata`. An unroutable message is an error and retried.
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
  readonly #cloudEvents: CloudEvents | undefined;
  readonly #target: AmqpTarget;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: AmqpPublishOptions) {
    const given = givenOptions("AmqpPublish", options);
    const { name = "AmqpPublish", exchange = "", queue, routingKey = queue, format, source, ...server } = given;
    refuseProblems("Cannot make AmqpPublish", [...optionProblems(options, RULES), ...AmqpTarget.problems(server)]);
    this.name = name;
    this.#to = queue === undefined ? { exchange } : { queue };
    this.#routingKey = routingKey;
    this.#cloudEvents = format && { format, source };
    this.#target = new AmqpTarget(server);
  }

  /**
   * Publishes the event's message, and waits for the broker's confirmation.
   *
   * @throws {PermanentError} when the broker or AMQP cannot carry the message, or `routingKey`
   * fails.
   * @throws {DeliveryError} when no queue takes it, the broker does not accept it at present,
   * refuses our credentials, or cannot be reached.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await this.#target.publish(this.#message(detail, created, context), context.signal);
  }

  /** Publishes the update's message, as {@linkcode AmqpPublish.notify} does. */
  async update(detail: Detail, context: UpdateContext): Promise<void> {
    await this.#target.publish(this.#message(detail, true, context), context.signal);
  }

  /** The message that {@linkcode AmqpPublish.notify} would publish, in AMQP's terms. */
  preview(detail: Detail, created: boolean, context: NotifyContext): Json {
    return messagePreview(this.#message(detail, created, context));
  }

  /** The message that {@linkcode AmqpPublish.update} would publish, likewise. */
  previewUpdate(detail: Detail, context: UpdateContext): Json {
    return messagePreview(this.#message(detail, true, context));
  }

  /**
   * Rejects when no broker can be reached, it refuses our credentials, or exchange or queue is
   * missing.
   */
  async check(signal: AbortSignal): Promise<void> {
    await this.#target.check(this.#to, signal);
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  #message(detail: Detail, created: boolean, context: NotifyContext | UpdateContext): AmqpMessage {
    const routing = this.#routingKey ?? context.eventType;
    const routingKey = typeof routing === "string"
      ? routing
      : callUserFunction({ ...RETURNS_TEXT, plugin: this.name, option: "routingKey" }, () =>
        routing(detail, created, context));
    return eventMessage(detail, { created, context, to: this.#to, routingKey, cloudEvents: this.#cloudEvents });
  }
}

const NAME = optional<AmqpPublishOptions>(isAmqpName, "must be a name of 1 to 255 bytes");

const RULES: OptionRules<AmqpPublishOptions, Exclude<keyof AmqpPublishOptions, keyof AmqpTargetOptions>> = {
  exchange: [NAME, required((value, { queue }) => value !== undefined || queue !== undefined, "needed, or queue")],
  queue: [NAME, optional((_queue, { exchange }) => exchange === undefined, "stands beside exchange; keep one")],
  routingKey: [
    optional(
      (value) => value === "" || typeof value === "function" || isAmqpName(value),
      "must be a text of at most 255 bytes, or a function",
    ),
    optional((_key, { queue }) => queue === undefined, "needs exchange; a queue has none"),
  ],
  format: optional(isOneOf(...CLOUD_EVENT_FORMATS), `must be "cloudevents" or "cloudevents-binary"`),
  source: [optional(isCloudEventSource, "must be a URI or a reference, without blanks"), needs("format")],
  name: TEXT,
};
