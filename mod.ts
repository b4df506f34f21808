/**
 * All that a config.ts or a plugin imports: types, {@linkcode env}, the errors that steer retries, and tools that keep hostile
 * values and secrets in their place.
 *
 * @module
 */

export type {
  Config,
  CreationEvent,
  DeletionEvent,
  DeliveryOptions,
  DetailOptions,
  Events,
} from "./src/model/config.ts";
export type { LedgerOptions, MetadataNames, OpenStackOptions, OwnQueue } from "./src/model/config.ts";
export type { RabbitSource, RabbitTls, RetryOptions } from "./src/model/config.ts";
export type { Detail, DetailAddress, DetailField, DetailFloatingIp, DetailWhole } from "./src/model/detail.ts";
export { DeliveryError, type FailureReason, PermanentError } from "./src/model/errors.ts";
export type { Subject } from "./src/model/event.ts";
export type { Json, JsonObject } from "./src/model/notification.ts";
export type { Logger, NotifyContext, Plugin } from "./src/model/plugin.ts";
export { env } from "./src/wire/env.ts";
export { HttpTarget, type HttpTargetOptions } from "./src/wire/http.ts";
export { printable } from "./src/wire/escape.ts";
export { escapeXml, visibleAscii } from "./src/wire/escape.ts";
export { type Body, type BodyFormat, encodeBody, isBodyFormat } from "./src/wire/http_body.ts";
export { LineFile } from "./src/wire/line_file.ts";
export { pythonRepr, type PythonText } from "./src/wire/python_repr.ts";
export { isWebhookSecret, webhookHeaders, type WebhookMessage } from "./src/wire/webhook_signature.ts";
