import { AmqpError } from "./amqp_error.ts";
import type { Frame } from "./frame_reader.ts";
import { methodName } from "./methods.ts";

interface Call {
  readonly reply: number;
  readonly answer: (frame: Frame) => void;
  readonly reject: (error: unknown) => void;
}

/** What was asked on a channel and is not answered yet: a broker answers in the order of the questions. */
export class PendingCalls {
  readonly #waiting: Call[] = [];
  #failure: { readonly error: unknown } | null = null;

  /** Resolves with what `read` makes of the answer, at once when it comes. */
  expect<T>(reply: number, read: (frame: Frame) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure.error);
      this.#waiting.push({ reply, answer: (frame) => resolve(read(frame)), reject });
    });
  }

  /** @throws {AmqpError} when this is no answer to what was asked first, or cannot be read. */
  answer(method: number, frame: Frame): void {
    const [call] = this.#waiting;
    if (call?.reply !== method) {
      throw new AmqpError("UNEXPECTED_FRAME", `method ${methodName(method)} came, which nobody asked for`);
    }
    call.answer(frame);
    this.#waiting.shift();
  }

  /** Nothing will be answered any more. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure.error);
  }
}
