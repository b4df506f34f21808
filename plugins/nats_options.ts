import type { Detail, NotifyContext, UpdateContext } from "../mod.ts";
import { CLOUD_EVENT_FORMATS, type CloudEventFormat, isCloudEventSource, isOneOf, needs } from "../src/kit/targets.ts";
import {
  isNatsSubject,
  type NatsTargetOptions,
  optional,
  type OptionRules,
  required,
  TEXT,
} from "../src/kit/targets.ts";

/**
 * Returns the subject of an event's message: tokens separated by dots. What tenants choose must go
 * through `natsToken` of `oss-watcher/kit`. Takes the arguments of `notify`; of an update, `created`
 * is `true`, and the context that of `update`. A function that fails makes a dead letter.
 */
export type NatsSubject = (detail: Detail, created: boolean, context: NotifyContext | UpdateContext) => string;

/** Options of `Nats`, with those of `NatsTarget`: `url`, `user`, `password`, `tls`, … */
export interface NatsOptions extends NatsTargetOptions {
  /** Where the messages go: a subject, or a function. A stream must take it. */
  readonly subject: string | NatsSubject;
  /** The stream that must take them; another one is an error and retried. @default any */
  readonly stream?: string;
  /**
   * Publishes CloudEvents 1.0: `cloudevents` as one JSON document, `cloudevents-binary` with the
   * detail as body and headers `ce-…`. @default the detail, without CloudEvents
   */
  readonly format?: CloudEventFormat;
  /** The attribute `source` of CloudEvents: a URI or a reference. @default "/oss-watcher" */
  readonly source?: string;
  /** Unique among the configured plugins. @default "Nats" */
  readonly name?: string;
}

/** What the options must be, those of the server aside. */
export const NATS_RULES: OptionRules<NatsOptions, Exclude<keyof NatsOptions, keyof NatsTargetOptions>> = {
  subject: required(
    (value) => typeof value === "function" || isNatsSubject(value),
    "must be tokens separated by dots, without blanks, * and >, or a function",
  ),
  stream: optional(
    (value) => typeof value === "string" && /^[^\s.*>/\\\p{Cc}]+$/u.test(value),
    "must be a stream's name",
  ),
  format: optional(isOneOf(...CLOUD_EVENT_FORMATS), `must be "cloudevents" or "cloudevents-binary"`),
  source: [optional(isCloudEventSource, "must be a URI or a reference, without blanks"), needs("format")],
  name: TEXT,
};
