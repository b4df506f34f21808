import type { Detail, NotifyContext, UpdateContext } from "../mod.ts";
import { CLOUD_EVENT_FORMATS, type CloudEventFormat, isCloudEventSource, isOneOf, needs } from "../src/kit/targets.ts";
import {
  isKafkaTopic,
  type KafkaTargetOptions,
  optional,
  type OptionRules,
  required,
  TEXT,
} from "../src/kit/targets.ts";

/**
 * Returns a text for an event's message. Takes the arguments of `notify`; of an update, `created` is
 * `true`, and the context that of `update`. A function that fails makes a dead letter.
 */
export type KafkaText = (detail: Detail, created: boolean, context: NotifyContext | UpdateContext) => string;

/** Options of `Kafka`, with those of `KafkaTarget`: `brokers`, `user`, `password`, `tls`, … */
export interface KafkaOptions extends KafkaTargetOptions {
  /** Where the messages go: a topic, which its owner must have made, or a function. */
  readonly topic: string | KafkaText;
  /**
   * The key of the messages: those of one key are in one partition, in order. @default the id of the
   * server or floating IP
   */
  readonly key?: KafkaText;
  /**
   * Publishes CloudEvents 1.0: `cloudevents` as one JSON document, `cloudevents-binary` with the
   * detail as body and headers `ce_…`. @default the detail, without CloudEvents
   */
  readonly format?: CloudEventFormat;
  /** The attribute `source` of CloudEvents: a URI or a reference. @default "/oss-watcher" */
  readonly source?: string;
  /** Unique among the configured plugins. @default "Kafka" */
  readonly name?: string;
}

/** What the options must be, those of the cluster aside. */
export const KAFKA_RULES: OptionRules<KafkaOptions, Exclude<keyof KafkaOptions, keyof KafkaTargetOptions>> = {
  topic: required(
    (value) => typeof value === "function" || isKafkaTopic(value),
    "must be 1 to 249 letters, digits, dots, _ and -, or a function",
  ),
  key: optional((value) => typeof value === "function", "must be a function"),
  format: optional(isOneOf(...CLOUD_EVENT_FORMATS), `must be "cloudevents" or "cloudevents-binary"`),
  source: [optional(isCloudEventSource, "must be a URI or a reference, without blanks"), needs("format")],
  name: TEXT,
};
