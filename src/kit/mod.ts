/**
 * Tools for authors of plugins: clients for HTTP, LDAP, SMTP, DNS and AMQP, escaping for tenants' texts,
 * checks of options, files and time-outs.
 *
 * ```ts
 * import { HttpTarget, idempotencyKey } from "oss-watcher/kit";
 * ```
 *
 * The types and errors that every plugin needs are in `oss-watcher`.
 *
 * @module
 */

// HTTP
export { HttpTarget, type HttpTargetOptions } from "../wire/http/http.ts";
export { withoutHeaders } from "../wire/http/http_options.ts";
export { type HttpAnswer, type HttpPreview, type HttpRequest, isAbsent } from "../wire/http/http_request.ts";
export { type Body, type BodyEvent, type BodyFormat, encodeBody, isBodyFormat } from "../wire/http/http_body.ts";
export { headerList } from "../wire/http/header_list.ts";
export { idempotencyKey } from "../wire/http/idempotency_key.ts";
export {
  isWebhookSecret,
  WEBHOOK_HEADERS,
  webhookHeaders,
  type WebhookMessage,
} from "../wire/http/webhook_signature.ts";

// CloudEvents
export { type CloudEvent, cloudEvent, type CloudEventFormat, cloudEventHeaders } from "../wire/cloud_event.ts";
export { CLOUD_EVENT_FORMATS, encodeCloudEvent, type EncodedCloudEvent } from "../wire/cloud_event.ts";
export { isCloudEventSource } from "../wire/cloud_event.ts";

// LDAP
export { type LdapCondition, type LdapSearch, LdapTarget, type LdapTargetOptions } from "../wire/ldap/ldap.ts";
export type { LdapChange, LdapEntry } from "../wire/ldap/ldap_entry.ts";
export type { KeptValues, LdapContent } from "../wire/ldap/ldap_entry_changes.ts";
export { LdapOwnEntries } from "../wire/ldap/ldap_own_entries.ts";
export type { LdapEntryUpdate, LdapFact, LdapOwnEntriesOptions } from "../wire/ldap/ldap_own_entries.ts";
export type { LdapName } from "../wire/ldap/ldap_renaming.ts";
export { type LdapOwnEntry, LdapOwnListing } from "../wire/ldap/ldap_own_listing.ts";
export type { LdapOwnListingOptions, LdapWritten } from "../wire/ldap/ldap_own_listing.ts";
export { isAttributeName, isSameAttribute } from "../wire/ldap/attribute_name.ts";
export { dnValue, filterValue, isDn } from "../wire/ldap/ldap_text.ts";

// SMTP
export { type RefusedAddress, type SmtpMail, SmtpTarget, type SmtpTargetOptions } from "../wire/smtp/smtp.ts";
export { type MailAddress, mailAddress, mailDomain } from "../wire/smtp/mail_address.ts";
export { composeMail, type MailDraft } from "../wire/smtp/mail_message.ts";

// DNS
export { DnsTarget, type DnsTargetOptions } from "../wire/dns/dns.ts";
export { dnsAddress, dnsReverseName } from "../wire/dns/dns_address.ts";
export {
  absolute as dnsAbsoluteName,
  dnsHostName,
  dnsZoneAmong,
  isSameName as isSameDnsName,
  plainName as dnsPlainName,
} from "../wire/dns/dns_name.ts";
export type { DnsRecord, DnsRecordOfOneText, DnsRecordType, DnsTextRecord } from "../wire/dns/dns_record.ts";
export { dataText as dnsDataText, isDataOf as isDnsData, recordOfText as dnsRecord } from "../wire/dns/dns_record.ts";
export { type DnsChange, type DnsPrerequisite, dnsUpdateText } from "../wire/dns/dns_update_message.ts";
export type { DnsZoneUpdate } from "../wire/dns/dns_update_message.ts";

// AMQP
export { type AmqpMessage, type AmqpPlace, AmqpTarget, type AmqpTargetOptions } from "../wire/amqp/amqp.ts";

// NATS
export { type NatsMessage, type NatsPlace, NatsTarget, type NatsTargetOptions } from "../wire/nats/nats.ts";
export type { NatsTls } from "../wire/nats/nats_options.ts";
export { isNatsSubject, natsToken } from "../wire/nats/nats_subject.ts";

// Kafka
export { isKafkaTopic, type KafkaMessage, KafkaTarget, type KafkaTargetOptions } from "../wire/kafka/kafka.ts";
export type { KafkaMechanism } from "../wire/kafka/kafka_options.ts";

// Texts for people. Nothing that a tenant writes can break a line, or hide or reverse what follows
export { type EventFacts, eventHtml, eventRows, eventText, eventTitle } from "../wire/event_text.ts";
export { type EventChange, eventChanges } from "../wire/event_changes.ts";

// OpenStack's APIs
export { type OpenStackAnswer, type OpenStackRequest, OpenStackTarget } from "../openstack/openstack_target.ts";
export type { OpenStackTargetOptions } from "../openstack/openstack_target.ts";

// Addresses
export { ipAddress } from "../wire/ip_address.ts";

// Escaping
export { escapeHtml } from "../wire/escaping/escape_html.ts";
export { escapeXml } from "../wire/escaping/escape_xml.ts";
export { printable } from "../wire/escaping/printable.ts";
export { pythonRepr, type PythonText } from "../wire/escaping/python_repr.ts";
export { safeJson } from "../wire/escaping/safe_json.ts";

// Options of a plugin; some are functions that config.ts gives
export { givenOptions } from "../wire/options/given_options.ts";
export type { GivenOptions, OptionRule, OptionRules } from "../wire/options/option_rules.ts";
export { allOptionProblems, needs, optional, optionProblems, required } from "../wire/options/option_rules.ts";
export { refuseProblems } from "../wire/options/option_rules.ts";
export { BOOLEAN, isOneOf, isText, isWhole, matches, PORT, TEXT, TIMEOUT } from "../wire/options/option_values.ts";
export { callUserFunction, RETURNS_TEXT, type UserFunction } from "../wire/options/call_user_function.ts";

// What a target holds, for `list` and `expected`
export { fingerprint } from "../wire/fingerprint.ts";

// Time-outs and files
export { Deadline } from "../wire/deadline.ts";
export { LineFile } from "../wire/files/line_file.ts";
