// The broker's side of a round: a queue that is filled, watched and deleted.
import { Buffer } from "node:buffer";
import { Connection, type Publisher } from "rabbitmq-client";

export type QueueType = "classic" | "quorum";

/** How many messages may be unconfirmed while a queue is filled. */
const UNCONFIRMED = 1000;

/** A broker, for the queues of the bench. */
export class Bus implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #publisher: Publisher;

  constructor(url: string) {
    this.#connection = new Connection({ url });
    this.#connection.on("error", () => {});
    this.#publisher = this.#connection.createPublisher({ confirm: true });
  }

  /** A new, empty queue; one of this name is deleted. */
  async makeQueue(queue: string, type: QueueType): Promise<void> {
    await this.#connection.queueDelete(queue);
    await this.#connection.queueDeclare({ queue, durable: true, arguments: { "x-queue-type": type } });
  }

  async deleteQueue(queue: string): Promise<void> {
    await this.#connection.queueDelete(queue);
  }

  /** Publishes all of them, in order, persistent. Resolves when the broker has confirmed them. */
  async fill(queue: string, bodies: Iterable<Buffer>): Promise<void> {
    let sent: Promise<void>[] = [];
    for (const body of bodies) {
      sent.push(this.publish(queue, body));
      if (sent.length < UNCONFIRMED) continue;
      await Promise.all(sent);
      sent = [];
    }
    await Promise.all(sent);
  }

  publish(queue: string, body: Buffer): Promise<void> {
    return this.#publisher.send({ routingKey: queue, durable: true, contentType: "application/json" }, body);
  }

  /** How many messages wait to be delivered. */
  async depth(queue: string): Promise<number> {
    const { messageCount } = await this.#connection.queueDeclare({ queue, passive: true });
    return messageCount;
  }

  /**
   * Resolves at the moment at which a consumer takes its first message from a queue that nobody
   * fills.
   */
  async taken(queue: string, count: number, signal: AbortSignal): Promise<void> {
    while (await this.depth(queue) === count) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** A consumer that acknowledges each message, and calls back for it. */
  async consume(queue: string, onMessage: (body: Buffer) => void): Promise<AsyncDisposable> {
    const options = { queue, queueOptions: { passive: true }, qos: { prefetchCount: 100 } };
    const consumer = this.#connection.createConsumer(options, ({ body }) => {
      onMessage(Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)));
    });
    await new Promise<void>((resolve) => consumer.once("ready", resolve));
    return { [Symbol.asyncDispose]: () => consumer.close() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher.close();
    await this.#connection.close();
  }
}
