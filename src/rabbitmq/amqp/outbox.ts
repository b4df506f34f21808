/**
 * Maximum of unsent bytes. A consumer sends only method calls, acknowledgements and heartbeats:
 * more means that the broker reads nothing.
 */
const MAX_WAITING_BYTES = 1024 * 1024;

export interface OutboxOptions {
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Called when sending has failed. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Sends frames in order; frames that are queued in the same turn of the event loop share one write.
 */
export class Outbox {
  /** Number of frames queued so far. */
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
      return this.#options.onFailed(new Error("the broker has stopped reading"));
    }
    this.#waiting.push(frame);
    this.#size += frame.byteLength;
    this.#sending ??= this.#send();
  }

  /** Resolves when all frames have been sent, or sending has failed. */
  async sent(): Promise<void> {
    while (this.#sending !== null) await this.#sending;
  }

  async #send(): Promise<void> {
    // Waits for the frames that the same turn of the event loop queues.
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
    // No await since the queue was found empty: no frame can be left behind.
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
