import { type Detail, type Json, type NotifyContext, PermanentError, type Plugin, type UpdateContext } from "../mod.ts";
import { callUserFunction, givenOptions, isKafkaTopic, type KafkaMessage, KafkaTarget } from "../src/kit/targets.ts";
import { optionProblems, printable, refuseProblems, RETURNS_TEXT } from "../src/kit/targets.ts";
import { busMessage } from "./bus_message.ts";
import { KAFKA_RULES, type KafkaOptions, type KafkaText } from "./kafka_options.ts";

/**
 * Publishes every event's detail as JSON to a topic of Kafka. The delivery is done when all replicas
 * in sync have the message (`acks=all`, by an idempotent producer). An event may come twice after a
 * failure: the header `idempotency-key` is its key. Headers tell the rest, in lower case:
 * `oss-watcher-kind` (`creation`, `update` or `deletion`), `-event-type`, `-sequence`,
 * `-creation-seen`; `-changed` of an update.
 *
 * @example
 * ```ts
 * import { Kafka, type KafkaOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: KafkaOptions = {
 *   brokers: ["kafka-1.example.com:9093", "kafka-2.example.com:9093"],
 *   tls: true,
 *   user: "oss-watcher",
 *   password: "s3cret",
 *   topic: "cloud",
 * };
 *
 * assert.equal(new Kafka(options).name, "Kafka");
 * assert.throws(() => new Kafka({ ...options, topic: "cloud events" }), /topic: must be 1 to 249 letters/);
 * ```
 */
export class Kafka implements Plugin {
  readonly name: string;
  readonly #options: KafkaOptions;
  readonly #target: KafkaTarget;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: KafkaOptions) {
    const { name, topic: _, key: _key, format: _format, source: _source, ...cluster } = givenOptions("Kafka", options);
    refuseProblems("Cannot make Kafka", [...optionProblems(options, KAFKA_RULES), ...KafkaTarget.problems(cluster)]);
    this.name = name ?? "Kafka";
    this.#options = options;
    this.#target = new KafkaTarget(cluster);
  }

  /**
   * Publishes the event's message, and waits for the acknowledgement.
   *
   * @throws {PermanentError} when the topic can never take it, or a function of config.ts fails.
   * @throws {DeliveryError} when the topic is not there, the broker does not accept it at present,
   * refuses our credentials, or cannot be reached.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await this.#target.publish(this.#message(detail, created, context), context.signal);
  }

  /** Publishes the update's message, as {@linkcode Kafka.notify} does. */
  async update(detail: Detail, context: UpdateContext): Promise<void> {
    await this.#target.publish(this.#message(detail, true, context), context.signal);
  }

  /** The message that {@linkcode Kafka.notify} would publish, its body parsed. */
  preview(detail: Detail, created: boolean, context: NotifyContext): Json {
    return shown(this.#message(detail, created, context));
  }

  /** The message that {@linkcode Kafka.update} would publish, likewise. */
  previewUpdate(detail: Detail, context: UpdateContext): Json {
    return shown(this.#message(detail, true, context));
  }

  /** Rejects when no broker can be reached, it refuses our credentials, or the topic is missing. */
  async check(signal: AbortSignal): Promise<void> {
    const { topic } = this.#options;
    await this.#target.check(typeof topic === "string" ? topic : undefined, signal);
  }

  /** Closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  #message(detail: Detail, created: boolean, context: NotifyContext | UpdateContext): KafkaMessage {
    const { topic, key, format, source } = this.#options;
    const made = (option: string, make: KafkaText) =>
      callUserFunction({ ...RETURNS_TEXT, plugin: this.name, option }, () => make(detail, created, context));
    const { id, headers, body } = busMessage(detail, context, { format, source });
    return {
      topic: typeof topic === "string" ? topic : this.#topic(made("topic", topic)),
      // server/<id>/creation
      key: key === undefined ? context.key.split("/")[1]! : made("key", key),
      headers: { "idempotency-key": id, ...kafkaHeaders(headers) },
      body,
    };
  }

  #topic(made: string): string {
    if (isKafkaTopic(made)) return made;
    throw new PermanentError(`The function topic of ${this.name} returned "${printable(made, 80)}", which is no topic`);
  }
}

/** Names as they are usual there, and as CloudEvents' binding for Kafka has them. */
function kafkaHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase().replace(/^ce-/, "ce_"), value]),
  );
}

/** A message as JSON. */
function shown({ body, ...message }: KafkaMessage): Json {
  return { ...message, headers: { ...message.headers }, body: JSON.parse(body) };
}
