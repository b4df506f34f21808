import type { OwnQueue } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { Logger } from "../model/plugin.ts";
import { amqpRefusal } from "../wire/amqp/amqp_refusal.ts";
import { reasonOf } from "./broker_errors.ts";
import type { BrokerGaps } from "./broker_gaps.ts";
import type { Gap } from "../model/gap.ts";

/** What is needed of an AMQP channel here. The broker closes it with the first refusal. */
export interface TopologyChannel {
  queueDeclare(
    queue: {
      queue: string;
      passive?: boolean;
      durable?: boolean;
      exclusive?: boolean;
      autoDelete?: boolean;
      arguments?: Record<string, unknown>;
    },
  ): Promise<{ readonly consumerCount: number }>;
  exchangeDeclare(exchange: { exchange: string; passive: true }): Promise<unknown>;
  queueBind(binding: { queue: string; exchange: string; routingKey: string }): Promise<unknown>;
  close(): Promise<unknown>;
}

/** Opens a channel to be thrown away: a refusal must not disturb the one that consumes. */
export type OpenChannel = () => Promise<TopologyChannel>;

export const DEFAULT_EXCHANGES = ["nova", "neutron"];
export const DEFAULT_ROUTING_KEYS = ["notifications.info", "versioned_notifications.info"];

/**
 * RabbitMQ 4 drops a message of a quorum queue after 20 redeliveries unless told otherwise. Its way to say "never", -1,
 * makes RabbitMQ 3 drop it at the first one, in silence. This number is never reached with either.
 */
const DELIVERY_LIMIT = 2 ** 31 - 1;

/**
 * Looks for an existing queue that is to be consumed exclusively.
 *
 * @throws {UserError} when it is not there, or not free.
 */
export async function checkWatchQueue(queue: string, open: OpenChannel): Promise<void> {
  let consumers: number;
  try {
    consumers = await countConsumers(queue, open);
  } catch (error) {
    if (amqpRefusal(error) === "no queue") {
      throw new UserError(
        `Queue "${queue}" does not exist: the services declare it with their first notification to that topic. ` +
          `Check the name, or let oss-watcher have its own queue with rabbit.queue`,
        { cause: error },
      );
    }
    throw consumeRefusal(queue, error);
  }
  // A quorum queue does not refuse a second consumer, not even an exclusive one.
  if (consumers > 0) throw inUse(queue);
}

/** How many consume a queue. */
export function countConsumers(queue: string, open: OpenChannel): Promise<number> {
  return withChannel(open, async (channel) => (await channel.queueDeclare({ queue, passive: true })).consumerCount);
}

/** The refusal of an exclusive consumer, in other words. */
export function consumeRefusal(queue: string, error: unknown): unknown {
  const refusal = amqpRefusal(error);
  if (refusal === "in use" || refusal === "locked") return inUse(queue, error);
  if (refusal !== "rights") return error;
  return new UserError(
    `RabbitMQ does not let us read queue "${queue}": ${reasonOf(error)}. Our user needs the right to read it`,
    { cause: error },
  );
}

/**
 * Declares our own queue.
 *
 * @returns whether it was there already, with its bindings.
 * @throws {UserError} when the broker refuses, since that is how it will answer tomorrow.
 */
export async function declareOwnQueue(queue: OwnQueue, open: OpenChannel): Promise<boolean> {
  const { name } = queue;
  let existed = true;
  try {
    await countConsumers(name, open);
  } catch (error) {
    if (amqpRefusal(error) !== "no queue") throw declareRefusal(queue, error);
    existed = false;
  }
  await redeclareOwnQueue(queue, open);
  return existed;
}

/**
 * Declares our own queue, as it is to be: nothing changes where it is so.
 *
 * @throws {UserError} when it is there with other properties, or we may not.
 */
export async function redeclareOwnQueue(queue: OwnQueue, open: OpenChannel): Promise<void> {
  const { name, type = "quorum" } = queue;
  try {
    await withChannel(open, (channel) =>
      channel.queueDeclare({
        queue: name,
        durable: true,
        arguments: {
          "x-queue-type": type,
          "x-single-active-consumer": true,
          ...type === "quorum" && { "x-delivery-limit": DELIVERY_LIMIT },
        },
      }));
  } catch (error) {
    throw declareRefusal(queue, error);
  }
}

/** The bindings of our own queue to exchanges that others declare, and that may come, vanish and return at any time. */
export class Bindings {
  readonly #queue: OwnQueue;
  readonly #log: Logger;
  readonly #gaps: BrokerGaps | undefined;
  readonly #now: () => number;
  readonly #exchanges: ExchangeState[];
  #renewal: Promise<void> = Promise.resolve();

  constructor(queue: OwnQueue, options: { log: Logger; gaps?: BrokerGaps; now?: () => number }) {
    this.#queue = queue;
    this.#log = options.log;
    this.#gaps = options.gaps;
    this.#now = options.now ?? Date.now;
    this.#exchanges = [...new Set(queue.exchanges ?? DEFAULT_EXCHANGES)]
      .map((name) => ({ name, boundAt: null, missing: false, doubt: "none" }));
  }

  /** `false` while an exchange is missing. */
  get complete(): boolean {
    return this.#exchanges.every((exchange) => !exchange.missing);
  }

  /** Goes on with gaps that an earlier run left open. */
  resume(open: readonly Gap[]): void {
    for (const exchange of this.#exchanges) {
      const gap = open.find((one) => one.exchange === exchange.name);
      if (gap === undefined) continue;
      Object.assign(exchange, { boundAt: gap.from, doubt: gap.certainty === "lost" ? "lost" : "maybe" });
    }
  }

  /** Since then (milliseconds) the bindings may be gone, with the connection, or are gone, with the queue. */
  doubt(doubt: "maybe" | "lost", since: number): void {
    for (const exchange of this.#exchanges) {
      if (exchange.doubt === "none" && exchange.boundAt !== null && !exchange.missing) {
        exchange.boundAt = Math.max(exchange.boundAt, since);
      }
      if (exchange.doubt !== "lost") exchange.doubt = doubt;
      this.#tell(exchange, null);
    }
  }

  /**
   * Binds to every exchange that is there; binding again what is bound changes nothing.
   *
   * @throws {UserError} when the broker forbids one, after all others are bound.
   */
  renew(open: OpenChannel): Promise<void> {
    // One after the other: a renewal that began before a doubt says nothing about it.
    const renewal = this.#renewal.then(() => this.#renewAll(open));
    this.#renewal = renewal.catch(() => {});
    return renewal;
  }

  async #renewAll(open: OpenChannel): Promise<void> {
    const survivors: string[] = [];
    let since = Infinity;
    let refusal: unknown = null;
    for (const exchange of this.#exchanges) {
      const bound = await this.#bind(exchange.name, open);
      if (bound instanceof UserError) {
        refusal ??= bound;
        continue;
      }
      if (!bound) {
        if (exchange.missing) continue;
        this.#log.warn(`Exchange "${exchange.name}" is not there yet: ${UNTIL_DECLARED}`);
        exchange.missing = true;
        this.#tell(exchange, null);
        continue;
      }
      const now = this.#now();
      if (exchange.missing) this.#log.info(`Queue "${this.#queue.name}" is bound to exchange "${exchange.name}" now`);
      if (exchange.boundAt !== null && (exchange.missing || exchange.doubt === "lost")) {
        this.#logGap(exchange.name, exchange.boundAt, now);
      } else if (exchange.boundAt !== null && exchange.doubt === "maybe") {
        survivors.push(exchange.name);
        since = Math.min(since, exchange.boundAt);
      }
      if (exchange.missing || exchange.doubt !== "none") this.#tell(exchange, now);
      Object.assign(exchange, { boundAt: now, missing: false, doubt: "none" });
    }
    if (survivors.length > 0) this.#logDoubt(survivors, since);
    if (refusal !== null) throw refusal;
  }

  /** @returns `false` when the exchange is missing, an error when we may not. */
  async #bind(exchange: string, open: OpenChannel): Promise<boolean | UserError> {
    const { name: queue, routingKeys = DEFAULT_ROUTING_KEYS } = this.#queue;
    try {
      await withChannel(open, async (channel) => {
        await channel.exchangeDeclare({ exchange, passive: true });
        for (const routingKey of routingKeys) await channel.queueBind({ queue, exchange, routingKey });
      });
      return true;
    } catch (error) {
      const refusal = amqpRefusal(error);
      if (refusal === "no exchange") return false;
      if (refusal !== "rights") throw error;
      return new UserError(
        `RabbitMQ does not let us bind queue "${queue}" to exchange "${exchange}": ${reasonOf(error)}. ` +
          "Our user needs the right to write to the queue and to read from the exchange",
        { cause: error },
      );
    }
  }

  /** There is no gap before the first binding. */
  #tell({ name, boundAt, missing, doubt }: ExchangeState, to: number | null): void {
    if (boundAt === null) return;
    const certainty = missing || doubt === "lost" ? "lost" : "possible";
    this.#gaps?.tell({ exchange: name, from: boundAt, to, certainty });
  }

  #logGap(exchange: string, since: number, until: number): void {
    this.#log.warn(
      `No notifications of exchange ${exchange} could arrive between ${iso(since)} and ${iso(until)}: ` +
        "what its service published in that time was not kept for us",
    );
  }

  /** An exchange that is there again at the first look may have survived, or may have been declared anew before it. */
  #logDoubt(exchanges: readonly string[], since: number): void {
    this.#log.warn(
      `Bound to ${exchanges.join(", ")} again: if that is not durable, what was published between ${iso(since)} and ` +
        `${iso(this.#now())} may be missing`,
    );
  }
}

interface ExchangeState {
  readonly name: string;
  /** When the bindings were last known to be there; `null` when they never were. */
  boundAt: number | null;
  missing: boolean;
  /** Whether the bindings still are there since. */
  doubt: "none" | "maybe" | "lost";
}

const UNTIL_DECLARED = "its service declares it with its first notification. The queue is bound as soon as it is there";

/** Uses a channel once. */
export async function withChannel<T, Channel extends { close(): Promise<unknown> } = TopologyChannel>(
  open: () => Promise<Channel>,
  use: (channel: Channel) => Promise<T>,
): Promise<T> {
  const channel = await open();
  try {
    return await use(channel);
  } finally {
    await channel.close();
  }
}

function inUse(queue: string, cause?: unknown): UserError {
  return new UserError(
    `Queue "${queue}" is in use by another consumer: stop it, or let oss-watcher have its own queue with rabbit.queue`,
    { cause },
  );
}

/** What waiting does not mend, as the user's mistake; limits and nodes that are down as they are. */
function declareRefusal({ name, type = "quorum" }: OwnQueue, error: unknown): unknown {
  const text = reasonOf(error);
  const wrap = (message: string) => new UserError(message, { cause: error });
  switch (amqpRefusal(error)) {
    case "other properties":
      return wrap(
        `Queue "${name}" exists already, with other properties: ${text}. ` +
          "Choose another rabbit.queue.name, or delete that queue once it is empty",
      );
    case "rights":
      return wrap(
        `RabbitMQ does not let us declare queue "${name}": ${text}. Our user needs the right to configure, write and read it`,
      );
    case "reserved name":
      return wrap(`Queue "${name}" cannot be ours: ${text}. Choose another rabbit.queue.name`);
    case "locked":
      return inUse(name, error);
    case "unsupported":
      if (type !== "quorum") return error;
      return wrap(
        `Queue "${name}" cannot be a quorum queue on this broker: ${text}. ` +
          'Enable them (rabbitmqctl enable_feature_flag quorum_queue), or set rabbit.queue.type to "classic"',
      );
    case "invalid":
      return wrap(`Queue "${name}" cannot be declared on this broker: ${text}. Set rabbit.queue.type to another value`);
    default:
      return error;
  }
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
