import { concat } from "../concat.ts";
import { CLASS, encodeRecord, lastRecordOffset, type RawMessage, type RawRecord, TYPE } from "./dns_message.ts";
import { u16, u32 } from "./dns_message.ts";
import { encodeName, isSameName, readName } from "./dns_name.ts";

/** A key that client and server share (RFC 8945). */
export interface TsigKey {
  readonly name: string;
  readonly algorithm: "hmac-sha256" | "hmac-sha512";
  readonly secret: Uint8Array<ArrayBuffer>;
}

/** Numbers of errors in a TSIG record (RFC 8945, 4.2). */
export const TSIG_ERROR = { BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const;

/** How much the clocks of client and server may differ, in seconds. */
const FUDGE_SECONDS = 300;
const ALGORITHMS = { "hmac-sha256": "SHA-256", "hmac-sha512": "SHA-512" } as const;
const MAC_BYTES = { "hmac-sha256": 32, "hmac-sha512": 64 } as const;
/** A server may leave so many messages of a transfer unsigned (RFC 8945, 5.3.1). */
const MAX_UNSIGNED = 99;

/** What a TSIG record says. */
interface Tsig {
  readonly keyName: string;
  readonly algorithm: string;
  /** Seconds since 1970. */
  readonly time: number;
  readonly fudge: number;
  readonly mac: Uint8Array;
  readonly originalId: number;
  readonly error: number;
  readonly other: Uint8Array;
}

/** An answer's signature: right, absent, wrong, or with an error that the server reports. */
export type TsigVerdict =
  | { readonly state: "verified" }
  | { readonly state: "unsigned" }
  /** `why` continues "its signature". */
  | { readonly state: "wrong"; readonly why: string }
  | { readonly state: "refused"; readonly error: number };

/** Signs one request, and verifies its answers. */
export class TsigExchange {
  readonly #key: TsigKey;
  readonly #nowMs: () => number;
  #hmac: Promise<CryptoKey> | undefined;
  /** The last MAC, with which the next one begins. */
  #mac: Uint8Array = new Uint8Array();
  #isFirst = true;
  /** Messages since the last one that was signed. */
  #unsigned: Uint8Array[] = [];

  constructor(key: TsigKey, nowMs: () => number) {
    this.#key = key;
    this.#nowMs = nowMs;
  }

  /** The request with a TSIG record. */
  async sign(request: Uint8Array): Promise<Uint8Array> {
    const { name: keyName, algorithm } = this.#key;
    const id = request[0] as number << 8 | request[1] as number;
    const tsig = { keyName, algorithm, time: this.#seconds(), fudge: FUDGE_SECONDS, originalId: id, error: 0 };
    const unsigned = { ...tsig, mac: new Uint8Array(), other: new Uint8Array() };
    this.#mac = await this.#macOf([request, variables(unsigned)]);
    const signed = concat([request, ...encodeRecord(recordOf({ ...unsigned, mac: this.#mac }))]);
    signed.set(u16((signed[10] as number << 8 | signed[11] as number) + 1), 10);
    return signed;
  }

  /**
   * Verifies the next message of the answer.
   *
   * @throws {SyntaxError} when its TSIG record is cut off.
   */
  async verify(bytes: Uint8Array, message: RawMessage): Promise<TsigVerdict> {
    const record = message.additionals.at(-1);
    if (record?.type !== TYPE.TSIG) return this.#withoutRecord(bytes);
    const tsig = tsigOf(record);
    // Neither is signed.
    if (record.class !== CLASS.ANY || record.ttl !== 0) return wrong("is in no TSIG record");
    // A server that does not know the key cannot sign its answer.
    if (tsig.mac.length === 0) {
      return tsig.error === 0 ? wrong("is empty") : { state: "refused", error: tsig.error };
    }
    if (!isSameName(tsig.keyName, this.#key.name) || !isSameName(tsig.algorithm, this.#key.algorithm)) {
      return wrong("is by another key");
    }
    const plain = concat([bytes.subarray(0, lastRecordOffset(bytes))]);
    plain.set(u16(tsig.originalId), 0);
    plain.set(u16(message.additionals.length - 1), 10);
    const end = this.#isFirst ? variables(tsig) : timers(tsig);
    const right = await this.#macOf([u16(this.#mac.length), this.#mac, ...this.#unsigned, plain, end]);
    if (!isEqual(right, tsig.mac) || right.length !== MAC_BYTES[this.#key.algorithm]) return wrong("does not match");
    this.#mac = tsig.mac;
    this.#unsigned = [];
    this.#isFirst = false;
    if (tsig.error !== 0) return { state: "refused", error: tsig.error };
    if (Math.abs(this.#seconds() - tsig.time) > tsig.fudge) return wrong("is from another time; set the clocks");
    return { state: "verified" };
  }

  /** Whether the message that was verified last had a signature of its own: the last one must. */
  get isSigned(): boolean {
    return this.#unsigned.length === 0;
  }

  #withoutRecord(bytes: Uint8Array): TsigVerdict {
    if (this.#isFirst || this.#unsigned.length >= MAX_UNSIGNED) return { state: "unsigned" };
    this.#unsigned.push(bytes);
    return { state: "verified" };
  }

  async #macOf(parts: readonly Uint8Array[]): Promise<Uint8Array> {
    const { secret, algorithm } = this.#key;
    const hash = { name: "HMAC", hash: ALGORITHMS[algorithm] };
    this.#hmac ??= crypto.subtle.importKey("raw", secret, hash, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", await this.#hmac, concat(parts)));
  }

  #seconds(): number {
    return Math.floor(this.#nowMs() / 1000);
  }
}

function wrong(why: string): TsigVerdict {
  return { state: "wrong", why };
}

/** The part of a TSIG record that is signed with the message (RFC 8945, 4.3.3). */
function variables(tsig: Tsig): Uint8Array {
  return concat([
    encodeName(tsig.keyName.toLowerCase()),
    u16(CLASS.ANY),
    u32(0),
    encodeName(tsig.algorithm.toLowerCase()),
    timers(tsig),
    u16(tsig.error),
    u16(tsig.other.length),
    tsig.other,
  ]);
}

/** The part that is signed in later messages of an answer. */
function timers({ time, fudge }: Tsig): Uint8Array {
  return concat([u16(Math.floor(time / 2 ** 32)), u32(time % 2 ** 32), u16(fudge)]);
}

function recordOf(tsig: Tsig): RawRecord {
  const { keyName, algorithm, mac, originalId, error, other } = tsig;
  const parts = [encodeName(algorithm), timers(tsig), u16(mac.length), mac, u16(originalId), u16(error)];
  const data = concat([...parts, u16(other.length), other]);
  return { name: keyName, type: TYPE.TSIG, class: CLASS.ANY, ttl: 0, data };
}

function tsigOf({ name, data }: RawRecord): Tsig {
  const [algorithm, at] = readName(data, 0);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (data.length < at + 10) throw new SyntaxError("a TSIG record is cut off");
  const macEnd = at + 10 + view.getUint16(at + 8);
  if (data.length < macEnd + 6 || data.length !== macEnd + 6 + view.getUint16(macEnd + 4)) {
    throw new SyntaxError("a TSIG record is cut off");
  }
  return {
    keyName: name,
    algorithm,
    time: view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2),
    fudge: view.getUint16(at + 6),
    mac: data.slice(at + 10, macEnd),
    originalId: view.getUint16(macEnd),
    error: view.getUint16(macEnd + 2),
    other: data.slice(macEnd + 6),
  };
}

/** Takes the same time wherever they differ. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (const [at, byte] of one.entries()) difference |= byte ^ (other[at] ?? 0);
  return difference === 0;
}
