import { createHash } from "node:crypto";
import type { Arrival, Ledger, Rejection } from "../model/ledger.ts";
import type { Logger } from "../model/plugin.ts";
import type { IntakeCounts } from "../model/readings.ts";
import { admit } from "./admit.ts";
import type { Delivered, DeliveryChannel } from "./broker.ts";

export interface IntakeOptions {
  readonly ledger: Pick<Ledger, "record">;
  /** The event types to record. */
  readonly wanted: ReadonlySet<string>;
  readonly keepRejectedBodies: boolean;
  readonly now: () => number;
  readonly log: Logger;
  /** Called when the ledger has been told to record something. */
  readonly onRecorded: () => void;
  /** Called when recording failed for good. Nothing of that was acknowledged: the broker will deliver it again. */
  readonly onFailed: (error: unknown) => void;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * The least from one transaction to the next that is not full: what comes in between shares it, what comes after a pause waits for nobody.
 * A disk that is slow, or busy with a backlog, gets so many times as much as it took for the last one.
 */
const GATHER_MS = 5;
const GATHER_MAX_MS = 50;
const REST = 4;
/** So many to be recorded wait for no others: what stage 2 decides at once. */
const ENOUGH = 125;

/**
 * Stage 1: bytes in. Messages are gathered, recorded in one transaction, and only then acknowledged, many at once: up to the last tag
 * that came before the transaction, on the channel that delivered it. Messages nobody wants cost no transaction.
 */
export class Intake {
  readonly counts: Mutable<IntakeCounts> = { received: 0, ignored: 0, rejected: 0, recorded: 0 };
  readonly #options: IntakeOptions;
  #gathered: Arrival[] = [];
  #through = new Map<DeliveryChannel, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushing: Promise<void> | undefined;
  #sinceFlush = 0;
  /** The last transaction. */
  #tookMs = 0;
  /** What has been gathered waits for no more. */
  #isFull = false;
  #lastMessageAt: number | null = null;
  /** Once recording has failed for good nothing may be acknowledged any more: an acknowledgement means all before it, too. */
  #failed = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** When the last message came, milliseconds since the epoch; `null` before the first. */
  get lastMessageAt(): number | null {
    return this.#lastMessageAt;
  }

  /** Takes one message; never throws and never waits. */
  accept(message: Delivered): void {
    if (this.#failed) return;
    this.counts.received++;
    this.#gather(message);
    this.#through.set(message.channel, message.tag);
    this.#sinceFlush++;
    this.#isFull ||= this.#gathered.length >= ENOUGH || this.#sinceFlush >= message.channel.prefetch / 2;
    if (this.#isFull) this.#startFlush();
    else this.#flushLater();
  }

  /** Records and acknowledges all that was accepted. */
  async flush(): Promise<void> {
    do {
      this.#startFlush();
      await this.#flushing;
    } while (this.#through.size > 0 && !this.#failed);
  }

  #gather(message: Delivered): void {
    const { now, wanted, log } = this.#options;
    const admission = admit(message, wanted);
    if ("ignored" in admission) {
      this.counts.ignored++;
    } else if ("refused" in admission) {
      this.counts.rejected++;
      log.warn(`Rejected a message of ${message.routingKey} from exchange ${message.exchange}: ${admission.refused}`);
      this.#gathered.push({ receivedAt: now(), rejection: this.#rejection(message, admission.refused) });
    } else {
      const receivedAt = now();
      const { notification } = admission;
      // Some time is better than none: it came in just now.
      const time = notification.time ?? new Date(receivedAt).toISOString();
      const isTimeless = notification.time === null;
      this.#gathered.push({ receivedAt, notification: { ...notification, time }, isTimeless });
    }
  }

  #rejection({ body, exchange, routingKey }: Delivered, reason: string): Rejection {
    const sha256 = createHash("sha256").update(body).digest("hex");
    // The bytes are the broker's, and written over as soon as we return.
    const kept = this.#options.keepRejectedBodies ? body.slice() : null;
    return { reason, size: body.byteLength, sha256, exchange, routingKey, body: kept };
  }

  #flushLater(): void {
    this.#timer ??= setTimeout(() => this.#startFlush(), this.#gatherMs());
  }

  #gatherMs(): number {
    if (this.#lastMessageAt === null) return 0;
    const pastMs = this.#options.now() - this.#lastMessageAt;
    const gatherMs = Math.min(Math.max(GATHER_MS, REST * this.#tookMs), GATHER_MAX_MS);
    // A clock that was set back must not keep anybody waiting.
    return pastMs >= 0 && pastMs < gatherMs ? gatherMs - pastMs : 0;
  }

  #startFlush(): void {
    // To the nearest few milliseconds, without asking the clock for each message.
    if (this.#sinceFlush > 0) this.#lastMessageAt = this.#options.now();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing ??= this.#flushAll().catch((error) => this.#fail(error)).finally(() => this.#flushed());
  }

  #flushed(): void {
    this.#flushing = undefined;
    if (this.#through.size === 0 || this.#failed) return;
    // What came between the end of the work and here found it under way still.
    if (this.#isFull) this.#startFlush();
    else this.#flushLater();
  }

  #fail(error: unknown): void {
    this.#failed = true;
    this.#options.onFailed(error);
  }

  /** What comes meanwhile waits for its own time, unless it is enough. */
  async #flushAll(): Promise<void> {
    do {
      const [gathered, through] = [this.#gathered, this.#through];
      this.#gathered = [];
      this.#through = new Map();
      this.#sinceFlush = 0;
      this.#isFull = false;
      if (gathered.length > 0) await this.#record(gathered);
      for (const [channel, tag] of through) channel.ackThrough(tag);
    } while (this.#isFull);
  }

  async #record(gathered: readonly Arrival[]): Promise<void> {
    const rejections = gathered.filter((arrival) => "rejection" in arrival).length;
    const startedAt = this.#options.now();
    const recording = this.#options.ledger.record(gathered);
    // Whoever goes on with it asks the ledger after us, and can share the transaction.
    this.#options.onRecorded();
    this.counts.recorded += await recording - rejections;
    this.#tookMs = this.#options.now() - startedAt;
  }
}
