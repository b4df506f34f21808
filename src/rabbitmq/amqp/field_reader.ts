import { AmqpError } from "./amqp_error.ts";

/**
 * Reads AMQP's fields (0-9-1, 4.2.5) one after the other, from {@linkcode FieldReader.at} to
 * {@linkcode FieldReader.end}. One reader is reused for the same buffer, so that reading a field
 * allocates nothing but its value.
 */
export class FieldReader {
  readonly bytes: Uint8Array;
  at = 0;
  end = 0;
  readonly #view: DataView;
  readonly #texts: (string | undefined)[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.skip(2));
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4));
  }

  /** Exact up to 2^53: enough for delivery tags, which are counted from 1. */
  u64(): number {
    return this.u32() * 2 ** 32 + this.u32();
  }

  /**
   * A short string. Decoded strings are cached: the same few exchange names and routing keys come
   * again and again.
   */
  shortText(): string {
    const length = this.u8();
    const from = this.skip(length);
    if (length === 0) return "";
    const slot = (length * 31 + this.bytes[from]! * 7 + this.bytes[this.at - 1]!) & 63;
    const known = this.#texts[slot];
    if (known !== undefined && known.length === length && this.#isAt(from, known)) return known;
    const text = utf8.decode(this.bytes.subarray(from, this.at));
    this.#texts[slot] = text;
    return text;
  }

  longText(): string {
    const size = this.u32();
    const from = this.skip(size);
    return utf8.decode(this.bytes.subarray(from, from + size));
  }

  /** Skips bytes; returns the position where they begin. */
  skip(count: number): number {
    const from = this.at;
    if (count > this.end - from) throw new AmqpError("SYNTAX_ERROR", "a field ends behind its frame");
    this.at = from + count;
    return from;
  }

  skipShortText(): void {
    this.skip(this.u8());
  }

  skipLongText(): void {
    this.skip(this.u32());
  }

  /** The string of this name in a table, or `null`. Continues after the table. */
  textInTable(name: string): string | null {
    const size = this.u32();
    const tableEnd = this.skip(size) + size;
    const frameEnd = this.end;
    this.at = tableEnd - size;
    this.end = tableEnd;
    let found: string | null = null;
    while (this.at < tableEnd) found = this.#entry(name) ?? found;
    this.end = frameEnd;
    return found;
  }

  /** Reads one entry of a table; returns its value if it has that name and is a string. */
  #entry(name: string): string | null {
    const length = this.u8();
    const from = this.skip(length);
    const type = this.u8();
    if (type === LONG_TEXT && length === name.length && this.#isAt(from, name)) return this.longText();
    const size = VALUE_SIZES[type];
    if (size === undefined) throw new AmqpError("SYNTAX_ERROR", `a field of the unknown type ${type}`);
    this.skip(size === LENGTH_FIRST ? this.u32() : size);
    return null;
  }

  /**
   * Whether the bytes at a position are this ASCII text. Other texts are never found: their bytes
   * are not their character codes.
   */
  #isAt(from: number, text: string): boolean {
    const { bytes } = this;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (bytes[from + index] !== code || code > 0x7f) return false;
    }
    return true;
  }
}

const utf8 = new TextDecoder();

const LONG_TEXT = "S".charCodeAt(0);
const LENGTH_FIRST = -1;

/**
 * The size in bytes of a value of each type, as RabbitMQ encodes them (section 3 of its errata to
 * AMQP 0-9-1).
 */
const VALUE_SIZES: readonly (number | undefined)[] = sizesByType({
  0: "V",
  1: "tbB",
  2: "su",
  4: "Iif",
  5: "D",
  8: "lLdT",
  [LENGTH_FIRST]: "SxAF",
});

function sizesByType(types: Readonly<Record<number, string>>): (number | undefined)[] {
  const sizes = new Array<number | undefined>(256).fill(undefined);
  for (const [size, letters] of Object.entries(types)) {
    for (const letter of letters) sizes[letter.charCodeAt(0)] = Number(size);
  }
  return sizes;
}
