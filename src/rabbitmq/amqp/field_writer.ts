import { UserError } from "../../model/errors.ts";

/** A field table: arguments of a declaration, or client properties. */
export type FieldTable = { readonly [name: string]: FieldValue };
export type FieldValue = string | number | boolean | FieldTable;

/** Writes AMQP's fields (0-9-1, 4.2.5) one after the other. */
export class FieldWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;

  /** The bytes written so far. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#size);
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
    return this;
  }

  u64(value: number): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, BigInt(value));
    return this;
  }

  /** Up to eight bits in one byte, the first one lowest. */
  bits(...values: readonly boolean[]): this {
    return this.u8(values.reduce((byte, value, index) => byte | (value ? 1 << index : 0), 0));
  }

  /** @throws {UserError} when the text has more than 255 bytes: all names come from config.ts. */
  shortText(text: string): this {
    const bytes = utf8.encode(text);
    const size = bytes.byteLength;
    if (size <= 255) return this.u8(size).#raw(bytes);
    throw new UserError(
      `Cannot ask RabbitMQ for "${
        text.slice(0, 60)
      }…": the name has ${size} bytes, and AMQP allows 255. Shorten it in rabbit`,
    );
  }

  longText(text: string): this {
    const bytes = utf8.encode(text);
    return this.u32(bytes.byteLength).#raw(bytes);
  }

  table(table: FieldTable): this {
    const at = this.#grow(4);
    for (const [name, value] of Object.entries(table)) this.shortText(name).#value(value);
    this.#view.setUint32(at, this.#size - at - 4);
    return this;
  }

  #raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.byteLength);
    this.#bytes.set(bytes, at);
    return this;
  }

  #value(value: FieldValue): void {
    if (typeof value === "string") this.#type("S").longText(value);
    else if (typeof value === "boolean") this.#type("t").bits(value);
    else if (typeof value === "object") this.#type("F").table(value);
    else this.#number(value);
  }

  #number(value: number): void {
    if (value === (value | 0) && !Object.is(value, -0)) {
      this.#type("I");
      const at = this.#grow(4);
      this.#view.setInt32(at, value);
    } else if (Number.isSafeInteger(value)) {
      this.#type("l");
      const at = this.#grow(8);
      this.#view.setBigInt64(at, BigInt(value));
    } else {
      this.#type("d");
      const at = this.#grow(8);
      this.#view.setFloat64(at, value);
    }
  }

  #type(letter: string): this {
    return this.u8(letter.charCodeAt(0));
  }

  /** Reserves bytes, in a larger buffer if necessary; returns the position where they begin. */
  #grow(count: number): number {
    const at = this.#size;
    this.#size += count;
    if (this.#size > this.#bytes.byteLength) {
      const larger = new Uint8Array(2 * this.#size);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

const utf8 = new TextEncoder();
