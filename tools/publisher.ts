// Publishes recorded notifications as Nova and Neutron do: to topic exchanges, persistent, one
// after the other, confirmed.
import { Buffer } from "node:buffer";
import { Connection, type Publisher } from "rabbitmq-client";

/** One notification to publish. */
export interface Published {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: string;
}

/**
 * The longest time until a message is confirmed, including the restart of a broker.
 */
const PATIENCE_MS = 120_000;
/** After this time without a confirm the message is sent again. */
const SILENCE_MS = 10_000;

/** Publishes as a service of OpenStack does. */
export class CloudPublisher implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #publisher: Publisher;
  #lost = Promise.withResolvers<never>();

  constructor(url: string) {
    this.#connection = new Connection({ url, retryLow: 200, retryHigh: 1000 });
    this.#lost.promise.catch(() => {});
    // Tests stop the broker on purpose; the library connects again.
    this.#connection.on("error", (error) => {
      this.#lost.reject(error);
      this.#lost = Promise.withResolvers();
      this.#lost.promise.catch(() => {});
    });
    this.#publisher = this.#connection.createPublisher({ confirm: true });
  }

  /** Declares a service's control exchange. oslo.messaging's default is not durable; Kolla's is. */
  declareExchange(exchange: string, { durable }: { readonly durable: boolean }): Promise<void> {
    return this.#connection.exchangeDeclare({ exchange, type: "topic", durable, autoDelete: false });
  }

  deleteExchange(exchange: string): Promise<void> {
    return this.#connection.exchangeDelete({ exchange });
  }

  /**
   * Resolves when the broker has confirmed the message. It may be sent again before, and then be
   * there twice.
   *
   * @throws {Error} when the broker stays away.
   */
  async publish({ exchange, routingKey, body }: Published): Promise<void> {
    const envelope = {
      exchange,
      routingKey,
      contentType: "application/json",
      contentEncoding: "utf-8",
      durable: true,
      priority: 0,
    };
    const bytes = Buffer.from(body, "utf8");
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const silence = Promise.withResolvers<never>();
      const timer = setTimeout(() => silence.reject(new Error("not confirmed")), SILENCE_MS);
      try {
        // The library forgets a message that was written when the connection went, or just after:
        // it would wait for ever.
        return await Promise.race([this.#publisher.send(envelope, bytes), this.#lost.promise, silence.promise]);
      } catch (error) {
        if (Date.now() > deadline) throw error;
      } finally {
        clearTimeout(timer);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher.close();
    await this.#connection.close();
  }
}
