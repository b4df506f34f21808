import { CloudPublisher } from "../../tools/publisher.ts";
import type { PrivateRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import type { Notification } from "../../src/model/notification.ts";
import { idOf, MadeCloud } from "../support/made_cloud.ts";
import { OpenStackServer } from "../support/openstack_server.ts";
import { ProgramDirectory, type ProgramEnd, runProgram } from "../support/program.ts";

export const SERVER = (number: number) => idOf("5e", number);
const PORT = (number: number) => idOf("b0", number);
export const FLOATING_IP = (number: number) => idOf("f1", number);

/** A made cloud of ten servers, a receiver, and a directory with a configuration for them. */
export class Stage implements AsyncDisposable {
  readonly #disposed = new AsyncDisposableStack();

  private constructor(
    readonly cloud: MadeCloud,
    readonly receiver: Receiver,
    readonly dir: ProgramDirectory,
    readonly publisher: CloudPublisher,
  ) {}

  static async open(
    rabbit: PrivateRabbit,
    queue: string,
    { follows = false, ...settings }: { readonly everyHours?: false; readonly follows?: boolean } = {},
  ): Promise<Stage> {
    const server = new OpenStackServer();
    const cloud = await MadeCloud.behind(server, { servers: 10, floatingIps: 2 });
    const receiver = new Receiver();
    const publisher = new CloudPublisher(rabbit.url);
    for (const exchange of ["nova", "neutron"]) await publisher.declareExchange(exchange, { durable: true });
    const openstack = {
      ...{ authUrl: server.authUrl, user: "admin", password: "hush-4711", project: "admin" },
      reconcile: { confirmSeconds: 1, ...settings },
    };
    const files = {
      "config.ts": `import { RestNotify } from "oss-watcher/plugins";
        export default {
          events: {
            creation: ["compute.instance.create.end", "floatingip.update.end"],
            deletion: ["compute.instance.delete.end", "floatingip.update.end"],
            ${follows ? 'update: "all", settleSeconds: 0.1,' : ""}
          },
          plugins: [new RestNotify({
            host: "http://127.0.0.1",
            port: ${receiver.port},
            urlCreation: "/new",
            urlDeletion: "/old",
            ${follows ? 'urlUpdate: "/changed",' : ""}
          })],
          rabbit: { url: "${rabbit.url}", queue: { name: "${queue}", exchanges: ["nova", "neutron"] } },
          openstack: ${JSON.stringify(openstack)},
          ledger: { file: "./ledger.db", keepDays: 36500 },
          metrics: { port: 0 },
        };`,
    };
    const dir = new ProgramDirectory(files);
    const stage = new Stage(cloud, receiver, dir, publisher);
    stage.#disposed.use(server);
    stage.#disposed.use(receiver);
    stage.#disposed.use(publisher);
    stage.#disposed.use(dir);
    return stage;
  }

  /** A server that is built now. */
  create(number: number, { hostname }: { readonly hostname?: string } = {}): void {
    this.cloud.add(number);
    const now = new Date().toISOString().replace(/\.\d+Z$/, "");
    this.cloud.change("servers", SERVER(number), {
      created: `${now}Z`,
      "OS-SRV-USG:launched_at": `${now}.000000`,
      ...(hostname === undefined ? {} : { "OS-EXT-SRV-ATTR:hostname": hostname }),
    });
  }

  /** Moves a floating IP to the port of another server. */
  move(floatingIp: string, number: number): void {
    const port = { device_id: SERVER(number), device_owner: "compute:nova", mac_address: "fa:16:3e:00:00:03" };
    this.cloud.change("floatingips", floatingIp, { port_id: PORT(number), port_details: port });
  }

  run(...args: string[]): Promise<ProgramEnd> {
    return runProgram({
      dir: this.dir.path(),
      args,
      permissions: ["--allow-read", "--allow-write", "--allow-env", "--allow-net"],
    });
  }

  async publish(exchange: string, { messageId, eventType, payload, time }: Notification): Promise<void> {
    const body = JSON.stringify({ message_id: messageId, event_type: eventType, timestamp: time, payload });
    await this.publisher.publish({ exchange, routingKey: "notifications.info", body });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disposed[Symbol.asyncDispose]();
  }
}
