import { Connection } from "rabbitmq-client";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import type { CaptureLine } from "./captures.ts";

/** A RabbitMQ with the control exchanges of a stock cloud, and a user with the rights that docs/OPERATIONS.md gives it. */
export class CloudBus implements AsyncDisposable {
  readonly rabbit: PrivateRabbit;
  readonly publisher: CloudPublisher;

  private constructor(rabbit: PrivateRabbit, publisher: CloudPublisher) {
    this.rabbit = rabbit;
    this.publisher = publisher;
  }

  static async open({ management = false }: { readonly management?: boolean } = {}): Promise<CloudBus> {
    const rabbit = await startRabbit({ management });
    const publisher = new CloudPublisher(rabbit.url);
    for (const exchange of EXCHANGES) await publisher.declareExchange(exchange, { durable: false });
    await rabbit.ctl("add_user", USER, PASSWORD);
    const bus = new CloudBus(rabbit, publisher);
    await bus.restorePermissions();
    return bus;
  }

  /** Those of docs/OPERATIONS.md; from RabbitMQ 4.3 on with those that let `doctor` see the services' queues. */
  async restorePermissions(): Promise<void> {
    const seesQueues = await this.rabbit.release() >= 4.3;
    await this.permit(`^(oss-watcher.*|nova|neutron${seesQueues ? "|.*[.](info|error)" : ""})$`);
  }

  async permit(read: string): Promise<void> {
    await this.rabbit.ctl("set_permissions", USER, "^oss-watcher", "^oss-watcher", read);
  }

  /** The section `rabbit` of a config.ts for it. */
  source(
    more: Readonly<Record<string, unknown>> = { queue: { name: "oss-watcher" } },
  ): Readonly<Record<string, unknown>> {
    return { host: "127.0.0.1", port: this.rabbit.port, user: USER, password: PASSWORD, ...more };
  }

  /** Declares and binds a topic's queue as oslo.messaging's publishers do before they send. */
  async declareTopic(exchange: string, topic: string): Promise<void> {
    await this.#use(async (connection) => {
      const queue = `${topic}.info`;
      await connection.queueDeclare({ queue, durable: false });
      await connection.queueBind({ queue, exchange, routingKey: queue });
    });
  }

  async deleteQueues(...queues: readonly string[]): Promise<void> {
    await this.#use(async (connection) => {
      for (const queue of queues) await connection.queueDelete({ queue });
    });
  }

  async unbind(queue: string, exchange: string, routingKeys: readonly string[]): Promise<void> {
    await this.#use(async (connection) => {
      for (const routingKey of routingKeys) await connection.queueUnbind({ queue, exchange, routingKey });
    });
  }

  async #use(use: (connection: Connection) => Promise<void>): Promise<void> {
    const connection = new Connection(this.rabbit.url);
    try {
      await use(connection);
    } finally {
      await connection.close();
    }
  }

  /** Publishes recorded messages as they came. */
  async replay(lines: readonly CaptureLine[]): Promise<void> {
    for (const { exchange, routing_key, body } of lines) {
      await this.publisher.publish({ exchange, routingKey: routing_key, body });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.publisher[Symbol.asyncDispose]();
    await this.rabbit.stop();
  }
}

export const EXCHANGES = ["nova", "neutron", "keystone", "glance"];
const USER = "watcher";
export const PASSWORD = "hush-4711";
