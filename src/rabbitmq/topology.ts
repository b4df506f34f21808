import type { OwnQueue } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import { amqpRefusal } from "../wire/amqp/amqp_refusal.ts";
import { reasonOf } from "./errors.ts";
import { QUEUE_DEFAULTS } from "../model/config_defaults.ts";

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
  const { name, type = QUEUE_DEFAULTS.type } = queue;
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
function declareRefusal({ name, type = QUEUE_DEFAULTS.type }: OwnQueue, error: unknown): unknown {
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
