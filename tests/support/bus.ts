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
    await rabbit.ctl("set_permissions", USER, "^oss-watcher", "^oss-watcher", "^(oss-watcher.*|nova|neutron)$");
    return new CloudBus(rabbit, publisher);
  }

  /** The section `rabbit` of a config.ts for it. */
  source(
    more: Readonly<Record<string, unknown>> = { queue: { name: "oss-watcher" } },
  ): Readonly<Record<string, unknown>> {
    return { host: "127.0.0.1", port: this.rabbit.port, user: USER, password: PASSWORD, ...more };
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
