import type { Channel } from "./amqp/channel.ts";
import type { Connection } from "./amqp/connection.ts";
import type { Delivery } from "./amqp/message_assembler.ts";

/** A delivered message that is not acknowledged yet. */
export interface Delivered extends Delivery {
  readonly channel: DeliveryChannel;
}

/** The channel that delivered a message; the message can be acknowledged on this channel only. */
export interface DeliveryChannel {
  /**
   * `false` once the channel is closed. Its delivery tags must never be acknowledged on another
   * channel.
   */
  readonly open: boolean;
  /**
   * Acknowledges all messages up to a tag. Does nothing on a closed channel: the broker delivers
   * the messages again.
   */
  ackThrough(tag: number): void;
  readonly prefetch: number;
}

export interface ConsumptionOptions {
  readonly queue: string;
  readonly exclusive: boolean;
  readonly prefetch: number;
  readonly onDelivered: (message: Delivered) => void;
  /**
   * Called once, when the channel fails or the broker ends the consumer; not after
   * {@linkcode Consumption.close}.
   */
  readonly onFailed: () => void;
}

/**
 * Why the broker cancelled the consumer. From RabbitMQ 4.3 on a quorum queue also cancels one that
 * does not acknowledge within `consumer_timeout`.
 */
const CANCELLED = "the broker ended it (queue deleted or moved, or messages not acknowledged in time)";

/**
 * A channel that consumes a queue. After {@linkcode Consumption.cancel} it still acknowledges what
 * it delivered.
 */
export class Consumption implements DeliveryChannel {
  readonly prefetch: number;
  /** Set by {@linkcode Consumption.open} before it returns. */
  #channel!: Channel;
  readonly #options: ConsumptionOptions;
  #consuming = false;
  #acked = 0;
  #failure: unknown = null;

  private constructor(options: ConsumptionOptions) {
    this.#options = options;
    this.prefetch = options.prefetch;
  }

  static async open(connection: Connection, options: ConsumptionOptions): Promise<Consumption> {
    // The listeners are set before the channel exists: the read that opens it may also bring its
    // end.
    const consumption = new Consumption(options);
    consumption.#channel = await connection.openChannel({
      onGone: (error) => consumption.#fail(error),
      // Its messages are delivered again, so the tags of this channel are void.
      onCancelled: () => consumption.#fail(new Error(CANCELLED)),
    });
    return consumption;
  }

  get open(): boolean {
    return this.#channel.open && this.#failure === null;
  }

  get consuming(): boolean {
    return this.#consuming;
  }

  /** Why the channel failed; `null` while it has not. */
  get failure(): unknown {
    return this.#failure;
  }

  ackThrough(tag: number): void {
    // The broker closes the channel if a tag is acknowledged twice, and takes tag 0 for "all
    // messages".
    if (!this.open || tag <= this.#acked) return;
    this.#acked = tag;
    this.#channel.ackThrough(tag);
  }

  async consume(): Promise<void> {
    const { queue, exclusive } = this.#options;
    await this.#channel.qos(this.prefetch);
    await this.#channel.consume({ queue, exclusive, onDelivery: (delivery) => this.#deliver(delivery) });
    this.#consuming = this.#failure === null;
  }

  /** Stops deliveries. Messages that were delivered before can still be acknowledged. */
  async cancel(): Promise<void> {
    if (this.#consuming) await this.#channel.cancel();
    this.#consuming = false;
  }

  /** Sends pending acknowledgements, then closes the channel. */
  async close(): Promise<void> {
    this.#failure ??= new Error("the channel was closed");
    await this.#channel.close();
  }

  #deliver({ tag, body, exchange, routingKey, redelivered, compression }: Delivery): void {
    // The channel failed after this message was received: the broker delivers it again.
    if (!this.open) return;
    try {
      this.#options.onDelivered({ tag, body, exchange, routingKey, redelivered, compression, channel: this });
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#consuming = false;
    this.#options.onFailed();
  }
}
