import { createHash } from "node:crypto";
import type { Arrival, Ledger, Rejection } from "../model/ledger.ts";
import type { Logger } from "../model/plugin.ts";
import type { IntakeCounts } from "../model/readings.ts";
import { admit, type AdmittedMessage } from "./admit.ts";
import { partsOf } from "./bounded_payload.ts";
import type { Delivered, DeliveryChannel } from "../rabbitmq/consumer.ts";

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

/** What is to be recorded, and how many bytes of a body it was. */
interface PendingArrival {
  readonly arrival: Arrival;
  readonly bytes: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * The least from one transaction to the next that is not full: what comes in between shares it, what comes after a pause waits for nobody.
 * A disk that is slow, or busy with a backlog, gets so many times as much as it took for the last one.
 */
const MIN_BATCH_MS = 5;
const MAX_BATCH_MS = 50;
const RECORDING_TIME_FACTOR = 4;
/** So many to be recorded wait for no others: what stage 2 decides at once. */
const FULL_BATCH = 125;
/** So many bytes do not wait either, and go into one transaction at most. */
const FULL_BATCH_BYTES = 2_097_152;
/** The connection must be read, too: a broker that is not listened to seems to be gone. */
const MAX_BACKPRESSURE_MS = 1000;
/** So many things that were left out are told of one message. */
const MAX_CUTS_LOGGED = 3;
/** More are not read from the broker before some of them are recorded: parsed, they take many times as much memory. */
const BACKPRESSURE_BYTES = 4_194_304;

/**
 * Stage 1: bytes in. Messages are gathered, recorded in one transaction, and only then acknowledged, many at once: up to the last tag
 * that came before the transaction, on the channel that delivered it. Messages nobody wants cost no transaction.
 */
export class Intake {
  readonly counts: Mutable<IntakeCounts> = { received: 0, ignored: 0, rejected: 0, recorded: 0 };
  readonly #options: IntakeOptions;
  #batch: PendingArrival[] = [];
  /** Of what is gathered, or being recorded. */
  #pendingBytes = 0;
  #ackThrough = new Map<DeliveryChannel, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushing: Promise<void> | undefined;
  #sinceFlush = 0;
  /** The last transaction. */
  #lastRecordingMs = 0;
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
    this.#read(message);
    this.#ackThrough.set(message.channel, message.tag);
    this.#sinceFlush++;
    this.#isFull ||= this.#batch.length >= FULL_BATCH || this.#pendingBytes >= FULL_BATCH_BYTES ||
      this.#sinceFlush >= message.channel.prefetch / 2;
    if (this.#isFull) this.#startFlush();
    else this.#flushLater();
  }

  /** What to wait for before more is read from the broker: the recording of what is here, a second at most. `undefined` for nothing. */
  backpressure(): Promise<void> | undefined {
    return this.#pendingBytes < BACKPRESSURE_BYTES ? undefined : this.#awaitRecording();
  }

  /** Records and acknowledges all that was accepted. */
  async flush(): Promise<void> {
    do {
      this.#startFlush();
      await this.#flushing;
    } while (this.#ackThrough.size > 0 && !this.#failed);
  }

  #read(message: Delivered): void {
    const { now, wanted, log } = this.#options;
    const admission = admit(message, wanted);
    if ("ignored" in admission) {
      this.counts.ignored++;
    } else if ("refused" in admission) {
      this.counts.rejected++;
      log.warn(`Rejected a message of ${message.routingKey} from exchange ${message.exchange}: ${admission.refused}`);
      this.#add({ receivedAt: now(), rejection: this.#rejection(message, admission.refused) }, message.body.byteLength);
    } else this.#admit(admission);
  }

  #admit({ notification, cut = [], bytes }: AdmittedMessage): void {
    const { now, log } = this.#options;
    const { eventType, messageId } = notification;
    if (cut.length > 0) {
      log.warn(
        `Left out of ${eventType} ${messageId}, since no cloud sends as much: ${
          cut.slice(0, MAX_CUTS_LOGGED).join("; ")
        }`,
      );
    }
    const receivedAt = now();
    // Some time is better than none: it came in just now.
    const time = notification.time ?? new Date(receivedAt).toISOString();
    const isTimeless = notification.time === null;
    const parts = partsOf({ ...notification, time });
    for (const part of parts) this.#add({ receivedAt, notification: part, isTimeless }, bytes / parts.length);
  }

  #add(arrival: Arrival, bytes: number): void {
    this.#batch.push({ arrival, bytes });
    this.#pendingBytes += bytes;
  }

  #rejection({ body, exchange, routingKey }: Delivered, reason: string): Rejection {
    const sha256 = createHash("sha256").update(body).digest("hex");
    // The bytes are the broker's, and written over as soon as we return.
    const kept = this.#options.keepRejectedBodies ? body.slice() : null;
    return { reason, size: body.byteLength, sha256, exchange, routingKey, body: kept };
  }

  async #awaitRecording(): Promise<void> {
    let timer;
    const patience = new Promise<void>((resolve) => timer = setTimeout(resolve, MAX_BACKPRESSURE_MS));
    await Promise.race([this.#flushing, patience]);
    clearTimeout(timer);
  }

  #flushLater(): void {
    this.#timer ??= setTimeout(() => this.#startFlush(), this.#batchDelayMs());
  }

  #batchDelayMs(): number {
    if (this.#lastMessageAt === null) return 0;
    const pastMs = this.#options.now() - this.#lastMessageAt;
    const batchMs = Math.min(Math.max(MIN_BATCH_MS, RECORDING_TIME_FACTOR * this.#lastRecordingMs), MAX_BATCH_MS);
    // A clock that was set back must not keep anybody waiting.
    return pastMs >= 0 && pastMs < batchMs ? batchMs - pastMs : 0;
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
    if (this.#ackThrough.size === 0 || this.#failed) return;
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
      const [batch, ackThrough] = [this.#batch, this.#ackThrough];
      this.#batch = [];
      this.#ackThrough = new Map();
      this.#sinceFlush = 0;
      this.#isFull = false;
      for (const arrivals of transactionsOf(batch)) await this.#record(arrivals);
      this.#pendingBytes -= batch.reduce((sum, { bytes }) => sum + bytes, 0);
      for (const [channel, tag] of ackThrough) channel.ackThrough(tag);
    } while (this.#isFull);
  }

  async #record(batch: readonly Arrival[]): Promise<void> {
    const rejections = batch.filter((arrival) => "rejection" in arrival).length;
    const startedAt = this.#options.now();
    const recording = this.#options.ledger.record(batch);
    // Whoever goes on with it asks the ledger after us, and can share the transaction.
    this.#options.onRecorded();
    this.counts.recorded += await recording - rejections;
    this.#lastRecordingMs = this.#options.now() - startedAt;
  }
}

/** Little of it shares one transaction, as nearly always; much would keep the event loop for too long. */
function transactionsOf(batch: readonly PendingArrival[]): readonly (readonly Arrival[])[] {
  const transactions: Arrival[][] = [];
  let bytes = Infinity;
  for (const one of batch) {
    if (bytes + one.bytes > FULL_BATCH_BYTES) {
      transactions.push([]);
      bytes = 0;
    }
    transactions.at(-1)?.push(one.arrival);
    bytes += one.bytes;
  }
  return transactions;
}
