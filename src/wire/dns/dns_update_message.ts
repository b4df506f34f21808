import { CLASS, OPCODE, type RawMessage, type RawRecord, TYPE } from "./dns_message.ts";
import { absolute } from "./dns_name.ts";
import { dataText, type DnsRecord, type DnsRecordType, rawRecord } from "./dns_record.ts";

/** What must be so for an UPDATE to be done (RFC 2136, 2.4). */
export type DnsPrerequisite =
  /** The name has no record of any type. */
  | { readonly is: "unused"; readonly name: string }
  /** The name has no record of this type. */
  | { readonly is: "absent"; readonly name: string; readonly type: DnsRecordType }
  /** The name has these records of their type, and no others of it. TTLs do not count. */
  | { readonly is: "equal"; readonly records: readonly DnsRecord[] };

/** A change of one record. */
export interface DnsChange {
  /** Adding a record that is there changes its TTL alone; deleting one that is not there, nothing. */
  readonly operation: "add" | "delete";
  /** Its TTL does not count where it is deleted. */
  readonly record: DnsRecord;
}

/** Changes of a zone that are done together or, if a prerequisite does not hold, not at all. */
export interface DnsZoneUpdate {
  /** The zone's name. */
  readonly zone: string;
  /** All must hold. Empty: nothing is asked. */
  readonly prerequisites: readonly DnsPrerequisite[];
  /** Done in this order. */
  readonly changes: readonly DnsChange[];
}

/**
 * The UPDATE message.
 *
 * @throws {RangeError} when a record cannot be sent.
 */
export function updateMessage(id: number, { zone, prerequisites, changes }: DnsZoneUpdate): RawMessage {
  return {
    id,
    isAnswer: false,
    opcode: OPCODE.UPDATE,
    isAuthoritative: false,
    isTruncated: false,
    rcode: 0,
    questions: [{ name: zone, type: TYPE.SOA, class: CLASS.IN }],
    answers: prerequisites.flatMap(prerequisiteRecords),
    authorities: changes.map(changeRecord),
    additionals: [],
  };
}

/**
 * An update in the language of nsupdate, for previews.
 *
 * @example
 * ```ts
 * import { dnsUpdateText, type DnsZoneUpdate } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * const name = "web-1.example.com";
 * const update: DnsZoneUpdate = {
 *   zone: "example.com",
 *   prerequisites: [{ is: "unused", name }],
 *   changes: [{ operation: "add", record: { name, type: "A", ttl: 300, data: "10.0.0.1" } }],
 * };
 *
 * assert.equal(dnsUpdateText(update), "zone example.com.\nprereq nxdomain web-1.example.com.\nupdate add web-1.example.com. 300 A 10.0.0.1\nsend");
 * ```
 */
export function dnsUpdateText({ zone, prerequisites, changes }: DnsZoneUpdate): string {
  return [
    `zone ${absolute(zone)}`,
    ...prerequisites.flatMap(prerequisiteLines),
    ...changes.map(changeLine),
    "send",
  ].join("\n");
}

function prerequisiteRecords(prerequisite: DnsPrerequisite): RawRecord[] {
  const empty = { class: CLASS.NONE, ttl: 0, data: new Uint8Array() };
  if (prerequisite.is === "unused") return [{ ...empty, name: prerequisite.name, type: TYPE.ANY }];
  if (prerequisite.is === "absent") return [{ ...empty, name: prerequisite.name, type: TYPE[prerequisite.type] }];
  return prerequisite.records.map((record) => ({ ...rawRecord(record), ttl: 0 }));
}

function prerequisiteLines(prerequisite: DnsPrerequisite): string[] {
  if (prerequisite.is === "unused") return [`prereq nxdomain ${absolute(prerequisite.name)}`];
  if (prerequisite.is === "absent") return [`prereq nxrrset ${absolute(prerequisite.name)} ${prerequisite.type}`];
  return prerequisite.records.map((record) =>
    `prereq yxrrset ${absolute(record.name)} ${record.type} ${dataText(record)}`
  );
}

function changeRecord({ operation, record }: DnsChange): RawRecord {
  return operation === "add" ? rawRecord(record) : { ...rawRecord(record), class: CLASS.NONE, ttl: 0 };
}

function changeLine({ operation, record }: DnsChange): string {
  const what = `${record.type} ${dataText(record)}`;
  const name = absolute(record.name);
  return operation === "add" ? `update add ${name} ${record.ttl} ${what}` : `update delete ${name} ${what}`;
}
