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
  IpVersion,
} from "./src/model/config.ts";
export type { LedgerOptions, LogLevel, LogOptions, MetadataNames, MetricsOptions } from "./src/model/config.ts";
export type { OpenStackOptions, OwnQueue } from "./src/model/config.ts";
export type { RabbitSource, RabbitTls, RetryOptions } from "./src/model/config.ts";
export type { Detail, DetailAddress, DetailField, DetailFloatingIp, DetailWhole } from "./src/model/detail.ts";
export { DeliveryError, type FailureReason, PermanentError } from "./src/model/errors.ts";
export type { Subject } from "./src/model/event.ts";
export type { Json, JsonObject } from "./src/model/notification.ts";
export type { Logger, NotifyContext, Plugin } from "./src/model/plugin.ts";
export { env } from "./src/wire/secrets/env.ts";
export { HttpTarget, type HttpTargetOptions } from "./src/wire/http/http.ts";
export { givenOptions } from "./src/wire/options/given_options.ts";
export { printable } from "./src/wire/escaping/printable.ts";
export { escapeXml } from "./src/wire/escaping/escape_xml.ts";
export { type Body, type BodyFormat, encodeBody, isBodyFormat } from "./src/wire/http/http_body.ts";
export { idempotencyKey } from "./src/wire/http/idempotency_key.ts";
export { safeJson } from "./src/wire/escaping/safe_json.ts";
export { LineFile } from "./src/wire/files/line_file.ts";
export { callUserFunction, RETURNS_TEXT, type UserFunction } from "./src/wire/options/call_user_function.ts";
export { pythonRepr, type PythonText } from "./src/wire/escaping/python_repr.ts";
export { isWebhookSecret, webhookHeaders, type WebhookMessage } from "./src/wire/http/webhook_signature.ts";
export { type LdapCondition, type LdapSearch, LdapTarget, type LdapTargetOptions } from "./src/wire/ldap/ldap.ts";
export type { LdapChange, LdapEntry } from "./src/wire/ldap/ldap_entry.ts";
export {
  type LdapContent,
  type LdapFact,
  LdapOwnEntries,
  type LdapOwnEntriesOptions,
} from "./src/wire/ldap/ldap_own_entries.ts";
export { dnValue, filterValue, isDn } from "./src/wire/ldap/ldap_text.ts";
export { type AmqpMessage, type AmqpPlace, AmqpTarget, type AmqpTargetOptions } from "./src/wire/amqp/amqp.ts";
export { Deadline } from "./src/wire/deadline.ts";
export { escapeHtml } from "./src/wire/escaping/escape_html.ts";
export { type EventFacts, eventHtml, eventRows, eventText, eventTitle } from "./src/wire/event_text.ts";
export { type MailAddress, mailAddress, mailDomain } from "./src/wire/smtp/mail_address.ts";
export { composeMail, type MailDraft } from "./src/wire/smtp/mail_message.ts";
export { type RefusedAddress, type SmtpMail, SmtpTarget, type SmtpTargetOptions } from "./src/wire/smtp/smtp.ts";
