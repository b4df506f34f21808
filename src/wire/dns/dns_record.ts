import { addressBytes, addressText } from "../ip_address.ts";
import { CLASS, concat, type RawRecord, TYPE } from "./dns_message.ts";
import { absolute, encodeName, readName } from "./dns_name.ts";

/** A record of one of the types that are written. */
export type DnsRecord = DnsRecordOfOneText | DnsTextRecord;

/** A record of an address, or of the name of an address. */
export interface DnsRecordOfOneText {
  /** Without a final dot. */
  readonly name: string;
  /** A: an IPv4 address; AAAA: an IPv6 address; PTR: a name. */
  readonly type: "A" | "AAAA" | "PTR";
  /** In seconds. */
  readonly ttl: number;
  /** The address, or the name without a final dot. */
  readonly data: string;
}

/** A record of texts. */
export interface DnsTextRecord {
  /** Without a final dot. */
  readonly name: string;
  /** Texts of at most 255 bytes each. */
  readonly type: "TXT";
  /** In seconds. */
  readonly ttl: number;
  /** Each character stands for one byte. */
  readonly data: readonly string[];
}

/** The types of {@linkcode DnsRecord}. */
export type DnsRecordType = DnsRecord["type"];

/**
 * The record as it is sent.
 *
 * @throws {RangeError} when its name or its data is not of the form that the type has.
 */
export function rawRecord(record: DnsRecord): RawRecord {
  const { name, type, ttl } = record;
  return { name, type: TYPE[type], class: CLASS.IN, ttl, data: dataOf(record) };
}

/** The record of an answer; `null`: it is of a type or class that is not written. */
export function recordOf({ name, type, class: class_, ttl, data }: RawRecord): DnsRecord | null {
  if (class_ !== CLASS.IN) return null;
  if (type === TYPE.TXT) return { name, type: "TXT", ttl, data: textsOf(data) };
  if (type === TYPE.PTR) return { name, type: "PTR", ttl, data: readName(data, 0)[0] };
  if (type === TYPE.A && data.length === 4) return { name, type: "A", ttl, data: addressText(data) };
  return type === TYPE.AAAA && data.length === 16 ? { name, type: "AAAA", ttl, data: addressText(data) } : null;
}

/** The data of a record as master files and nsupdate have it. */
export function dataText({ type, data }: DnsRecord): string {
  if (type === "TXT") return data.map(quoted).join(" ");
  return type === "PTR" ? absolute(data) : data;
}

function dataOf({ type, data }: DnsRecord): Uint8Array {
  if (type === "PTR") return encodeName(data);
  if (type === "TXT") return concat(data.map(textBytes));
  const bytes = addressBytes(data);
  if (bytes?.length !== (type === "A" ? 4 : 16)) {
    throw new RangeError(`Cannot encode a record: ${type} needs an address`);
  }
  return bytes;
}

function textBytes(text: string): Uint8Array {
  const codes = [...text].map((char) => char.codePointAt(0) ?? 0);
  if (codes.length > 255 || codes.some((code) => code > 255)) {
    throw new RangeError("Cannot encode a record: a text is longer than 255 bytes, or has a character that is no byte");
  }
  return Uint8Array.of(codes.length, ...codes);
}

function textsOf(data: Uint8Array): string[] {
  const texts: string[] = [];
  for (let at = 0; at < data.length;) {
    const length = data[at] as number;
    const bytes = data.subarray(at + 1, at + 1 + length);
    if (bytes.length < length) throw new SyntaxError("a text is cut off");
    texts.push(String.fromCharCode(...bytes));
    at += 1 + length;
  }
  return texts;
}

function quoted(text: string): string {
  const escaped = text.replace(/["\\]/g, "\\$&").replace(
    /[^ -~]/g,
    (char) => `\\${String(char.charCodeAt(0)).padStart(3, "0")}`,
  );
  return `"${escaped}"`;
}
