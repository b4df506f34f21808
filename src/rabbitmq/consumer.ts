import type { RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { GapRecord } from "../model/gap.ts";
import type { Logger } from "../model/plugin.ts";
import type { AmqpEndpoint } from "../wire/amqp/amqp_options.ts";
import { endpointsOf } from "./address.ts";
import { Consumption, type Delivered } from "./channel.ts";
import { reasonOf, refusalOf } from "./errors.ts";
import { closeLink, type Link, openLink, openTemporaryChannel } from "./link.ts";
import { maintainerFor, type QueueMaintainer, RECHECK_TICKS } from "./queue.ts";
import { Retry, seconds, sleep } from "./retry.ts";
import { type TemporaryQueue, TemporaryQueueMaintainer } from "./temporary_queue.ts";
import { consumeRefusal } from "./topology.ts";

export type { Delivered, DeliveryChannel } from "./channel.ts";

export interface BrokerOptions {
  readonly source: RabbitSource;
  /** Called in the order of the queue. Must not throw: the channel is given up then, and its messages come again. */
  readonly onDelivered: (message: Delivered) => void;
  /** Asked after each read of the socket what to wait for before the next. @default nothing */
  readonly backpressure?: () => Promise<void> | undefined;
  readonly log: Logger;
  /** Listen on a queue that goes with the connection, beside the source's own and whoever reads that. */
  readonly temporary?: TemporaryQueue;
  /** Where it is remembered when notifications could not reach the source's own or watched queue. */
  readonly gaps?: GapRecord | undefined;
  /** For the jitter of delays. @default Math.random */
  readonly random?: () => number;
  /** For certificates. @default Deno.readFileSync */
  readonly readFile?: (path: string) => Uint8Array;
}

/**
 * Consumes one queue of one RabbitMQ for as long as it takes. Once {@linkcode Broker.start} has succeeded, whatever happens
 * is logged, once, and tried again.
 */
export class Broker implements AsyncDisposable {
  /** `host:port` of every broker that may be tried. */
  readonly addresses: readonly string[];
  readonly #options: BrokerOptions;
  readonly #endpoints: readonly AmqpEndpoint[];
  readonly #maintainer: QueueMaintainer;
  readonly #retry: Retry;
  readonly #prefetch: number;
  readonly #stopping = new AbortController();
  readonly #started = Promise.withResolvers<void>();
  #running: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;
  #link: Link | null = null;
  #consumption: Consumption | null = null;
  #hasStarted = false;
  /** Consuming, as opposed to paused. */
  #shouldConsume = true;
  /** Resolved when there is something to do for the loop in {@linkcode Broker.#consume}. */
  #changed = Promise.withResolvers<void>();
  /** Resolved when what is wanted has become true, or cannot. */
  #settled = Promise.withResolvers<void>();

  /** @throws {UserError} when the source cannot be read. */
  constructor(options: BrokerOptions) {
    const { source, log } = options;
    this.#options = options;
    this.#endpoints = endpointsOf(source);
    this.addresses = this.#endpoints.map((endpoint) => endpoint.label);
    this.#retry = new Retry(log, options.random ?? Math.random);
    this.#maintainer = options.temporary === undefined
      ? maintainerFor(source, { log, retry: this.#retry, gaps: options.gaps, brokers: this.addresses.join(",") })
      : new TemporaryQueueMaintainer(options.temporary, { log, retry: this.#retry });
    this.#prefetch = source.prefetch ?? 1000;
    if (!Number.isInteger(this.#prefetch) || this.#prefetch < 1 || this.#prefetch > 65_535) {
      throw new UserError(`Cannot use rabbit.prefetch ${this.#prefetch}: it must be between 1 and 65535`);
    }
    // Whoever stops us without having waited for the start must not meet an unhandled rejection.
    this.#started.promise.catch(() => {});
  }

  /** The queue listened on. */
  get queue(): string {
    return this.#maintainer.name;
  }

  /**
   * Connects and consumes. Resolves with the first success; keeps trying while no broker can be reached.
   *
   * @throws {UserError} when we are refused in a way that waiting does not mend.
   */
  start(): Promise<void> {
    this.#running ??= this.#runLoop();
    return this.#started.promise;
  }

  /** Where we are connected, and the broker's release; `null` while we are not. */
  get connection(): { readonly endpoint: AmqpEndpoint; readonly version: string } | null {
    const link = this.#link;
    return link === null ? null : { endpoint: link.endpoint, version: link.connection.brokerVersion };
  }

  get connected(): boolean {
    return this.#link !== null && !this.#link.lost.aborted;
  }

  /** Whether messages would come. Of several that may consume an own queue the broker gives them to one. */
  get consuming(): boolean {
    return this.#consumption?.consuming === true;
  }

  /** Nothing is delivered any more. What was delivered can still be acknowledged. A standby takes over. */
  pause(): Promise<void> {
    return this.#setConsuming(false);
  }

  /** Consumes again: at once, or when the connection is back. */
  resume(): Promise<void> {
    return this.#setConsuming(true);
  }

  /** Ends it all. Acknowledgements made before are sent; what was not acknowledged will be delivered to another. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#changed.resolve();
    // A broker that does not answer any more is not waited for.
    const timer = setTimeout(() => this.#link?.connection.destroy(), CLOSE_MS);
    await this.#running;
    clearTimeout(timer);
    this.#started.reject(new Error(`Cannot consume queue "${this.queue}": stopped`));
  }

  async #setConsuming(consuming: boolean): Promise<void> {
    this.#shouldConsume = consuming;
    if (this.#consumption === null) return;
    this.#changed.resolve();
    await this.#settled.promise;
  }

  /** Ends when stopped, or with a refusal before the first success. */
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

  /** Tries each address once. `null` when none answered. */
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
    link.lost.addEventListener("abort", () => this.#changed.resolve(), { once: true });
    if (link.lost.aborted) this.#changed.resolve();
    return link;
  }

  /** Consumes until the connection is lost or we are stopped. Returns how long to wait then. */
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

  /** Consumes on a channel of its own until that fails, the connection is lost or we are stopped. */
  async #consume(link: Link): Promise<void> {
    await this.#maintainer.prepare(() => openTemporaryChannel(link), !this.#hasStarted);
    const consumption = await this.#openConsumption(link);
    this.#consumption = consumption;
    try {
      while (!this.#isOver(link)) {
        this.#changed = Promise.withResolvers();
        await this.#applyWanted(consumption, link);
        this.#succeed(link);
        this.#settle();
        await this.#changed.promise;
      }
    } finally {
      this.#consumption = null;
      this.#settle();
      await consumption.close();
    }
  }

  /** Consumes or cancels, as is wanted by now. */
  async #applyWanted(consumption: Consumption, link: Link): Promise<void> {
    while (this.#shouldConsume !== consumption.consuming) {
      if (consumption.failure !== null) throw consumption.failure;
      if (!this.#shouldConsume) {
        await consumption.cancel();
        continue;
      }
      await this.#maintainer.check(() => openTemporaryChannel(link));
      try {
        await consumption.consume();
      } catch (error) {
        throw consumeRefusal(this.queue, error);
      }
    }
    if (consumption.failure !== null) throw consumption.failure;
  }

  #openConsumption(link: Link): Promise<Consumption> {
    return Consumption.open(link.connection, {
      queue: this.queue,
      exclusive: this.#maintainer.exclusive,
      prefetch: this.#prefetch,
      onDelivered: this.#options.onDelivered,
      onFailed: () => this.#changed.resolve(),
    });
  }

  /** Goes on beside the consumption, since a queue without a leader lets that wait for ever. */
  async #recheckQueue(link: Link, over: AbortSignal): Promise<void> {
    let waiting: Consumption | null = null;
    for (let count = 1;; count++) {
      await sleep(RECHECK_MS, over);
      if (over.aborted) return;
      const consuming = this.#consumption?.consuming === true;
      try {
        await this.#maintainer.recheck(() => openTemporaryChannel(link), { count, consuming });
      } catch (error) {
        if (this.#isOver(link)) return;
        this.#retry.report(`Cannot look after queue "${this.queue}": ${reasonOf(error)}`, "trying again");
      }
      if (count % RECHECK_TICKS !== 0) continue;
      if (waiting !== null && waiting === this.#consumption && !consuming && this.#shouldConsume) {
        this.#retry.report(`Queue "${this.queue}" does not answer`, "is it without a leader? Waiting for it");
      }
      waiting = consuming || !this.#shouldConsume ? null : this.#consumption;
    }
  }

  #isOver(link: Link): boolean {
    return this.#stopping.signal.aborted || link.lost.aborted;
  }

  #succeed(link: Link): void {
    if (this.#hasStarted && this.#retry.failingSince === null) return;
    const again = this.#hasStarted ? " again" : "";
    const doing = this.#shouldConsume ? `Listening on queue "${this.queue}"` : "Connected";
    this.#options.log.info(`${doing} at ${link.endpoint.label}${again}`);
    this.#hasStarted = true;
    this.#retry.succeed();
    this.#started.resolve();
  }

  #settle(): void {
    this.#settled.resolve();
    this.#settled = Promise.withResolvers();
  }

  #nextDelayMs(): number {
    return this.#retry.nextDelayMs(this.#hasStarted && this.#maintainer.urgent);
  }
}

/** A missing exchange must be bound within two seconds of its return: every message before that is lost. */
const RECHECK_MS = 1_000;
const CLOSE_MS = 5_000;
