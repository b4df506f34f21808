import type { RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { GapRecord } from "../model/gap.ts";
import type { Logger } from "../model/plugin.ts";
import type { AmqpEndpoint } from "../wire/amqp/amqp_options.ts";
import { endpointsOf } from "./address.ts";
import type { Delivered } from "./channel.ts";
import { reasonOf, refusalOf } from "./errors.ts";
import { closeLink, type Link, openLink, openTemporaryChannel } from "./link.ts";
import { maintainerFor, type QueueMaintainer, RECHECK_TICKS } from "./queue.ts";
import { PausableConsumption } from "./pausable_consumption.ts";
import { Retry, seconds, sleep } from "./retry.ts";
import { type TemporaryQueue, TemporaryQueueMaintainer } from "./temporary_queue.ts";
import { RABBIT_DEFAULTS } from "../model/config_defaults.ts";

export type { Delivered, DeliveryChannel } from "./channel.ts";

export interface BrokerOptions {
  readonly source: RabbitSource;
  /**
   * Called for each message in the order of the queue. If it throws, the channel is closed and the
   * broker delivers its messages again.
   */
  readonly onDelivered: (message: Delivered) => void;
  /**
   * Called after each read of the socket; the next read waits for the returned promise.
   *
   * @default never waits
   */
  readonly backpressure?: () => Promise<void> | undefined;
  readonly log: Logger;
  /**
   * Consume a temporary queue that is deleted with the connection, instead of the source's queue,
   * which is left alone.
   */
  readonly temporary?: TemporaryQueue;
  /**
   * Stores the times in which notifications may not have reached the source's own or watched queue.
   */
  readonly gaps?: GapRecord | undefined;
  /** For the jitter of the back-off. @default Math.random */
  readonly random?: () => number;
  /** Reads certificate files. @default Deno.readFileSync */
  readonly readFile?: (path: string) => Uint8Array;
}

export interface PauseOptions {
  /**
   * What is not acknowledged is delivered again, to a standby if there is one, before anything else:
   * for a standby that records in the same ledger, in the same order. @default false
   */
  readonly givesBack?: boolean;
}

/**
 * Consumes one queue of one RabbitMQ until it is stopped. Once {@linkcode Broker.start} has
 * succeeded, each problem is logged once and retried with back-off.
 */
export class Broker implements AsyncDisposable {
  /** `host:port` of every configured broker. */
  readonly addresses: readonly string[];
  readonly vhost: string;
  readonly #options: BrokerOptions;
  readonly #endpoints: readonly AmqpEndpoint[];
  readonly #maintainer: QueueMaintainer;
  readonly #retry: Retry;
  readonly #consumption: PausableConsumption;
  readonly #stopping = new AbortController();
  readonly #started = Promise.withResolvers<void>();
  #running: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;
  #link: Link | null = null;
  #hasStarted = false;

  /** @throws {UserError} when the source cannot be read. */
  constructor(options: BrokerOptions) {
    const { source, log, onDelivered } = options;
    this.#options = options;
    this.#endpoints = endpointsOf(source);
    this.addresses = this.#endpoints.map((endpoint) => endpoint.label);
    this.vhost = this.#endpoints[0]?.vhost ?? RABBIT_DEFAULTS.vhost;
    this.#retry = new Retry(log, options.random ?? Math.random);
    this.#maintainer = options.temporary === undefined
      ? maintainerFor(source, { log, retry: this.#retry, gaps: options.gaps, brokers: this.addresses.join(",") })
      : new TemporaryQueueMaintainer(options.temporary, { log, retry: this.#retry });
    const { prefetch = RABBIT_DEFAULTS.prefetch } = source;
    this.#consumption = new PausableConsumption({ maintainer: this.#maintainer, prefetch, onDelivered });
    // stop() may be called without anybody waiting for start(): that must not be an unhandled
    // rejection.
    this.#started.promise.catch(() => {});
  }

  /** The name of the consumed queue. */
  get queue(): string {
    return this.#maintainer.name;
  }

  /**
   * Connects and consumes. Resolves when consuming has begun for the first time; retries while no
   * broker can be reached.
   *
   * @throws {UserError} when the broker refuses us for a reason that a retry does not change.
   */
  start(): Promise<void> {
    this.#running ??= this.#runLoop();
    return this.#started.promise;
  }

  /** The connected broker and its release; `null` without a connection. */
  get connection(): { readonly endpoint: AmqpEndpoint; readonly version: string } | null {
    const link = this.#link;
    return link === null ? null : { endpoint: link.endpoint, version: link.connection.brokerVersion };
  }

  get connected(): boolean {
    return this.#link !== null && !this.#link.lost.aborted;
  }

  /**
   * Whether this consumer is registered with the broker. Of several consumers of an own queue, the
   * broker delivers to one at a time.
   */
  get consuming(): boolean {
    return this.#consumption.consuming;
  }

  /**
   * Stops consuming; a standby takes over. Messages that were delivered before can still be
   * acknowledged, unless they are given back.
   */
  pause({ givesBack = false }: PauseOptions = {}): Promise<void> {
    return this.#consumption.pause(givesBack);
  }

  /** Consumes again, at once or when the connection is restored. */
  resume(): Promise<void> {
    return this.#consumption.resume();
  }

  /**
   * Stops consuming and disconnects. Pending acknowledgements are sent; the broker delivers
   * unacknowledged messages to another consumer.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#consumption.wake();
    // A broker that does not answer must not delay the shutdown.
    const timer = setTimeout(() => this.#link?.connection.destroy(), CLOSE_MS);
    await this.#running;
    clearTimeout(timer);
    this.#started.reject(new Error(`Cannot consume queue "${this.queue}": stopped`));
  }

  /** The connection loop: it ends when stopped, or with a refusal before the first success. */
  async #runLoop(): Promise<void> {
    try {
      while (!this.#stopping.signal.aborted) {
        let delayMs = this.#nextDelayMs();
        this.#link = await this.#connect(delayMs);
        if (this.#link !== null) delayMs = await this.#consumeUntilLost(this.#link);
        this.#link = null;
        await sleep(delayMs, this.#stopping.signal);
      }
    } catch (error) {
      this.#started.reject(error);
    }
  }

  /** Tries each broker once, in order. `null` if none accepted the connection. */
  async #connect(delayMs: number): Promise<Link | null> {
    let refusal: UserError | null = null;
    for (const [index, endpoint] of this.#endpoints.entries()) {
      try {
        return await this.#open(endpoint);
      } catch (error) {
        if (this.#stopping.signal.aborted) return null;
        refusal ??= refusalOf(error, endpoint);
        const next = this.#endpoints[index + 1];
        if (next === undefined && refusal !== null && !this.#hasStarted) throw refusal;
        const outlook = next === undefined ? `trying again in ${seconds(delayMs)}` : `trying ${next.label}`;
        this.#retry.report(`Cannot connect to ${endpoint.label}: ${reasonOf(error)}`, outlook);
      }
    }
    return null;
  }

  async #open(endpoint: AmqpEndpoint): Promise<Link> {
    const { source, backpressure, readFile = Deno.readFileSync } = this.#options;
    const link = await openLink(endpoint, {
      source,
      backpressure,
      readFile,
      name: `oss-watcher ${this.queue}`,
      signal: this.#stopping.signal,
    });
    link.lost.addEventListener("abort", () => this.#consumption.wake(), { once: true });
    if (link.lost.aborted) this.#consumption.wake();
    return link;
  }

  /**
   * Consumes until the connection is lost or the consumer is stopped. Returns the delay before the
   * next connection attempt.
   */
  async #consumeUntilLost(link: Link): Promise<number> {
    const over = new AbortController();
    const rechecking = this.#recheckQueue(link, over.signal);
    try {
      while (!this.#isOver(link)) {
        try {
          await this.#consume(link);
        } catch (error) {
          if (error instanceof UserError && !this.#hasStarted) throw error;
          if (this.#isOver(link)) break;
          this.#retry.fail(link.connection.heardAt);
          const delayMs = this.#nextDelayMs();
          const problem = error instanceof UserError
            ? error.message
            : `Cannot consume queue "${this.queue}": ${reasonOf(error)}`;
          this.#retry.report(problem, `trying again in ${seconds(delayMs)}`);
          await sleep(delayMs, AbortSignal.any([link.lost, this.#stopping.signal]));
        }
      }
    } finally {
      over.abort();
      await rechecking;
      await closeLink(link);
    }
    const delayMs = this.#nextDelayMs();
    if (!this.#stopping.signal.aborted) this.#connectionLost(link, delayMs);
    return delayMs;
  }

  #connectionLost({ connection, endpoint, lost }: Link, delayMs: number): void {
    this.#maintainer.onConnectionLost(this.#retry.fail(connection.heardAt));
    this.#retry.report(
      `Lost the connection to ${endpoint.label}: ${reasonOf(lost.reason)}`,
      `trying again in ${seconds(delayMs)}`,
    );
  }

  /**
   * Consumes on a channel of its own until that fails, the connection is lost or the consumer is
   * stopped.
   */
  async #consume(link: Link): Promise<void> {
    await this.#maintainer.prepare(() => openTemporaryChannel(link), !this.#hasStarted);
    await this.#consumption.run(link, {
      isOver: () => this.#isOver(link),
      onSettled: () => this.#succeed(link),
    });
  }

  /**
   * Rechecks the queue once a second, concurrently with consuming: consuming from a quorum queue
   * without a leader would wait for ever.
   */
  async #recheckQueue(link: Link, over: AbortSignal): Promise<void> {
    let waiting: unknown = null;
    for (let count = 1;; count++) {
      await sleep(RECHECK_MS, over);
      if (over.aborted) return;
      const { consuming } = this.#consumption;
      try {
        await this.#maintainer.recheck(() => openTemporaryChannel(link), { count, consuming });
      } catch (error) {
        if (this.#isOver(link)) return;
        this.#retry.report(`Cannot check queue "${this.queue}": ${reasonOf(error)}`, "trying again");
      }
      if (count % RECHECK_TICKS !== 0) continue;
      if (waiting !== null && waiting === this.#consumption.waiting) {
        this.#retry.report(`Queue "${this.queue}" does not answer`, "it may have no leader. Waiting for it");
      }
      waiting = this.#consumption.waiting;
    }
  }

  #isOver(link: Link): boolean {
    return this.#stopping.signal.aborted || link.lost.aborted;
  }

  #succeed(link: Link): void {
    if (this.#hasStarted && this.#retry.failingSince === null) return;
    const again = this.#hasStarted ? " again" : "";
    const doing = this.#consumption.isPaused ? "Connected" : `Listening on queue "${this.queue}"`;
    this.#options.log.info(`${doing} at ${link.endpoint.label}${again}`);
    this.#hasStarted = true;
    this.#retry.succeed();
    this.#started.resolve();
  }

  #nextDelayMs(): number {
    return this.#retry.nextDelayMs(this.#hasStarted && this.#maintainer.urgent);
  }
}

/**
 * A missing exchange must be bound within 2 s of its return: messages published before the binding
 * are lost.
 */
const RECHECK_MS = 1_000;
const CLOSE_MS = 5_000;
