import { setImmediate } from "node:timers";

/** A message as it came, not acknowledged yet. */
export interface Delivered {
  /** Counts the messages of a channel, from 1. */
  readonly tag: number;
  /** The bytes as they were published: compressed, if they were. */
  readonly body: Uint8Array;
  readonly exchange: string;
  readonly routingKey: string;
  readonly redelivered: boolean;
  /** The header `compression`. */
  readonly compression: string | null;
  readonly channel: DeliveryChannel;
}

/** Where a message came from, and the only place where it can be acknowledged. */
export interface DeliveryChannel {
  /** `false` once the channel is gone: tags of it must never be acknowledged elsewhere. */
  readonly open: boolean;
  /** Acknowledges all messages up to a tag. Does nothing on a channel that is gone: the broker delivers them again. */
  ackThrough(tag: number): void;
  readonly prefetch: number;
}

/** What is needed of the library's channel. */
export interface ConsumerChannel {
  readonly active: boolean;
  basicQos(qos: { prefetchCount: number }): Promise<unknown>;
  basicConsume(
    consumer: { queue: string; exclusive: boolean },
    deliver: (message: ChannelMessage) => void,
  ): Promise<{ consumerTag: string }>;
  basicCancel(consumerTag: string): Promise<unknown>;
  basicAck(ack: { deliveryTag: number; multiple: boolean }): void;
  close(): Promise<void>;
  on(name: "close", listener: () => void): unknown;
  on(name: "error", listener: (error: unknown) => void): unknown;
  on(name: "basic.cancel", listener: (consumerTag: string, error: unknown) => void): unknown;
}

interface ChannelMessage {
  readonly deliveryTag: number;
  readonly body?: unknown;
  readonly exchange: string;
  readonly routingKey: string;
  readonly redelivered: boolean;
  readonly headers?: Readonly<Record<string, unknown>>;
}

export interface ConsumptionOptions {
  readonly queue: string;
  readonly exclusive: boolean;
  readonly prefetch: number;
  readonly onDelivered: (message: Delivered) => void;
  /** Called once, when the channel is gone or about to go, unless by {@linkcode Consumption.close}. */
  readonly onFailed: () => void;
}

/** A channel that consumes a queue, or has consumed it and still can acknowledge. */
export class Consumption implements DeliveryChannel {
  readonly prefetch: number;
  readonly #channel: ConsumerChannel;
  readonly #options: ConsumptionOptions;
  #consumerTag: string | null = null;
  #acked = 0;
  #failure: unknown = null;

  constructor(channel: ConsumerChannel, options: ConsumptionOptions) {
    this.#channel = channel;
    this.#options = options;
    this.prefetch = options.prefetch;
    keepBytes(channel);
    channel.on("error", (error) => this.#fail(error));
    channel.on("close", () => this.#fail(new Error("the channel was closed")));
    // A queue that was deleted, or moved to another node. Its messages come again, so no tag of this channel counts.
    channel.on("basic.cancel", () => this.#fail(new Error("the broker ended it (queue deleted or moved)")));
  }

  get open(): boolean {
    return this.#channel.active && this.#failure === null;
  }

  get consuming(): boolean {
    return this.#consumerTag !== null;
  }

  /** Why the channel is gone; `null` while it is not. */
  get failure(): unknown {
    return this.#failure;
  }

  ackThrough(tag: number): void {
    // The broker closes the channel over a tag that was acknowledged before, and takes 0 for "all there are".
    if (!this.open || tag <= this.#acked) return;
    this.#acked = tag;
    this.#channel.basicAck({ deliveryTag: tag, multiple: true });
  }

  async consume(): Promise<void> {
    const { queue, exclusive } = this.#options;
    // Not global: that would count per channel, and RabbitMQ 4.3 refuses it.
    await this.#channel.basicQos({ prefetchCount: this.prefetch });
    const consumer = await this.#channel.basicConsume({ queue, exclusive }, (message) => this.#deliver(message));
    this.#consumerTag = consumer.consumerTag;
  }

  /** Afterwards nothing is delivered any more. What was delivered can still be acknowledged. */
  async cancel(): Promise<void> {
    if (this.#consumerTag !== null) await this.#channel.basicCancel(this.#consumerTag);
    this.#consumerTag = null;
    // The library hands over what it has received in the next turns of the event loop, in order.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Sends the acknowledgements that are on their way, then closes. */
  async close(): Promise<void> {
    this.#failure ??= new Error("the channel was closed");
    await this.#channel.close();
  }

  #deliver(message: ChannelMessage): void {
    // Received before the channel went: it will come again.
    if (!this.open) return;
    try {
      const { body, exchange, routingKey, redelivered } = message;
      if (!(body instanceof Uint8Array)) {
        throw new TypeError("Cannot read a message: its bytes were changed on the way");
      }
      const compression = message.headers?.["compression"];
      this.#options.onDelivered({
        tag: message.deliveryTag,
        body: new Uint8Array(body.buffer, body.byteOffset, body.byteLength),
        exchange,
        routingKey,
        redelivered,
        compression: typeof compression === "string" ? compression : null,
        channel: this,
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#consumerTag = null;
    this.#options.onFailed();
  }
}

/**
 * rabbitmq-client turns a body into a string or an object when the content type is text or JSON and there is no content
 * encoding, which a compressed body does not survive, nor a number beyond 2^53. It has no switch for that, but leaves a
 * body alone that has an encoding, so every message gets one.
 */
function keepBytes(channel: unknown): void {
  const internal = channel as { _onHeader?: (frame: { fields: { contentEncoding?: string } }) => void };
  const onHeader = internal._onHeader;
  if (onHeader === undefined) throw new TypeError("Cannot keep bodies as they are: unknown version of rabbitmq-client");
  internal._onHeader = (frame) => {
    frame.fields.contentEncoding ||= "binary";
    onHeader.call(channel, frame);
  };
}
