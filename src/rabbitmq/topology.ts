import type { OwnQueue } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { Logger } from "../model/plugin.ts";
import { amqpRefusal } from "../wire/amqp/amqp_refusal.ts";
import { reasonOf } from "./errors.ts";
import type { BrokerGaps } from "./gaps.ts";
import type { Gap } from "../model/gap.ts";

/**
 * The methods of an AMQP channel that this file uses. The broker closes a channel with its first
 * refusal.
 */
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

/** Opens a channel for a single use: a refusal must not close the channel that consumes. */
export type OpenChannel = () => Promise<TopologyChannel>;

export const DEFAULT_EXCHANGES = ["nova", "neutron"];
export const DEFAULT_ROUTING_KEYS = ["notifications.info", "versioned_notifications.info"];

/**
 * By default RabbitMQ 4 drops a message of a quorum queue after 20 redeliveries. There -1 means "no
 * limit", but RabbitMQ 3 takes -1 for 0 and silently drops a message at its first redelivery. This
 * number is never reached on either.
 */
const DELIVERY_LIMIT = 2 ** 31 - 1;

/**
 * Checks that a queue that is to be consumed exclusively exists and is free.
 *
 * @throws {UserError} when it does not exist or has a consumer.
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

/** The number of a queue's consumers. */
export function countConsumers(queue: string, open: OpenChannel): Promise<number> {
  return withChannel(open, async (channel) => (await channel.queueDeclare({ queue, passive: true })).consumerCount);
}

/**
 * Turns the broker's refusal of a consumer into a {@linkcode UserError}, if an operator can act on
 * it.
 */
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
 * @returns whether the queue existed already, with its bindings.
 * @throws {UserError} when the broker refuses for a reason that a retry does not change.
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
 * Declares our own queue with its properties. A queue that exists with the same properties is not
 * changed.
 *
 * @throws {UserError} when it exists with other properties, or our user lacks the rights.
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

/**
 * The bindings of our own queue to exchanges that other services declare. Such an exchange may be
 * missing, be deleted and return at any time.
 */
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
      .map((name) => ({ name, boundAt: null, missing: false, loss: "none" }));
  }

  /** `false` while an exchange is missing. */
  get complete(): boolean {
    return this.#exchanges.every((exchange) => !exchange.missing);
  }

  /** Continues gaps that an earlier run left open. */
  restoreGaps(open: readonly Gap[]): void {
    for (const exchange of this.#exchanges) {
      const gap = open.find((one) => one.exchange === exchange.name);
      if (gap === undefined) continue;
      Object.assign(exchange, { boundAt: gap.from, loss: gap.certainty === "lost" ? "lost" : "possible" });
    }
  }

  /**
   * Notes that the bindings may be lost (with the connection) or are lost (with the queue) since a
   * time, in milliseconds since the epoch.
   */
  suspectLoss(loss: "possible" | "lost", since: number): void {
    for (const exchange of this.#exchanges) {
      if (exchange.loss === "none" && exchange.boundAt !== null && !exchange.missing) {
        exchange.boundAt = Math.max(exchange.boundAt, since);
      }
      if (exchange.loss !== "lost") exchange.loss = loss;
      this.#recordGap(exchange, null);
    }
  }

  /**
   * Binds the queue to every existing exchange. Repeating an existing binding changes nothing.
   *
   * @throws {UserError} when the broker forbids an exchange; all others are bound before.
   */
  renew(open: OpenChannel): Promise<void> {
    // Renewals run one after the other: one that began before a suspected loss does not clear the
    // suspicion.
    const renewal = this.#renewal.then(() => this.#renewAll(open));
    this.#renewal = renewal.catch(() => {});
    return renewal;
  }

  async #renewAll(open: OpenChannel): Promise<void> {
    const possiblyLost: string[] = [];
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
        this.#recordGap(exchange, null);
        continue;
      }
      const now = this.#now();
      if (exchange.missing) this.#log.info(`Queue "${this.#queue.name}" is bound to exchange "${exchange.name}" now`);
      if (exchange.boundAt !== null && (exchange.missing || exchange.loss === "lost")) {
        this.#logGap(exchange.name, exchange.boundAt, now);
      } else if (exchange.boundAt !== null && exchange.loss === "possible") {
        possiblyLost.push(exchange.name);
        since = Math.min(since, exchange.boundAt);
      }
      if (exchange.missing || exchange.loss !== "none") this.#recordGap(exchange, now);
      Object.assign(exchange, { boundAt: now, missing: false, loss: "none" });
    }
    if (possiblyLost.length > 0) this.#logPossibleLoss(possiblyLost, since);
    if (refusal !== null) throw refusal;
  }

  /** @returns `false` if the exchange does not exist, an error if our user lacks the rights. */
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

  /** Stores a gap; before the first binding there is none. */
  #recordGap({ name, boundAt, missing, loss }: ExchangeState, to: number | null): void {
    if (boundAt === null) return;
    const certainty = missing || loss === "lost" ? "lost" : "possible";
    this.#gaps?.record({ exchange: name, from: boundAt, to, certainty });
  }

  #logGap(exchange: string, since: number, until: number): void {
    this.#log.warn(
      `No notifications of exchange ${exchange} could arrive between ${iso(since)} and ${iso(until)}: ` +
        "notifications published in that time are lost",
    );
  }

  /**
   * An exchange that exists at the first check after a reconnect may have survived, or may have
   * been declared again without our binding.
   */
  #logPossibleLoss(exchanges: readonly string[], since: number): void {
    this.#log.warn(
      `Bound to ${exchanges.join(", ")} again: if an exchange is not durable, notifications published between ${
        iso(since)
      } and ` +
        `${iso(this.#now())} may be missing`,
    );
  }
}

interface ExchangeState {
  readonly name: string;
  /** When the bindings were last known to exist; `null` if they never existed. */
  boundAt: number | null;
  missing: boolean;
  /** Whether the bindings may have been lost since then. */
  loss: "none" | "possible" | "lost";
}

const UNTIL_DECLARED = "its service declares it with its first notification. The queue is bound as soon as it is there";

/** Opens a channel, uses it once and closes it. */
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

/**
 * Turns the refusal of a declaration into a {@linkcode UserError} that says what to do. Reached
 * limits and unavailable nodes are returned unchanged: they are retried.
 */
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
