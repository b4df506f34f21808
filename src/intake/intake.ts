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
  /** Called after a transaction was handed to the ledger. */
  readonly onRecorded: () => void;
  /**
   * Called when recording has failed permanently. The messages are not acknowledged: the broker
   * delivers them again.
   */
  readonly onFailed: (error: unknown) => void;
}

/** A notification or rejection to record, with its share of the body's size. */
interface PendingArrival {
  readonly arrival: Arrival;
  readonly bytes: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Minimum time between two transactions unless a batch is full. Messages that arrive in between
 * share a transaction; a message after a pause is recorded at once. If recording is slow, the time
 * is a multiple of the duration of the last transaction, up to a maximum.
 */
const MIN_BATCH_MS = 5;
const MAX_BATCH_MS = 50;
const RECORDING_TIME_FACTOR = 4;
/**
 * A batch of this many arrivals is recorded at once: stage 2 decides as many in one transaction.
 */
const FULL_BATCH = 125;
/** A batch of this many bytes is recorded at once; a transaction gets no more than this. */
const FULL_BATCH_BYTES = 2_097_152;
/** Maximum pause between two reads: heartbeats must be read, or the broker seems to be lost. */
const MAX_BACKPRESSURE_MS = 1000;
/** Maximum number of left-out parts that are logged per message. */
const MAX_CUTS_LOGGED = 3;
/**
 * Reading from the broker pauses when this many bytes wait to be recorded: parsed, they take many
 * times as much memory.
 */
const BACKPRESSURE_BYTES = 4_194_304;

/**
 * Stage 1 of the pipeline: messages are collected in batches, recorded in one transaction, and
 * acknowledged after its commit. One acknowledgement per channel covers all messages up to the last
 * tag of the batch. Unwanted messages need no transaction.
 */
export class Intake {
  readonly counts: Mutable<IntakeCounts> = { received: 0, ignored: 0, rejected: 0, recorded: 0 };
  readonly #options: IntakeOptions;
  #batch: PendingArrival[] = [];
  /** Body bytes that wait to be recorded or are being recorded. */
  #pendingBytes = 0;
  #ackThrough = new Map<DeliveryChannel, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushing: Promise<void> | undefined;
  #sinceFlush = 0;
  /** Duration of the last transaction. */
  #lastRecordingMs = 0;
  /** The batch is recorded without waiting for further messages. */
  #isFull = false;
  #lastMessageAt: number | null = null;
  /**
   * After a permanent failure nothing may be acknowledged: an acknowledgement also covers all
   * earlier messages.
   */
  #failed = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** When the last message arrived, in milliseconds since the epoch; `null` before the first. */
  get lastMessageAt(): number | null {
    return this.#lastMessageAt;
  }

  /** Accepts one message; never throws and never waits. */
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

  /**
   * A promise that the next read from the broker must wait for: it settles when the current batch
   * is recorded, or after a second. `undefined` if reading may continue at once.
   */
  backpressure(): Promise<void> | undefined {
    return this.#pendingBytes < BACKPRESSURE_BYTES ? undefined : this.#awaitRecording();
  }

  /** Records and acknowledges all accepted messages. */
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
    } else this.#admit(admission, message);
  }

  #admit({ notification, cut = [], bytes }: AdmittedMessage, { exchange, routingKey, body }: Delivered): void {
    const { now, log } = this.#options;
    const { eventType, messageId } = notification;
    if (cut.length > 0) {
      log.warn(
        `Left out of ${eventType} ${messageId}, as larger than any cloud sends: ${
          cut.slice(0, MAX_CUTS_LOGGED).join("; ")
        }`,
      );
    }
    const receivedAt = now();
    // A notification without a readable time gets its time of arrival.
    const time = notification.time ?? new Date(receivedAt).toISOString();
    const isTimeless = notification.time === null;
    const parts = partsOf({ ...notification, time });
    // Not the message itself: its body is a view of the read buffer.
    const message = { exchange, routingKey, bytes: body.byteLength };
    for (const part of parts) this.#add({ receivedAt, notification: part, isTimeless, message }, bytes / parts.length);
  }

  #add(arrival: Arrival, bytes: number): void {
    this.#batch.push({ arrival, bytes });
    this.#pendingBytes += bytes;
  }

  #rejection({ body, exchange, routingKey }: Delivered, reason: string): Rejection {
    const sha256 = createHash("sha256").update(body).digest("hex");
    // A copy: the read buffer is overwritten after this call.
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
    // A clock that was set back must not delay recording.
    return pastMs >= 0 && pastMs < batchMs ? batchMs - pastMs : 0;
  }

  #startFlush(): void {
    // Accurate to some milliseconds, without reading the clock for each message.
    if (this.#sinceFlush > 0) this.#lastMessageAt = this.#options.now();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing ??= this.#flushAll().catch((error) => this.#fail(error)).finally(() => this.#flushed());
  }

  #flushed(): void {
    this.#flushing = undefined;
    if (this.#ackThrough.size === 0 || this.#failed) return;
    // Messages that arrived since the last batch was taken did not start a flush: one was still
    // running.
    if (this.#isFull) this.#startFlush();
    else this.#flushLater();
  }

  #fail(error: unknown): void {
    this.#failed = true;
    this.#options.onFailed(error);
  }

  /**
   * Records the batch, and further ones that became full in the meantime. Others wait for their own
   * time.
   */
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
    // Called before the commit: stage 2 then queries the ledger next, and can share the
    // transaction.
    this.#options.onRecorded();
    this.counts.recorded += await recording - rejections;
    this.#lastRecordingMs = this.#options.now() - startedAt;
  }
}

/**
 * Splits a batch into transactions of limited size. Nearly always it is one; a larger transaction
 * would block the event loop for too long.
 */
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
