import assert from "node:assert/strict";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import type { Notification } from "../../src/model/notification.ts";
import { idOf, MadeCloud } from "../support/made_cloud.ts";
import { OpenStackServer } from "../support/openstack_server.ts";
import { ProgramDirectory, type ProgramEnd, runProgram } from "../support/program.ts";
import * as told from "../support/stories.ts";
import { until } from "../support/until.ts";
import { listening, LONG_MS } from "./listening.ts";

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => {
  rabbit = await startRabbit();
});

Deno.test.afterAll(() => rabbit.stop());

Deno.test("what was published to a queue that was deleted while the service was stopped is told at its next start", async () => {
  await using stage = await Stage.open("deleted");
  const { cloud, receiver } = stage;
  {
    await using service = await listening(stage.dir);
    await until(() => service.log.includes("nothing is sent for them"), LONG_MS);
    assert.equal((await service.end("SIGTERM")).code, 0);
  }
  await rabbit.ctl("delete_queue", "deleted");
  stage.create(20);
  cloud.remove("servers", SERVER(1));
  stage.move(FLOATING_IP(0), 3);
  {
    await using service = await listening(stage.dir);
    await until(() => receiver.requests.length === 5, LONG_MS);
    assert.match(
      service.log,
      /WARNING \(reconcile\) OpenStack and what targets were told differed: 1 never told, 1 gone, 1 moved/,
    );
    // Late messages of the same facts are no news.
    await stage.publish("nova", told.came(SERVER(20)));
    await stage.publish("nova", told.went(SERVER(1)));
    await stage.publish("nova", told.came("other"));
    await until(() => receiver.requests.length === 6, LONG_MS);
    assert.equal((await service.end("SIGTERM")).code, 0);
  }
  assert.deepEqual(
    receiver.requests.map(({ key }) => key).toSorted(),
    [
      `floatingip/${FLOATING_IP(1)}/3/deletion`,
      `server/${SERVER(1)}/deletion`,
      `server/${SERVER(20)}/creation`,
      `floatingip/${FLOATING_IP(0)}/3/deletion`,
      `floatingip/${FLOATING_IP(0)}/4/creation`,
      "server/other/creation",
    ].toSorted(),
  );
  const detailOf = (key: string) => receiver.requests.find((request) => request.key === key)?.detail;
  const [gone, came] = [detailOf(`server/${SERVER(1)}/deletion`), detailOf(`server/${SERVER(20)}/creation`)];
  assert.deepEqual([gone?.["FQDN"], gone?.["IP"], gone?.["ProjectName"]], [
    "web-1.cloud.example.com",
    "10.0.0.1",
    "name of project-1",
  ]);
  assert.deepEqual([came?.["FQDN"], came?.["IP"], came?.["OS"]], [
    "web-20.cloud.example.com",
    "10.0.0.20",
    "debian 12",
  ]);
});

Deno.test("oss-watcher reconcile shows a plan, tells it with --apply beside the service, and agrees then", async () => {
  await using stage = await Stage.open("by-hand", { everyHours: false });
  const { cloud, receiver } = stage;
  await using service = await listening(stage.dir);
  await until(() => service.log.includes("nothing is sent for them"), LONG_MS);
  const agreed = await stage.run("reconcile");
  assert.deepEqual([agreed.code, agreed.err], [0, ""], agreed.out + agreed.err);
  stage.create(20, { hostname: "evil\u001b[31m" });
  cloud.remove("servers", SERVER(1));
  const planned = await stage.run("reconcile");
  assert.equal(planned.code, 3, planned.out + planned.err);
  assert.ok(
    planned.out.includes(`- server  ${SERVER(1)}  web-1  10.0.0.1\n    Nova answered 404 for its id at`),
    planned.out,
  );
  assert.ok(planned.out.includes(`    → server/${SERVER(20)}/creation`), planned.out);
  assert.ok(!planned.out.includes("\u001b"), planned.out);
  assert.equal(receiver.requests.length, 0);
  const one = await stage.run("reconcile", "--server", SERVER(20), "--apply", "--json");
  assert.equal(one.code, 0, one.err);
  await until(() => receiver.requests.length === 1, LONG_MS);
  const applied = await stage.run("reconcile", "--apply", "--json");
  assert.equal(applied.code, 0, applied.err);
  const { outcome, drift, differences } = JSON.parse(applied.out);
  assert.deepEqual([outcome, drift], ["applied", { untold: 0, gone: 1, moved: 0 }]);
  const ends = [`floatingip/${FLOATING_IP(1)}/3/deletion`, `server/${SERVER(1)}/deletion`];
  assert.deepEqual(differences[0].keys, ends);
  await until(() => receiver.requests.length === 3, LONG_MS);
  const again = await stage.run("reconcile");
  assert.equal(again.code, 0, again.out);
  const listed = await stage.run("events", "--json");
  assert.ok(listed.out.includes('"origin":"reconcile"'), listed.out);
  assert.equal((await service.end("SIGTERM")).code, 0);
});

const SERVER = (number: number) => idOf("5e", number);
const PORT = (number: number) => idOf("b0", number);
const FLOATING_IP = (number: number) => idOf("f1", number);

/** A made cloud of ten servers, a receiver, and a directory with a configuration for them. */
class Stage implements AsyncDisposable {
  readonly #disposed = new AsyncDisposableStack();

  private constructor(
    readonly cloud: MadeCloud,
    readonly receiver: Receiver,
    readonly dir: ProgramDirectory,
    readonly publisher: CloudPublisher,
  ) {}

  static async open(queue: string, settings: { readonly everyHours?: false } = {}): Promise<Stage> {
    const server = new OpenStackServer();
    const cloud = await MadeCloud.behind(server, { servers: 10, floatingIps: 2 });
    const receiver = new Receiver();
    const publisher = new CloudPublisher(rabbit.url);
    for (const exchange of ["nova", "neutron"]) await publisher.declareExchange(exchange, { durable: true });
    const openstack = {
      ...{ authUrl: server.authUrl, user: "admin", password: "hush-4711", project: "admin" },
      reconcile: { confirmSeconds: 1, ...settings },
    };
    const dir = new ProgramDirectory({
      "config.ts": `import { RestNotify } from "oss-watcher/plugins";
        export default {
          events: {
            creation: ["compute.instance.create.end", "floatingip.update.end"],
            deletion: ["compute.instance.delete.end", "floatingip.update.end"],
          },
          plugins: [new RestNotify({ host: "http://127.0.0.1", port: ${receiver.port}, urlCreation: "/new", urlDeletion: "/old" })],
          rabbit: { url: "${rabbit.url}", queue: { name: "${queue}", exchanges: ["nova", "neutron"] } },
          openstack: ${JSON.stringify(openstack)},
          ledger: { file: "./ledger.db", keepDays: 36500 },
        };`,
    });
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
