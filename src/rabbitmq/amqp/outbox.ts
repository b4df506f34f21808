/** So much may wait for a broker that takes nothing: we send questions, acknowledgements and heartbeats alone. */
const MAX_WAITING_BYTES = 1024 * 1024;

export interface OutboxOptions {
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Called when nothing can be sent any more. */
  readonly onFailed: (error: unknown) => void;
}

/** Sends frames in order; what comes together goes together. */
export class Outbox {
  /** How many frames were taken so far. */
  count = 0;
  readonly #options: OutboxOptions;
  #waiting: Uint8Array[] = [];
  #size = 0;
  #sending: Promise<void> | null = null;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  push(frame: Uint8Array): void {
    this.count++;
    if (this.#size + frame.byteLength > MAX_WAITING_BYTES) {
      return this.#options.onFailed(new Error("the broker takes nothing any more"));
    }
    this.#waiting.push(frame);
    this.#size += frame.byteLength;
    this.#sending ??= this.#send();
  }

  /** Resolves when all has been sent, or cannot be. */
  async sent(): Promise<void> {
    while (this.#sending !== null) await this.#sending;
  }

  async #send(): Promise<void> {
    // What the same turn of the event loop still brings goes along.
    await null;
    try {
      while (this.#waiting.length > 0) {
        const bytes = joined(this.#waiting, this.#size);
        this.#waiting = [];
        this.#size = 0;
        await this.#options.write(bytes);
      }
    } catch (error) {
      this.#waiting = [];
      this.#size = 0;
      this.#options.onFailed(error);
    }
    // In the same turn as the last look at what waits: nothing can be left behind.
    this.#sending = null;
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
