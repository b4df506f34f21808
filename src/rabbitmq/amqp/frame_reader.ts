import { AmqpError } from "./amqp_error.ts";
import { FieldReader } from "./field_reader.ts";

/** A frame as it lies in the bytes that were read; its fields are read from it. Another one takes its place afterwards. */
export class Frame extends FieldReader {
  type: number = FRAME.heartbeat;
  channel = 0;
}

export const FRAME = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;

/** Around what a frame holds: type, channel and size before it, one byte behind it (AMQP 0-9-1, 4.2.3). `frame_max` counts them. */
export const FRAME_OVERHEAD = 8;

const HEAD_BYTES = 7;
const FRAME_END = 0xce;

/** What we offer in the handshake: RabbitMQ's own default. */
export const FRAME_MAX = 131_072;

/** One read brings up to so much, and a frame must have room. 16 KiB to 1 MiB could not be told apart (`bench/consume.ts`). */
const READ_BYTES = 256 * 1024;

/**
 * Cuts what comes from a socket into frames, wherever it was cut on the way. Nothing is copied but the beginning of a frame whose rest has not
 * come yet, and nothing is made for a frame.
 */
export class FrameReader {
  /** The largest frame that is taken; what the handshake has agreed on. */
  frameMax = FRAME_MAX;
  readonly #bytes = new Uint8Array(READ_BYTES);
  readonly #frame = new Frame(this.#bytes);
  readonly #onFrame: (frame: Frame) => void;
  /** So many bytes have come and are not taken yet. */
  #filled = 0;
  #stopped = false;

  /** What `onFrame` throws comes out of {@linkcode FrameReader.take}. */
  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** Where the next bytes are to be put: never empty, since a whole frame has room. */
  get free(): Uint8Array {
    return this.#bytes.subarray(this.#filled);
  }

  /**
   * Takes so many bytes that were put into {@linkcode FrameReader.free}.
   *
   * @throws {AmqpError} when they are no frames.
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

  /** No frame is handed over any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** Returns where the next frame begins: at the same place when this one is not complete. */
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
