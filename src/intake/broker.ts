import { type Channel, Connection } from "rabbitmq-client";
import type { RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { Logger } from "../model/plugin.ts";
import { type Endpoint, endpointsOf, readTls } from "./broker_address.ts";
import { Consumption, type Delivered } from "./broker_channel.ts";
import { codeOf, reasonOf, refusalOf } from "./broker_errors.ts";
import { Bindings, checkWatchQueue, consumeRefusal, countConsumers, declareOwnQueue } from "./broker_topology.ts";

export type { Delivered, DeliveryChannel } from "./broker_channel.ts";

export interface BrokerOptions {
  readonly source: RabbitSource;
  /** Called in the order of the queue. Must not throw: the channel is given up then, and its messages come again. */
  readonly onDelivered: (message: Delivered) => void;
  readonly log: Logger;
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
  /** The queue listened on. */
  readonly queue: string;
  /** `host:port` of every broker that may be tried. */
  readonly addresses: readonly string[];
  readonly #options: BrokerOptions;
  readonly #endpoints: readonly Endpoint[];
  readonly #bindings: Bindings | null;
  readonly #prefetch: number;
  readonly #heartbeatSeconds: number;
  readonly #stopping = new AbortController();
  readonly #started = Promise.withResolvers<void>();
  #running: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;
  #link: Link | null = null;
  #consumption: Consumption | null = null;
  #hasStarted = false;
  /** Consuming, as opposed to paused. */
  #wanted = true;
  /** Resolved when there is something to do for the loop in {@linkcode Broker.#consume}. */
  #woken = Promise.withResolvers<void>();
  /** Resolved when what is wanted has become true, or cannot. */
  #settled = Promise.withResolvers<void>();
  #failures = 0;
  /** Milliseconds; `null` while all is well. */
  #failingSince: number | null = null;
  /** What was logged and is not over. */
  readonly #told = new Set<string>();

  /** @throws {UserError} when the source cannot be read. */
  constructor(options: BrokerOptions) {
    const { source, log } = options;
    this.#options = options;
    this.#endpoints = endpointsOf(source);
    this.addresses = this.#endpoints.map((endpoint) => endpoint.label);
    this.queue = source.queue === undefined ? source.watchQueue : source.queue.name;
    this.#bindings = source.queue === undefined ? null : new Bindings(source.queue, { log });
    this.#heartbeatSeconds = source.heartbeatSeconds ?? 10;
    this.#prefetch = source.prefetch ?? 500;
    if (!Number.isInteger(this.#prefetch) || this.#prefetch < 1 || this.#prefetch > 65_535) {
      throw new UserError(`Cannot use rabbit.prefetch ${this.#prefetch}: it must be between 1 and 65535`);
    }
    // Whoever stops us without having waited for the start must not meet an unhandled rejection.
    this.#started.promise.catch(() => {});
  }

  /**
   * Connects and consumes. Resolves with the first success; keeps trying while no broker can be reached.
   *
   * @throws {UserError} when we are refused in a way that waiting does not mend.
   */
  start(): Promise<void> {
    this.#running ??= this.#run();
    return this.#started.promise;
  }

  /** Nothing is delivered any more. What was delivered can still be acknowledged. A standby takes over. */
  pause(): Promise<void> {
    return this.#want(false);
  }

  /** Consumes again: at once, or when the connection is back. */
  resume(): Promise<void> {
    return this.#want(true);
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
    this.#woken.resolve();
    // A broker that does not answer any more is not waited for.
    const timer = setTimeout(() => this.#link?.connection.unsafeDestroy(), CLOSE_MS);
    await this.#running;
    clearTimeout(timer);
    this.#started.reject(new Error(`Cannot consume queue "${this.queue}": stopped`));
  }

  async #want(consuming: boolean): Promise<void> {
    this.#wanted = consuming;
    if (this.#consumption === null) return;
    this.#woken.resolve();
    await this.#settled.promise;
  }

  /** Ends when stopped, or with a refusal before the first success. */
  async #run(): Promise<void> {
    try {
      while (!this.#stopping.signal.aborted) {
        let delayMs = this.#nextDelayMs();
        this.#link = await this.#connect(delayMs);
        if (this.#link !== null) delayMs = await this.#serve(this.#link);
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
        this.#tell(`Cannot connect to ${endpoint.label}: ${reasonOf(error)}`, outlook);
      }
    }
    return null;
  }

  /** One connection, once: trying again is our business, since the library neither says nor counts what it tries. */
  async #open(endpoint: Endpoint): Promise<Link> {
    const { source, readFile = Deno.readFileSync } = this.#options;
    const tls = endpoint.tls ? readTls(typeof source.tls === "object" ? source.tls : {}, readFile) : false;
    this.#stopping.signal.throwIfAborted();
    const connection = new Connection({
      hostname: endpoint.host,
      port: endpoint.port,
      username: endpoint.user,
      password: endpoint.password,
      vhost: endpoint.vhost,
      tls,
      heartbeat: this.#heartbeatSeconds,
      frameMax: FRAME_MAX,
      noDelay: true,
      connectionName: `oss-watcher ${this.queue}`,
    });
    const lost = new AbortController();
    const connected = Promise.withResolvers<void>();
    connection.on("connection", connected.resolve);
    connection.on("error", (error) => {
      connection.unsafeDestroy();
      connected.reject(error);
      lost.abort(error);
      this.#woken.resolve();
    });
    const giveUp = () => {
      connection.unsafeDestroy();
      connected.reject(this.#stopping.signal.reason);
    };
    this.#stopping.signal.addEventListener("abort", giveUp);
    try {
      await connected.promise;
    } finally {
      this.#stopping.signal.removeEventListener("abort", giveUp);
    }
    useNegotiatedFrameMax(connection);
    return { connection, endpoint, lost: lost.signal };
  }

  /** Consumes until the connection is lost or we are stopped. Returns how long to wait then. */
  async #serve(link: Link): Promise<number> {
    const over = new AbortController();
    const looking = this.#keepLooking(link, over.signal);
    try {
      while (!this.#isOver(link)) {
        try {
          await this.#consume(link);
        } catch (error) {
          if (error instanceof UserError && !this.#hasStarted) throw error;
          if (this.#isOver(link)) break;
          this.#failingSince ??= Date.now();
          const delayMs = this.#nextDelayMs();
          const problem = error instanceof UserError
            ? error.message
            : `Cannot consume queue "${this.queue}": ${reasonOf(error)}`;
          this.#tell(problem, `trying again in ${seconds(delayMs)}`);
          await sleep(delayMs, AbortSignal.any([link.lost, this.#stopping.signal]));
        }
      }
    } finally {
      over.abort();
      await looking;
      await close(link);
    }
    const delayMs = this.#nextDelayMs();
    if (!this.#stopping.signal.aborted) this.#lose(link, delayMs);
    return delayMs;
  }

  #lose({ endpoint, lost }: Link, delayMs: number): void {
    // A connection that went silent may have been dead for two heartbeats before that was noticed.
    const silentMs = codeOf(lost.reason) === "SOCKET_TIMEOUT" ? 2_000 * this.#heartbeatSeconds : 0;
    this.#failingSince ??= Date.now() - silentMs;
    this.#bindings?.doubt("maybe", this.#failingSince);
    this.#tell(
      `Lost the connection to ${endpoint.label}: ${reasonOf(lost.reason)}`,
      `trying again in ${seconds(delayMs)}`,
    );
  }

  /** Consumes on a channel of its own until that fails, the connection is lost or we are stopped. */
  async #consume(link: Link): Promise<void> {
    if (this.#bindings !== null) await this.#prepareOwnQueue(link, this.#bindings);
    const consumption = await this.#openConsumption(link);
    this.#consumption = consumption;
    try {
      while (!this.#isOver(link)) {
        this.#woken = Promise.withResolvers();
        await this.#apply(consumption, link);
        this.#succeed(link);
        this.#settle();
        await this.#woken.promise;
      }
    } finally {
      this.#consumption = null;
      this.#settle();
      await consumption.close();
    }
  }

  /** Consumes or cancels, as is wanted by now. */
  async #apply(consumption: Consumption, link: Link): Promise<void> {
    while (this.#wanted !== consumption.consuming) {
      if (consumption.failure !== null) throw consumption.failure;
      if (!this.#wanted) {
        await consumption.cancel();
        continue;
      }
      if (this.#bindings === null) await checkWatchQueue(this.queue, () => openProbe(link));
      try {
        await consumption.consume();
      } catch (error) {
        throw consumeRefusal(this.queue, error);
      }
    }
    if (consumption.failure !== null) throw consumption.failure;
  }

  async #prepareOwnQueue(link: Link, bindings: Bindings): Promise<void> {
    const { queue } = this.#options.source;
    if (queue === undefined) return;
    const existed = await declareOwnQueue(queue, () => openProbe(link));
    if (!existed && this.#hasStarted) {
      this.#options.log.warn(`Queue "${queue.name}" was gone, with all that it held; it is declared again`);
      bindings.doubt("lost", this.#failingSince ?? Date.now());
    }
    await this.#renew(link, bindings);
  }

  async #renew(link: Link, bindings: Bindings): Promise<void> {
    try {
      await bindings.renew(() => openProbe(link));
    } catch (error) {
      // One exchange that is forbidden must not keep us from what the others bring.
      if (!(error instanceof UserError) || !this.#hasStarted) throw error;
      this.#tell(error.message, "going on without it");
    }
  }

  async #openConsumption(link: Link): Promise<Consumption> {
    const channel = await link.connection.acquire({ emitErrorsFromChannel: true });
    return new Consumption(channel, {
      queue: this.queue,
      // Our own queue has a single active consumer: a second one may wait there.
      exclusive: this.#bindings === null,
      prefetch: this.#prefetch,
      onDelivered: this.#options.onDelivered,
      onFailed: () => this.#woken.resolve(),
    });
  }

  /** Looks after what changes without a word from the broker, also while a queue without a leader lets us wait. */
  async #keepLooking(link: Link, over: AbortSignal): Promise<void> {
    for (let ticks = 1; !over.aborted; ticks++) {
      await sleep(MISSING_MS, over);
      const due = ticks % LOOK_TICKS === 0 || this.#bindings?.complete === false;
      if (over.aborted || !due) continue;
      try {
        await this.#look(link);
      } catch (error) {
        if (!this.#isOver(link)) {
          this.#tell(`Cannot look after queue "${this.queue}": ${reasonOf(error)}`, "trying again");
        }
      }
    }
  }

  async #look(link: Link): Promise<void> {
    if (this.#bindings !== null) return await this.#renew(link, this.#bindings);
    if (!this.#consumption?.consuming || await countConsumers(this.queue, () => openProbe(link)) < 2) return;
    this.#tell(
      `Queue "${this.queue}" has another consumer`,
      "stop it: it takes notifications away and breaks their order",
    );
  }

  #isOver(link: Link): boolean {
    return this.#stopping.signal.aborted || link.lost.aborted;
  }

  #succeed(link: Link): void {
    if (this.#hasStarted && this.#failingSince === null) return;
    const again = this.#hasStarted ? " again" : "";
    const doing = this.#wanted ? `Listening on queue "${this.queue}"` : "Connected";
    this.#options.log.info(`${doing} at ${link.endpoint.label}${again}`);
    this.#hasStarted = true;
    this.#failures = 0;
    this.#failingSince = null;
    this.#told.clear();
    this.#started.resolve();
  }

  #settle(): void {
    this.#settled.resolve();
    this.#settled = Promise.withResolvers();
  }

  /** Logs a problem once, until all is well again. */
  #tell(problem: string, outlook: string): void {
    const { log } = this.#options;
    if (this.#told.has(problem)) log.debug(`${problem}; ${outlook}`);
    else log.warn(`${problem}; ${outlook}`);
    this.#told.add(problem);
  }

  #nextDelayMs(): number {
    const { random = Math.random } = this.#options;
    this.#failures++;
    // While we are away from a queue of our own, what is published may be lost.
    if (this.#bindings !== null && this.#hasStarted) return MISSING_MS * (0.5 + random() / 2);
    const ceilingMs = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** this.#failures);
    return MIN_DELAY_MS + random() * (ceilingMs - MIN_DELAY_MS);
  }
}

interface Link {
  readonly connection: Connection;
  readonly endpoint: Endpoint;
  /** Aborted with the loss of the connection; the reason is why. */
  readonly lost: AbortSignal;
}

const MIN_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;
/** A missing exchange must be bound within two seconds of its return: every message before that is lost. */
const MISSING_MS = 1_000;
/** So many times that, while nothing is known to be missing. */
const LOOK_TICKS = 30;
const CLOSE_MS = 5_000;
const FRAME_MAX = 131_072;

async function openProbe(link: Link): Promise<Channel> {
  const channel = await link.connection.acquire({ emitErrorsFromChannel: true });
  // A refusal rejects the call too.
  channel.on("error", () => {});
  return channel;
}

async function close({ connection, lost }: Link): Promise<void> {
  // The library would wait for a socket that is closed already.
  if (lost.aborted) return;
  const timer = setTimeout(() => connection.unsafeDestroy(), CLOSE_MS);
  await connection.close();
  clearTimeout(timer);
}

/**
 * rabbitmq-client expects a body in frames of the size that it asked for, even when a broker with a smaller frame_max was
 * followed in the handshake: it would cut large bodies short.
 */
function useNegotiatedFrameMax(connection: Connection): void {
  const internal = connection as unknown as { _opt?: { frameMax: number }; _state?: { frameMax: number } };
  if (internal._opt === undefined || internal._state === undefined) {
    throw new TypeError("Cannot follow frame_max: unknown version of rabbitmq-client");
  }
  internal._opt.frameMax = internal._state.frameMax;
}

/** Ends early, without an error, when aborted. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

function seconds(ms: number): string {
  return `${ms < 950 ? (ms / 1_000).toFixed(1) : Math.round(ms / 1_000)} s`;
}
