import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { type Received, Receiver } from "../../tools/receiver.ts";
import { type CaptureLine, readCapture } from "../support/captures.ts";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";
import { until } from "../support/until.ts";
import { depth, listening, LONG_MS } from "./listening.ts";

/** The server of the capture that is renamed, resized, rebuilt, gets and loses a port, and more. */
const SERVER = "9e33f643-3c95-48c3-a75b-a0d3108f3251";
/** Its life, with floating IPs, as Nova and Neutron told it. */
const LIFE = readCapture("unversioned.jsonl").filter(({ body, exchange, routing_key }) =>
  body.includes(SERVER) && ["nova", "neutron"].includes(exchange) && routing_key.endsWith(".info")
);
const RENAMED = LIFE.findIndex(({ body }) => body.includes("shop-01-neu"));
const REBUILT = LIFE.findIndex(({ body }) => body.includes("compute.instance.rebuild.end"));

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => void (rabbit = await startRabbit()));

Deno.test.afterAll(() => rabbit.stop());

interface Told {
  readonly key: string;
  readonly path: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly changed?: readonly string[];
}

Deno.test("service tells a server's changes to a plugin that follows, also after it was killed, and its deletion as last told", async () => {
  await using follower = new Receiver();
  await using other = new Receiver();
  await using publisher = new CloudPublisher(rabbit.url);
  for (const exchange of ["nova", "neutron"]) await publisher.declareExchange(exchange, { durable: true });
  using dir = new ProgramDirectory({ "config.ts": config(follower.port, other.port) });
  const killed = await listening(dir);
  await publish(publisher, LIFE.slice(0, RENAMED));
  await until(() => told(follower).length === 1 && told(other).length === 1, LONG_MS);
  // Recorded, and on most machines not settled: nothing but the ledger knows of the change.
  await publish(publisher, LIFE.slice(RENAMED, REBUILT));
  await until(async () => await depth(rabbit, "oss-watcher") === 0, LONG_MS);
  await killed.end("SIGKILL");

  await using service = await listening(dir);
  await until(() => told(follower).some(({ detail }) => detail["Name"] === "shop-01-neu"), LONG_MS);
  await publish(publisher, LIFE.slice(REBUILT, -3));
  await until(() => told(follower).some(({ detail }) => detail["ImageID"] === REBUILT_WITH), LONG_MS);
  await publish(publisher, LIFE.slice(-3));
  await until(() => [follower, other].every((one) => told(one).some(isDeletion)), LONG_MS);
  await until(async () => await depth(rabbit, "oss-watcher") === 0, LONG_MS);
  assert.equal((await service.end("SIGTERM")).code, 0);

  const [creation, ...later] = told(follower);
  const updates = later.slice(0, -1);
  const deletion = later.at(-1) as Told;
  assert.equal(creation?.path, "/created");
  assert.deepEqual(updates.map(({ key }) => key), updates.map((_, index) => `server/${SERVER}/update/${index + 1}`));
  let last = creation as Told;
  for (const update of updates) {
    assert.equal(update.path, "/changed");
    assert.deepEqual(update.before, last.detail);
    const differing = Object.keys(update.detail).filter((key) =>
      key !== "FloatingIPs" && !isDeepStrictEqual(update.detail[key], last.detail[key])
    );
    assert.deepEqual(update.changed, differing.sort());
    last = update;
  }
  assert.deepEqual([creation?.detail["CPU"], last.detail["CPU"]], [4, 8]);
  assert.deepEqual(withoutFloatingIps(deletion), withoutFloatingIps(last));

  const [came, went, ...more] = told(other);
  assert.deepEqual(more, []);
  assert.deepEqual(withoutFloatingIps(went as Told), withoutFloatingIps(came as Told));

  const args = ["events", "show", `server/${SERVER}/update/1`];
  const shown = await runProgram({ dir: dir.path(), args, permissions: READ_WRITE });
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /^ {2}update, from compute\.instance\.update of /m);
  assert.match(shown.out, /^Cmdb: done .*\n(?: {2}[-+] .*\n)* {2}- "Name": "shop-01"\n {2}\+ "Name": "shop-01-neu"$/m);
  assert.doesNotMatch(shown.out, /^Other:/m);
});

const REBUILT_WITH = "1eac6378-2853-481b-840c-ef3474a8996f";

/** What a target was told of the server itself. */
function told({ requests }: Receiver): readonly Told[] {
  return requests.filter(({ key }) => key.startsWith(`server/${SERVER}/`)).map(({ key, path, detail }: Received) => ({
    key,
    path,
    ...detail as unknown as Omit<Told, "key" | "path">,
  }));
}

function isDeletion({ path }: Told): boolean {
  return path === "/deleted";
}

function withoutFloatingIps({ detail: { FloatingIPs: _, ...detail } }: Told): Readonly<Record<string, unknown>> {
  return detail;
}

async function publish(publisher: CloudPublisher, lines: readonly CaptureLine[]): Promise<void> {
  for (const { exchange, routing_key: routingKey, body } of lines) {
    await publisher.publish({ exchange, routingKey, body });
  }
}

function config(follower: number, other: number): string {
  const urls = { urlCreation: "/created", urlDeletion: "/deleted" };
  const target = (options: object) => JSON.stringify({ host: "http://127.0.0.1", ...urls, ...options }).slice(1, -1);
  return `import { RestNotify } from "oss-watcher/plugins";
    const body = (detail, _created, { before, changed }) => ({ detail, before, changed });
    export default {
      events: {
        creation: ["compute.instance.create.end", "floatingip.update.end"],
        deletion: ["compute.instance.delete.end", "floatingip.update.end"],
        update: "all",
        settleSeconds: 5,
      },
      detail: { optional: ["Name", "Flavor"] },
      plugins: [
        new RestNotify({ ${target({ name: "Cmdb", port: follower, urlUpdate: "/changed" })}, body }),
        new RestNotify({ ${target({ name: "Other", port: other })}, body }),
      ],
      rabbit: { url: ${JSON.stringify(rabbit.url)}, queue: { name: "oss-watcher", type: "classic" } },
      ledger: { file: "./ledger.db", keepDays: 36500 },
      metrics: false,
      console: false,
    };`;
}
