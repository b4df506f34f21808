import { AmqpError } from "./amqp_error.ts";
import type { Frame } from "./frame_reader.ts";

/** A message that was assembled from its frames. */
export interface Delivery {
  /** The delivery tag: the number of the message in its channel, from 1. */
  readonly tag: number;
  /**
   * The bytes as they were published, possibly compressed. They lie in the read buffer, which the
   * next read overwrites: a receiver that needs them after it has returned must copy them.
   */
  readonly body: Uint8Array;
  readonly exchange: string;
  readonly routingKey: string;
  readonly redelivered: boolean;
  /** The value of the header `compression`. */
  readonly compression: string | null;
}

/**
 * RabbitMQ never accepts a larger message, whatever its configuration: a larger size is a protocol
 * error.
 */
const MAX_BODY_BYTES = 512 * 1024 * 1024;

/** Memory reserved at first for a body of several frames: the announced size may be false. */
const FIRST_BYTES = 1024 * 1024;

const BASIC = 60;
/** Property flags of the fields before the headers, and of the headers themselves. */
const [CONTENT_TYPE, CONTENT_ENCODING, HEADERS, MORE_FLAGS] = [0x8000, 0x4000, 0x2000, 1];

type Stage = "method" | "header" | "body";

/**
 * Assembles the messages of one channel, each from a method, a header and any number of body frames
 * (AMQP 0-9-1, 4.2.6).
 */
export class MessageAssembler {
  #stage: Stage = "method";
  #tag = 0;
  #redelivered = false;
  #exchange = "";
  #routingKey = "";
  #compression: string | null = null;
  #size = 0;
  #came = 0;
  /** The buffer in which a body of several frames is assembled. */
  #parts = new Uint8Array();

  /** Whether no message is incomplete. */
  get idle(): boolean {
    return this.#stage === "method";
  }

  /** Reads basic.deliver, which begins a message. */
  begin(frame: Frame): void {
    frame.skipShortText();
    this.#tag = frame.u64();
    this.#redelivered = frame.u8() !== 0;
    this.#exchange = frame.shortText();
    this.#routingKey = frame.shortText();
    this.#stage = "header";
  }

  /** Reads the header of a message; returns the message if its body is empty. */
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

  /** Reads a part of the body; returns the message if this was the last part. */
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

/** The header `compression`, the only property of a message that is used. */
function compressionOf(frame: Frame): string | null {
  const flags = frame.u16();
  for (let more = flags; (more & MORE_FLAGS) !== 0;) more = frame.u16();
  if ((flags & HEADERS) === 0) return null;
  if ((flags & CONTENT_TYPE) !== 0) frame.skipShortText();
  if ((flags & CONTENT_ENCODING) !== 0) frame.skipShortText();
  return frame.textInTable("compression");
}
