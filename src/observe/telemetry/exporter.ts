import type { Clock } from "../../model/clock.ts";
import { DeliveryError } from "../../model/errors.ts";
import type { Logger } from "../../model/plugin.ts";
import { WakeSignal } from "../../model/wake_signal.ts";
import type { HttpTarget } from "../../wire/http/http.ts";
import { redact } from "../../wire/secrets/redact.ts";
import type { SignalKind } from "./settings.ts";

export interface ExporterOptions {
  readonly kind: SignalKind;
  readonly url: string;
  readonly http: Pick<HttpTarget, "request">;
  /** How long items are collected before they are sent, unless a batch is full. */
  readonly delayMs: number;
  /** The body of a request. */
  readonly encode: (items: readonly string[]) => string;
  /** Items that wait for a collector that is away or slow; what comes then is dropped. */
  readonly maxWaiting: number;
  readonly clock: Clock;
}

/** Items of one request: of spans, some 1 MB. */
const MAX_BATCH = 2048;
/** What is dropped beside a collector that answers is told of no more often. */
const TELL_EVERY_MS = 60_000;
/** Pauses between attempts while the collector is away: doubled up to the maximum. */
const RETRY_MS = 5_000;
const MAX_RETRY_MS = 60_000;

/** Statuses for which the specification asks to try again. */
const RETRIED: readonly number[] = [429, 502, 503, 504];

/**
 * Sends the items of one signal, each in JSON, to a collector, in batches. Adding one never waits
 * and never throws. The first failure of an outage is logged, and its end, and how many items were
 * dropped.
 */
export class Exporter {
  readonly #options: ExporterOptions;
  readonly #added = new WakeSignal();
  readonly #ended = new AbortController();
  #waiting: string[] = [];
  #gathering: AbortController | null = null;
  #dropped = 0;
  #toldMs = -Infinity;
  /** How the last request ended. */
  #last: "taken" | "refused" | "failed" = "taken";
  #isClosing = false;
  #running: Promise<void> | null = null;
  #log: Logger | null = null;

  constructor(options: ExporterOptions) {
    this.#options = options;
  }

  /** Begins to send. Items may have been added before. */
  start(log: Logger): void {
    this.#log = log;
    // One loop, and not a timer that an item sets: it must not belong to an attempt that is traced.
    this.#running = this.#run();
  }

  add(item: string): void {
    if (this.#waiting.length >= this.#options.maxWaiting) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(item);
    if (this.#waiting.length === 1) this.#added.notify();
    if (this.#waiting.length >= MAX_BATCH) this.#gathering?.abort();
  }

  /**
   * Sends what waits, within a time; nothing if the collector did not take what came before. The
   * end of the program does not wait for a collector that hangs.
   */
  async close(limitMs: number): Promise<void> {
    this.#isClosing = true;
    this.#gathering?.abort();
    this.#added.notify();
    const { clock } = this.#options;
    if (this.#last === "failed" || this.#running === null) this.#ended.abort();
    else await Promise.race([this.#running, clock.sleep(limitMs, this.#ended.signal)]);
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      if (this.#waiting.length === 0 && this.#isClosing) break;
      if (this.#waiting.length === 0) await this.#added.wait();
      else {
        await this.#gather();
        await this.#sendAll();
      }
    }
  }

  /** Waits for more, until a batch is full. */
  async #gather(): Promise<void> {
    if (this.#waiting.length >= MAX_BATCH || this.#isClosing) return;
    const { clock, delayMs } = this.#options;
    this.#gathering = new AbortController();
    await clock.sleep(delayMs, this.#gathering.signal);
    this.#gathering = null;
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#ended;
    for (let pauseMs = RETRY_MS; this.#waiting.length > 0 && !signal.aborted;) {
      const batch = this.#waiting.slice(0, MAX_BATCH);
      const isOver = await this.#send(batch);
      if (isOver) {
        this.#waiting.splice(0, batch.length);
        pauseMs = RETRY_MS;
        if (this.#waiting.length < MAX_BATCH && !this.#isClosing) return;
      } else if (this.#isClosing) return this.#ended.abort();
      else {
        await this.#options.clock.sleep(pauseMs, signal);
        pauseMs = Math.min(pauseMs * 2, MAX_RETRY_MS);
      }
    }
  }

  /** Returns whether the batch needs no other attempt. */
  async #send(batch: readonly string[]): Promise<boolean> {
    const { url, http, encode } = this.#options;
    const { signal } = this.#ended;
    const headers = { "content-type": "application/json" };
    try {
      const { text } = await http.request({ method: "POST", url, headers, body: encode(batch), signal });
      this.#succeeded(text);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      this.#failed(error);
      const status = error instanceof DeliveryError ? error.status : undefined;
      const isRefused = status !== undefined && !RETRIED.includes(status);
      if (isRefused) this.#dropped += batch.length;
      return isRefused;
    }
  }

  #failed(error: unknown): void {
    const { kind, maxWaiting } = this.#options;
    const why = error instanceof Error ? error.message : String(error);
    this.#became("failed", () =>
      this.#log?.warn(
        `Cannot export ${kind}: ${redact(why)}. The service goes on. At most ${maxWaiting} wait; more are dropped`,
      ));
  }

  #succeeded(answer: string): void {
    const { kind } = this.#options;
    const refusal = refusalIn(answer);
    if (refusal !== null) {
      return this.#became("refused", () => this.#log?.warn(`The collector has refused some ${kind}: ${refusal}`));
    }
    this.#became("taken", () => {
      this.#log?.info(`The collector takes ${kind} again; ${this.#dropped} were dropped`);
      this.#dropped = 0;
    });
    this.#tellDropped();
  }

  /** More comes than the collector takes. */
  #tellDropped(): void {
    const { kind, clock } = this.#options;
    if (this.#dropped === 0 || clock.passedMs() - this.#toldMs < TELL_EVERY_MS) return;
    this.#toldMs = clock.passedMs();
    this.#log?.warn(`The collector is slower than ${kind} come: ${this.#dropped} were dropped`);
    this.#dropped = 0;
  }

  #became(last: "taken" | "refused" | "failed", tell: () => void): void {
    const isNew = last !== this.#last;
    this.#last = last;
    if (isNew) tell();
  }
}

/** What a partial success says; `null`: all was taken. */
function refusalIn(answer: string): string | null {
  try {
    const { partialSuccess } = JSON.parse(answer);
    const { errorMessage } = partialSuccess ?? {};
    return errorMessage ? redact(String(errorMessage)) : null;
  } catch {
    return null;
  }
}
