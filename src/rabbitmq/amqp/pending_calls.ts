import { AmqpError } from "./amqp_error.ts";
import type { Frame } from "./frame_reader.ts";
import { methodName } from "./methods.ts";

interface Call {
  readonly reply: number;
  readonly answer: (frame: Frame) => void;
  readonly reject: (error: unknown) => void;
}

/** The method calls of a channel that are not answered yet. A broker answers them in order. */
export class PendingCalls {
  readonly #waiting: Call[] = [];
  #failure: { readonly error: unknown } | null = null;

  /** Waits for the next answer. `read` is called while its frame is valid. */
  expect<T>(reply: number, read: (frame: Frame) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure.error);
      this.#waiting.push({ reply, answer: (frame) => resolve(read(frame)), reject });
    });
  }

  /**
   * @throws {AmqpError} when this is not the answer to the oldest pending call, or cannot be read.
   */
  answer(method: number, frame: Frame): void {
    const [call] = this.#waiting;
    if (call?.reply !== method) {
      throw new AmqpError("UNEXPECTED_FRAME", `unexpected method ${methodName(method)}`);
    }
    call.answer(frame);
    this.#waiting.shift();
  }

  /** Rejects all pending and later calls. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure.error);
  }
}
