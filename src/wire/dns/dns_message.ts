import { concat } from "../concat.ts";
import { encodeName, readName } from "./dns_name.ts";

/** Numbers of record types that are sent or understood (RFC 1035, 3.2.2; RFC 3596; RFC 8945). */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  TSIG: 250,
  AXFR: 252,
  ANY: 255,
} as const;

/** Numbers of classes (RFC 1035, 3.2.4; RFC 2136, 1.3). */
export const CLASS = { IN: 1, NONE: 254, ANY: 255 } as const;

/** Numbers of operations. */
export const OPCODE = { QUERY: 0, UPDATE: 5 } as const;

/** A question, or the zone of an UPDATE. */
export interface RawQuestion {
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

/** A record with its data as bytes; names in the data are not compressed. */
export interface RawRecord extends RawQuestion {
  readonly ttl: number;
  readonly data: Uint8Array;
}

/** A message (RFC 1035, 4.1). The sections of an UPDATE have other names (RFC 2136, 2). */
export interface RawMessage {
  readonly id: number;
  readonly isAnswer: boolean;
  readonly opcode: number;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly rcode: number;
  readonly questions: readonly RawQuestion[];
  /** Of an UPDATE: prerequisites. */
  readonly answers: readonly RawRecord[];
  /** Of an UPDATE: changes. */
  readonly authorities: readonly RawRecord[];
  readonly additionals: readonly RawRecord[];
}

const HEADER_BYTES = 12;

/** Where names stand in the data of a type: bytes before the first, and how many follow. */
const NAMES_IN_DATA: Readonly<Record<number, readonly [before: number, names: number]>> = {
  [TYPE.NS]: [0, 1],
  [TYPE.CNAME]: [0, 1],
  [TYPE.SOA]: [0, 2],
  [TYPE.PTR]: [0, 1],
  [TYPE.MX]: [2, 1],
};

/**
 * The bytes of a message, without compression.
 *
 * @throws {RangeError} when it is longer than 65,535 bytes or holds a name that is none.
 */
export function encodeMessage(message: RawMessage): Uint8Array {
  const { questions, answers, authorities, additionals } = message;
  const flags = (message.isAnswer ? 0x8000 : 0) | message.opcode << 11 | (message.isAuthoritative ? 0x400 : 0) |
    (message.isTruncated ? 0x200 : 0) | message.rcode;
  const counts = [questions, answers, authorities, additionals].map(({ length }) => length);
  const bytes = concat([
    ...[message.id, flags, ...counts].map(u16),
    ...questions.flatMap(encodeQuestion),
    ...[...answers, ...authorities, ...additionals].flatMap(encodeRecord),
  ]);
  if (bytes.length > 0xffff) throw new RangeError("Cannot encode a message: it is longer than 65,535 bytes");
  return bytes;
}

/**
 * Reads a message.
 *
 * @throws {SyntaxError} when it is cut off, or anything follows it.
 */
export function decodeMessage(bytes: Uint8Array): RawMessage {
  if (bytes.length < HEADER_BYTES) throw new SyntaxError("a message is shorter than its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [id = 0, flags = 0, ...counts] = Array.from({ length: 6 }, (_, at) => view.getUint16(2 * at));
  const reader = new Reader(bytes, view);
  const [questions = 0, answers = 0, authorities = 0, additionals = 0] = counts;
  const message = {
    id,
    isAnswer: (flags & 0x8000) !== 0,
    opcode: flags >> 11 & 15,
    isAuthoritative: (flags & 0x400) !== 0,
    isTruncated: (flags & 0x200) !== 0,
    rcode: flags & 15,
    questions: times(questions, () => reader.question()),
    answers: times(answers, () => reader.record()),
    authorities: times(authorities, () => reader.record()),
    additionals: times(additionals, () => reader.record()),
  };
  if (reader.at !== bytes.length) throw new SyntaxError("bytes follow a message");
  return message;
}

/** The offset at which the last record of a message begins: that of its TSIG. */
export function lastRecordOffset(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = new Reader(bytes, view);
  times(view.getUint16(4), () => reader.question());
  let start = reader.at;
  times(view.getUint16(6) + view.getUint16(8) + view.getUint16(10), () => {
    start = reader.at;
    reader.record();
  });
  return start;
}

/** Two bytes, the higher one first. */
export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8 & 255, value & 255);
}

/** Four bytes, the highest one first. */
export function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >> 16 & 255, value >> 8 & 255, value & 255);
}

/** The bytes of one record. */
export function encodeRecord(record: RawRecord): Uint8Array[] {
  if (record.data.length > 0xffff) throw new RangeError("Cannot encode a record: its data is too long");
  return [...encodeQuestion(record), u32(record.ttl), u16(record.data.length), record.data];
}

function encodeQuestion(question: RawQuestion): Uint8Array[] {
  return [encodeName(question.name), u16(question.type), u16(question.class)];
}

function times<T>(count: number, read: () => T): T[] {
  const all: T[] = [];
  while (all.length < count) all.push(read());
  return all;
}

/** Reads a message from its header on. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = HEADER_BYTES;

  constructor(bytes: Uint8Array, view: DataView) {
    this.#bytes = bytes;
    this.#view = view;
  }

  question(): RawQuestion {
    const [name, at] = readName(this.#bytes, this.at);
    this.#need(at + 4);
    this.at = at + 4;
    return { name, type: this.#view.getUint16(at), class: this.#view.getUint16(at + 2) };
  }

  record(): RawRecord {
    const question = this.question();
    this.#need(this.at + 6);
    const ttl = this.#view.getUint32(this.at);
    const start = this.at + 6;
    const end = start + this.#view.getUint16(this.at + 4);
    this.#need(end);
    this.at = end;
    return { ...question, ttl, data: this.#data(question.type, start, end) };
  }

  /** The data, its names uncompressed. */
  #data(type: number, start: number, end: number): Uint8Array {
    const [before, names] = NAMES_IN_DATA[type] ?? [0, 0];
    if (names === 0 || start === end) return this.#bytes.slice(start, end);
    const parts: Uint8Array[] = [this.#bytes.slice(start, start + before)];
    let at = start + before;
    for (let left = names; left > 0; left--) {
      const [name, next] = readName(this.#bytes, at);
      parts.push(encodeName(name));
      at = next;
    }
    if (at > end) throw new SyntaxError("a record is cut off");
    return concat([...parts, this.#bytes.slice(at, end)]);
  }

  #need(end: number): void {
    if (end > this.#bytes.length) throw new SyntaxError("a message is cut off");
  }
}
