import { addressBytes, addressText } from "../ip_address.ts";
import { concat } from "../concat.ts";
import { CLASS, type RawRecord, TYPE } from "./dns_message.ts";
import { absolute, encodeName, isSameName, plainName, readName } from "./dns_name.ts";

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

/**
 * The data of a record as master files, nsupdate and APIs of name servers have it.
 *
 * @example
 * ```ts
 * import { dnsDataText, isDnsData } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * const record = { name: "web-1.example.com", type: "TXT", ttl: 300, data: ["a", 'say "hi"'] } as const;
 *
 * assert.equal(dnsDataText(record), '"a" "say \\"hi\\""');
 * assert.ok(isDnsData('"a"  "say \\034hi\\034"', record));
 * ```
 */
export function dataText({ type, data }: DnsRecord): string {
  if (type === "TXT") return data.map(quoted).join(" ");
  return type === "PTR" ? absolute(data) : data;
}

/** The record of a text; `null`: it is of a type that is not written, or not of its form. */
export function recordOfText(
  { name, type, ttl, text }: {
    readonly name: string;
    readonly type: string;
    readonly ttl: number;
    readonly text: string;
  },
): DnsRecord | null {
  if (type === "PTR") return { name, type, ttl, data: plainName(text) };
  if (type === "TXT") {
    const data = unquoted(text);
    return data === null ? null : { name, type, ttl, data };
  }
  const bytes = addressBytes(text);
  if (type === "A" && bytes?.length === 4) return { name, type, ttl, data: addressText(bytes) };
  return type === "AAAA" && bytes?.length === 16 ? { name, type, ttl, data: addressText(bytes) } : null;
}

/** Whether a text is the data of a record, in whatever form. */
export function isDataOf(text: string, record: DnsRecord): boolean {
  const other = recordOfText({ ...record, text });
  if (other === null) return false;
  if (other.type === "TXT") return dataText(other) === dataText(record);
  return record.type === "PTR" ? isSameName(other.data, record.data) : other.data === record.data;
}

/** The texts of a TXT record, quoted or not; `null`: a quote or an escape has no end. */
function unquoted(text: string): string[] | null {
  const texts: string[] = [];
  const rest = /\s*(?:"((?:[^"\\]|\\\d{3}|\\\D)*)"|((?:[^\s"\\]|\\\d{3}|\\\D)+))\s*/gsuy;
  while (rest.lastIndex < text.length) {
    const found = rest.exec(text);
    if (found === null) return null;
    texts.push((found[1] ?? found[2] ?? "").replace(/\\(?:(\d{3})|(\D))/gsu, (_, code, char) => {
      return code === undefined ? char : String.fromCharCode(Number(code));
    }));
  }
  return texts;
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
