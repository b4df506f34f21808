import assert from "node:assert/strict";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import { Service } from "../../tools/service.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { OpenStackServer, RECORDED } from "../support/openstack_server.ts";
import { ProgramDirectory } from "../support/program.ts";
import { until } from "../support/until.ts";
import { depth, listening, LONG_MS } from "./listening.ts";

const PASSWORD = "hush-4711";
/** All that Nova and Neutron said of one server, in both formats. */
const LIFE = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"))
  .filter(({ body }) => body.includes(RECORDED.twoNics));

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => {
  rabbit = await startRabbit();
});

Deno.test.afterAll(() => rabbit.stop());

Deno.test("service that is killed while it waits for OpenStack completes every detail afterwards", async () => {
  await using cloud = new OpenStackServer();
  await using receiver = new Receiver();
  await using publisher = new CloudPublisher(rabbit.url);
  for (const exchange of ["nova", "neutron"]) await publisher.declareExchange(exchange, { durable: true });
  using dir = directory({ authUrl: cloud.authUrl, queue: "killed", receiver: receiver.port });
  let isDown = true;
  cloud.intercept = ({ path }) => {
    if (!path.startsWith(`/v2.1/servers/${RECORDED.twoNics}`)) return undefined;
    return isDown ? new Response(null, { status: 503 }) : cloud.recorded("server-two-nics", described);
  };
  {
    await using service = await listening(dir);
    for (const { exchange, routing_key: routingKey, body } of LIFE) {
      await publisher.publish({ exchange, routingKey, body });
    }
    await until(() => service.log.includes("WARNING (openstack) Cannot ask Nova"), LONG_MS);
    await until(async () => await depth(rabbit, "killed") === 0, LONG_MS);
    await service.end("SIGKILL");
    assert.equal(receiver.requests.length, 0);
  }
  isDown = false;
  cloud.taken();
  await using service = await listening(dir);
  await until(() => receiver.requests.some(({ key }) => key === `server/${RECORDED.twoNics}/deletion`), LONG_MS);
  const details = new Map(receiver.requests.map(({ key, detail }) => [key, detail]));
  const came = details.get(`server/${RECORDED.twoNics}/creation`)!;
  const { Description, OS, ProjectName, UserName, MAC } = came;
  assert.deepEqual({ Description, OS, ProjectName, UserName, MAC }, {
    Description: "second front end",
    OS: "ubuntu 22.04",
    ProjectName: "physics-191249",
    UserName: "alice-191249",
    MAC: "fa:16:3e:81:66:a8",
  });
  assert.deepEqual(details.get(`server/${RECORDED.twoNics}/deletion`), came);
  assert.deepEqual(cloud.taken().filter((line) => /\/(servers|ports|images|projects|users)/.test(line)).toSorted(), [
    `compute GET /v2.1/servers/${RECORDED.twoNics}`,
    `network GET /v2.0/ports?device_id=${RECORDED.twoNics}`,
  ]);
  assert.match(
    service.log,
    /INFO \(openstack\) Details are completed from the cloud of Keystone at http:\/\/127\.0\.0\.1:\d+\/v3 \(the section/,
  );
  assert.ok(!service.log.includes(PASSWORD));
  assert.equal((await service.end("SIGTERM")).code, 0);
});

Deno.test("service ends at once on SIGTERM while it waits for OpenStack", async () => {
  await using cloud = new OpenStackServer();
  await using receiver = new Receiver();
  await using publisher = new CloudPublisher(rabbit.url);
  for (const exchange of ["nova", "neutron"]) await publisher.declareExchange(exchange, { durable: true });
  using dir = directory({ authUrl: cloud.authUrl, queue: "stopped", receiver: receiver.port });
  // It takes the question, and never answers.
  const stuck = Promise.withResolvers<undefined>();
  cloud.intercept = ({ path }) => path.startsWith(`/v2.1/servers/${RECORDED.twoNics}`) ? stuck.promise : undefined;
  await using service = await listening(dir);
  for (const { exchange, routing_key: routingKey, body } of LIFE) {
    await publisher.publish({ exchange, routingKey, body });
  }
  await until(() => cloud.requests.some(({ path }) => path.startsWith(`/v2.1/servers/${RECORDED.twoNics}`)), LONG_MS);
  const stopped = Date.now();
  assert.equal((await service.end("SIGTERM")).code, 0, service.log);
  assert.ok(Date.now() - stopped < 9000, `${Date.now() - stopped} ms`);
  assert.equal(receiver.requests.length, 0);
  stuck.resolve(undefined);
});

Deno.test("service does not start with a password that Keystone refuses", async () => {
  await using cloud = new OpenStackServer();
  cloud.login = "auth-wrong-password";
  using dir = directory({ authUrl: cloud.authUrl, queue: "refused", receiver: 1 });
  await using service = new Service(dir.path());
  assert.equal((await service.status).code, 1);
  await until(() => /^Cannot log in at Keystone .* as "admin" .*: 401/m.test(service.log));
  assert.ok(!service.log.includes(PASSWORD));
});

Deno.test("service starts without a Keystone that does not answer", async () => {
  using dir = directory({ authUrl: "http://127.0.0.1:1/v3", queue: "alone", receiver: 1 });
  await using service = await listening(dir);
  await until(() => /WARNING \(openstack\) Cannot ask Keystone at .*Continuing without it\n/.test(service.log));
  assert.equal((await service.end("SIGTERM")).code, 0);
});

/** A directory with a configuration, where the ledger will be, too. */
function directory(
  { authUrl, queue, receiver }: { readonly authUrl: string; readonly queue: string; readonly receiver: number },
): ProgramDirectory {
  const openstack = { authUrl, user: "admin", password: PASSWORD, project: "admin" };
  return new ProgramDirectory({
    "config.ts": `import { RestNotify } from "oss-watcher/plugins";
      export default {
        events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
        plugins: [new RestNotify({ host: "http://127.0.0.1", port: ${receiver}, urlCreation: "/new", urlDeletion: "/old" })],
        rabbit: { url: "${rabbit.url}", queue: { name: "${queue}", exchanges: ["nova", "neutron"] } },
        openstack: ${JSON.stringify(openstack)},
        // The recording may be older than what is usually believed of a queue.
        ledger: { file: "./ledger.db", keepDays: 36500 },
      };`,
  });
}

/** The recorded server, with a description. */
function described(body: string): string {
  return body.replace(`"status"`, `"description": "second front end", "status"`);
}
