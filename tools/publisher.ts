// Publishes recorded notifications as Nova and Neutron do: to topic exchanges, persistent, one after the other, confirmed.
import { Buffer } from "node:buffer";
import { Connection, type Publisher } from "rabbitmq-client";

/** One notification to publish. */
export interface Published {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: string;
}

/** A service's end of the bus. */
export class CloudPublisher implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #publisher: Publisher;

  constructor(url: string) {
    this.#connection = new Connection({ url, retryLow: 200, retryHigh: 1000 });
    // Losing the broker is part of what is tested; the library connects again.
    this.#connection.on("error", () => {});
    this.#publisher = this.#connection.createPublisher({ confirm: true, maxAttempts: 100 });
  }

  /** Declares a service's control exchange. oslo.messaging's default is not durable; Kolla's is. */
  declareExchange(exchange: string, { durable }: { readonly durable: boolean }): Promise<void> {
    return this.#connection.exchangeDeclare({ exchange, type: "topic", durable, autoDelete: false });
  }

  /** Resolves when the broker has confirmed it. */
  async publish({ exchange, routingKey, body }: Published): Promise<void> {
    const envelope = {
      exchange,
      routingKey,
      contentType: "application/json",
      contentEncoding: "utf-8",
      durable: true,
      priority: 0,
    };
    await this.#publisher.send(envelope, Buffer.from(body, "utf8"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher.close();
    await this.#connection.close();
  }
}
