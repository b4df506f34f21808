import type { Channel } from "./amqp/channel.ts";
import type { Connection } from "./amqp/connection.ts";
import type { Delivery } from "./amqp/message_assembler.ts";

/** A message as it came, not acknowledged yet. */
export interface Delivered extends Delivery {
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
  /** There before anybody has the consumption. */
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
    // It listens before there is a channel: that may be gone in the very read that opens it.
    const consumption = new Consumption(options);
    consumption.#channel = await connection.openChannel({
      onGone: (error) => consumption.#fail(error),
      // A queue that was deleted, or moved to another node. Its messages come again, so no tag of this channel counts.
      onCancelled: () => consumption.#fail(new Error("the broker ended it (queue deleted or moved)")),
    });
    return consumption;
  }

  get open(): boolean {
    return this.#channel.open && this.#failure === null;
  }

  get consuming(): boolean {
    return this.#consuming;
  }

  /** Why the channel is gone; `null` while it is not. */
  get failure(): unknown {
    return this.#failure;
  }

  ackThrough(tag: number): void {
    // The broker closes the channel over a tag that was acknowledged before, and takes 0 for "all there are".
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

  /** Afterwards nothing is delivered any more. What was delivered can still be acknowledged. */
  async cancel(): Promise<void> {
    if (this.#consuming) await this.#channel.cancel();
    this.#consuming = false;
  }

  /** Sends the acknowledgements that are on their way, then closes. */
  async close(): Promise<void> {
    this.#failure ??= new Error("the channel was closed");
    await this.#channel.close();
  }

  #deliver({ tag, body, exchange, routingKey, redelivered, compression }: Delivery): void {
    // Received before the channel went: it will come again.
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
