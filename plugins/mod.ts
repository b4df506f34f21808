/**
 * The built-in plugins, one class per file.
 *
 * @module
 */

export { AmqpPublish, type AmqpPublishOptions, type AmqpRoutingKey } from "./amqp_publish.ts";
export { Designate } from "./designate.ts";
export type { DesignateOptions } from "./designate_options.ts";
export { DirectoryNotify } from "./directory_notify.ts";
export type { DirectoryNotifyOptions } from "./directory_options.ts";
export { type DirectoryRecord, directoryRecord } from "./directory_record.ts";
export type { MailText } from "./email_message.ts";
export { EmailNotify } from "./email_notify.ts";
export type { EmailNotifyOptions } from "./email_options.ts";
export type { MailRecipients, MailTo } from "./email_recipients.ts";
export type { DnsAddresses, DnsRecordsOptions } from "./dns_options.ts";
export { DnsPlugin } from "./dns_plugin.ts";
export { DnsUpdate, type DnsUpdateOptions } from "./dns_update.ts";
export type { DnsPlace, DnsZones } from "./dns_zones.ts";
export { EventLog, type EventLogOptions } from "./event_log.ts";
export { Kafka } from "./kafka.ts";
export type { KafkaOptions, KafkaText } from "./kafka_options.ts";
export { LdapDirectory } from "./ldap_directory.ts";
export type { LdapDirectoryOptions } from "./ldap_options.ts";
export type { LdapValue } from "./ldap_presets.ts";
export { Nats } from "./nats.ts";
export type { NatsOptions, NatsSubject } from "./nats_options.ts";
export { NetBox } from "./netbox.ts";
export type { NetBoxAddress, NetBoxChoice, NetBoxOptions, NetBoxReference } from "./netbox_options.ts";
export { PowerDns } from "./powerdns.ts";
export type { PowerDnsOptions } from "./powerdns_options.ts";
export { RestNotify } from "./rest_notify.ts";
export type { RestNotifyOptions } from "./rest_options.ts";
export { Webhook } from "./webhook.ts";
export type { WebhookChat, WebhookOptions, WebhookText } from "./webhook_options.ts";
