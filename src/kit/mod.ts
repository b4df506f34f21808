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

export * from "./targets.ts";

// LDAP
export { LdapOwnEntries } from "../wire/ldap/ldap_own_entries.ts";
export type { LdapEntryUpdate, LdapFact, LdapOwnEntriesOptions } from "../wire/ldap/ldap_own_entries.ts";
export { type LdapOwnEntry, LdapOwnListing } from "../wire/ldap/ldap_own_listing.ts";
export type { LdapOwnListingOptions, LdapWritten } from "../wire/ldap/ldap_own_listing.ts";

// SMTP
export { composeMail, type MailDraft } from "../wire/smtp/mail_message.ts";

// DNS
export { dnsAddress, dnsReverseName } from "../wire/dns/dns_address.ts";
export type { DnsRecord, DnsRecordOfOneText, DnsRecordType, DnsTextRecord } from "../wire/dns/dns_record.ts";
export { dataText as dnsDataText, isDataOf as isDnsData, recordOfText as dnsRecord } from "../wire/dns/dns_record.ts";
export { type DnsChange, type DnsPrerequisite, dnsUpdateText } from "../wire/dns/dns_update_message.ts";
export type { DnsZoneUpdate } from "../wire/dns/dns_update_message.ts";

// Texts for people. Nothing that a tenant writes can break a line, or hide or reverse what follows
export { type EventFacts, eventHtml, eventRows, eventText, eventTitle } from "../wire/event_text.ts";
export { type EventChange, eventChanges } from "../wire/event_changes.ts";

// Escaping
export { escapeHtml } from "../wire/escaping/escape_html.ts";
export { escapeXml } from "../wire/escaping/escape_xml.ts";

// What a target holds, for `list` and `expected`
export { fingerprint } from "../wire/fingerprint.ts";

// Time-outs
export { Deadline } from "../wire/deadline.ts";
