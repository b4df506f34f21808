// The part of the kit that plugins need when config.ts makes them: targets, and checks of options. What
// deliveries need besides is in mod.ts. Every config.ts loads the built-in plugins, so the files of their
// classes and options import this one alone.

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
export type { LdapName } from "../wire/ldap/ldap_renaming.ts";
export { isAttributeName, isSameAttribute } from "../wire/ldap/attribute_name.ts";
export { dnValue, filterValue, isDn } from "../wire/ldap/ldap_text.ts";

// SMTP
export { type RefusedAddress, type SmtpMail, SmtpTarget, type SmtpTargetOptions } from "../wire/smtp/smtp.ts";
export { type MailAddress, mailAddress, mailDomain } from "../wire/smtp/mail_address.ts";

// DNS
export { DnsTarget, type DnsTargetOptions } from "../wire/dns/dns.ts";
export {
  absolute as dnsAbsoluteName,
  dnsHostName,
  dnsZoneAmong,
  isSameName as isSameDnsName,
  plainName as dnsPlainName,
} from "../wire/dns/dns_name.ts";

// AMQP
export { type AmqpMessage, type AmqpPlace, AmqpTarget, type AmqpTargetOptions } from "../wire/amqp/amqp.ts";

// NATS
export { type NatsMessage, type NatsPlace, NatsTarget, type NatsTargetOptions } from "../wire/nats/nats.ts";
export type { NatsTls } from "../wire/nats/nats_options.ts";
export { isNatsSubject, natsToken } from "../wire/nats/nats_subject.ts";

// Kafka
export { isKafkaTopic, type KafkaMessage, KafkaTarget, type KafkaTargetOptions } from "../wire/kafka/kafka.ts";
export type { KafkaMechanism } from "../wire/kafka/kafka_options.ts";

// OpenStack's APIs
export { type OpenStackAnswer, type OpenStackRequest, OpenStackTarget } from "../openstack/openstack_target.ts";
export type { OpenStackTargetOptions } from "../openstack/openstack_target.ts";

// Addresses
export { ipAddress } from "../wire/ip_address.ts";

// Escaping
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

// Files
export { LineFile } from "../wire/files/line_file.ts";
