import type { Json } from "../mod.ts";
import { dnsAbsoluteName, dnsDataText, dnsPlainName, type DnsRecord, dnsRecord } from "../src/kit/mod.ts";
import type { DnsRrset } from "./dns_rrsets.ts";

/** Designate takes several texts in a TXT record only if it is longer than this, quotes included. */
const MAX_TEXT = 255;

/** A set of records from a recordset of Designate; `null`: it is none. */
export function rrsetOf(row: Readonly<Record<string, Json>>): DnsRrset | null {
  const { id, name, type, ttl, records } = row;
  if (typeof id !== "string" || typeof name !== "string" || typeof type !== "string" || !isTexts(records)) return null;
  const set = { id, name: dnsPlainName(name), type, ttl: typeof ttl === "number" ? ttl : NaN };
  return { ...set, rows: records.map((text) => ({ content: isOwners(set) ? apart(text) : text })) };
}

/** What Designate is to be told of a set. Without a TTL of its own it has the zone's. */
export function recordsetOf(set: DnsRrset): { readonly [key: string]: Json } {
  const records = set.rows.map(({ content }) => isOwners(set) ? together(content) : content);
  return { records, ...Number.isNaN(set.ttl) ? {} : { ttl: set.ttl } };
}

/** The same of a new set. */
export function newRecordsetOf(set: DnsRrset): { readonly [key: string]: Json } {
  return { name: dnsAbsoluteName(set.name), type: set.type, ...recordsetOf(set) };
}

/** Whether it is the record of an owner. */
export function isOwners({ name, type }: Pick<DnsRrset, "name" | "type">): boolean {
  return type === "TXT" && name.startsWith("_oss-watcher.");
}

/**
 * The owner's record while others are being written: it lists what is there and what will be. The
 * same as `after` if nothing goes, `undefined` if nothing comes.
 */
export function unionOf(before: DnsRrset | undefined, after: DnsRrset): DnsRrset | undefined {
  if (before === undefined || before.rows.length === 0) return after;
  const textsOf = ({ rows }: DnsRrset) => rows.flatMap(({ content }) => textRecordOf(content));
  const [old, wanted] = [textsOf(before), textsOf(after)];
  const gone = old.filter((text) => !wanted.includes(text));
  if (wanted.every((text) => old.includes(text))) return undefined;
  if (gone.length === 0) return after;
  const data = [...wanted, ...gone];
  return { ...after, rows: [{ content: dnsDataText({ name: after.name, type: "TXT", ttl: after.ttl, data }) }] };
}

/** One text where there is room, since Designate has it so; none of an owner's has a blank. */
function together(content: string): string {
  const record = textRecordOf(content);
  const texts = record.reduce<string[]>((lines, text) => {
    const last = lines.at(-1);
    const isRoom = last !== undefined && last.length + 1 + text.length + 2 <= MAX_TEXT;
    return isRoom ? [...lines.slice(0, -1), `${last} ${text}`] : [...lines, text];
  }, []);
  return dnsDataText(textRecord(texts));
}

/** The texts that were put together. */
function apart(content: string): string {
  return dnsDataText(textRecord(textRecordOf(content).flatMap((text) => text.split(" "))));
}

function textRecordOf(content: string): readonly string[] {
  const record = dnsRecord({ name: "", type: "TXT", ttl: 0, text: content });
  return record?.type === "TXT" ? record.data : [content];
}

function textRecord(data: readonly string[]): DnsRecord {
  return { name: "", type: "TXT", ttl: 0, data };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
