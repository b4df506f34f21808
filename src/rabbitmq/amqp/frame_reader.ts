import { AmqpError } from "./amqp_error.ts";
import { FieldReader } from "./field_reader.ts";

/**
 * A frame in the read buffer, whose fields are read in place. The same object is reused for the
 * next frame.
 */
export class Frame extends FieldReader {
  type: number = FRAME.heartbeat;
  channel = 0;
}

export const FRAME = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;

/**
 * Bytes around a frame's payload: type, channel and size before it, one byte after it (AMQP 0-9-1,
 * 4.2.3). `frame_max` includes them.
 */
export const FRAME_OVERHEAD = 8;

const HEAD_BYTES = 7;
const FRAME_END = 0xce;

/** The maximum offered in the handshake: RabbitMQ's own default. */
export const FRAME_MAX = 131_072;

/**
 * Size of the read buffer, which must hold a whole frame. Sizes from 16 KiB to 1 MiB were equally
 * fast (`bench/consume.ts`).
 */
const READ_BYTES = 256 * 1024;

/**
 * Splits the byte stream of a socket into frames. Only the beginning of an incomplete frame is
 * copied, and no object is allocated per frame.
 */
export class FrameReader {
  /** The largest accepted frame, as the handshake has agreed. */
  frameMax = FRAME_MAX;
  readonly #bytes = new Uint8Array(READ_BYTES);
  readonly #frame = new Frame(this.#bytes);
  readonly #onFrame: (frame: Frame) => void;
  /** Number of received bytes that are not processed yet. */
  #filled = 0;
  #stopped = false;

  /** Errors of `onFrame` are thrown by {@linkcode FrameReader.take}. */
  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /**
   * The free part of the buffer for the next read: never empty, since the buffer holds a whole
   * frame.
   */
  get free(): Uint8Array {
    return this.#bytes.subarray(this.#filled);
  }

  /**
   * Processes bytes that were read into {@linkcode FrameReader.free}.
   *
   * @throws {AmqpError} when the bytes are not valid frames.
   */
  take(count: number): void {
    const filled = this.#filled + count;
    let at = 0;
    while (at < filled && !this.#stopped) {
      const next = this.#takeFrame(at, filled);
      if (next === at) break;
      at = next;
    }
    if (at > 0 && at < filled) this.#bytes.copyWithin(0, at, filled);
    this.#filled = filled - at;
  }

  /** Hands over no further frames. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Hands over the frame at a position. Returns where the next frame begins: the same position if
   * this one is incomplete.
   */
  #takeFrame(at: number, filled: number): number {
    const frame = this.#frame;
    const type = this.#bytes[at]!;
    if (type !== FRAME.body && type !== FRAME.method && type !== FRAME.header && type !== FRAME.heartbeat) {
      throw new AmqpError(
        "FRAME_ERROR",
        "what came is no frame of AMQP 0-9-1 (is it the right port, with TLS or without?)",
      );
    }
    if (filled - at < HEAD_BYTES) return at;
    frame.type = type;
    frame.at = at + 1;
    frame.end = at + HEAD_BYTES;
    frame.channel = frame.u16();
    const size = frame.u32();
    if (size > this.frameMax - FRAME_OVERHEAD) {
      throw new AmqpError("FRAME_ERROR", `a frame of ${size} bytes came, where ${this.frameMax} were agreed on`);
    }
    const end = at + HEAD_BYTES + size;
    if (end >= filled) return at;
    if (this.#bytes[end] !== FRAME_END) throw new AmqpError("FRAME_ERROR", "a frame does not end where it should");
    frame.end = end;
    this.#onFrame(frame);
    return end + 1;
  }
}
