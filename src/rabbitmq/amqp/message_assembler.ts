import { AmqpError } from "./amqp_error.ts";
import type { Frame } from "./frame_reader.ts";

/** A message as it comes out of its frames. */
export interface Delivery {
  /** Counts the messages of a channel, from 1. */
  readonly tag: number;
  /**
   * The bytes as they were published: compressed, if they were. They are those that were read from the socket, and the next read overwrites
   * them: whoever needs them after the receiver has returned copies them.
   */
  readonly body: Uint8Array;
  readonly exchange: string;
  readonly routingKey: string;
  readonly redelivered: boolean;
  /** The header `compression`. */
  readonly compression: string | null;
}

/** RabbitMQ lets nobody publish more, however it is configured: what claims to be larger is no message. */
const MAX_BODY_BYTES = 512 * 1024 * 1024;

/** What is set aside for a body at once: a claim costs nothing. */
const FIRST_BYTES = 1024 * 1024;

const BASIC = 60;
/** The flags of the properties before the headers, and of the headers themselves. */
const [CONTENT_TYPE, CONTENT_ENCODING, HEADERS, MORE_FLAGS] = [0x8000, 0x4000, 0x2000, 1];

type Stage = "method" | "header" | "body";

/** Puts the messages of one channel together: a method, a header, and as many frames with a body as it takes (AMQP 0-9-1, 4.2.6). */
export class MessageAssembler {
  #stage: Stage = "method";
  #tag = 0;
  #redelivered = false;
  #exchange = "";
  #routingKey = "";
  #compression: string | null = null;
  #size = 0;
  #came = 0;
  /** Bodies of several frames are put together here. */
  #parts = new Uint8Array();

  /** Whether no message is half here. */
  get idle(): boolean {
    return this.#stage === "method";
  }

  /** Takes basic.deliver. */
  begin(frame: Frame): void {
    frame.skipShortText();
    this.#tag = frame.u64();
    this.#redelivered = frame.u8() !== 0;
    this.#exchange = frame.shortText();
    this.#routingKey = frame.shortText();
    this.#stage = "header";
  }

  /** Takes the header of a message; returns that if it has no body. */
  header(frame: Frame): Delivery | null {
    this.#check("header");
    if (frame.u16() !== BASIC) throw new AmqpError("FRAME_ERROR", "a message came that is of no known class");
    frame.skip(2);
    this.#size = frame.u64();
    if (this.#size > MAX_BODY_BYTES) {
      throw new AmqpError(
        "FRAME_ERROR",
        `a message of ${this.#size} bytes came, more than RabbitMQ lets anybody publish`,
      );
    }
    this.#compression = compressionOf(frame);
    this.#came = 0;
    this.#stage = "body";
    return this.#size === 0 ? this.#finish(new Uint8Array()) : null;
  }

  /** Takes a part of the body; returns the message if it was the last one. */
  body(frame: Frame): Delivery | null {
    this.#check("body");
    const { bytes, at, end } = frame;
    const part = bytes.subarray(at, end);
    const came = this.#came + part.byteLength;
    if (came > this.#size) throw new AmqpError("UNEXPECTED_FRAME", "a message has more body than its header says");
    if (part.byteLength === this.#size) return this.#finish(part);
    this.#reserve(came);
    this.#parts.set(part, this.#came);
    this.#came = came;
    if (came < this.#size) return null;
    const body = this.#parts.subarray(0, came);
    this.#parts = new Uint8Array();
    return this.#finish(body);
  }

  #check(stage: Stage): void {
    if (this.#stage === stage) return;
    throw new AmqpError("UNEXPECTED_FRAME", `a message's ${stage} came where its ${this.#stage} should have`);
  }

  #reserve(count: number): void {
    if (count <= this.#parts.byteLength) return;
    const parts = new Uint8Array(Math.min(this.#size, Math.max(FIRST_BYTES, 2 * count)));
    parts.set(this.#parts.subarray(0, this.#came));
    this.#parts = parts;
  }

  #finish(body: Uint8Array): Delivery {
    this.#stage = "method";
    return {
      tag: this.#tag,
      body,
      exchange: this.#exchange,
      routingKey: this.#routingKey,
      redelivered: this.#redelivered,
      compression: this.#compression,
    };
  }
}

/** Of all properties of a message this is the one that counts. */
function compressionOf(frame: Frame): string | null {
  const flags = frame.u16();
  for (let more = flags; (more & MORE_FLAGS) !== 0;) more = frame.u16();
  if ((flags & HEADERS) === 0) return null;
  if ((flags & CONTENT_TYPE) !== 0) frame.skipShortText();
  if ((flags & CONTENT_ENCODING) !== 0) frame.skipShortText();
  return frame.textInTable("compression");
}
