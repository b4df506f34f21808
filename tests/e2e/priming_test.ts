import assert from "node:assert/strict";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import type { Notification } from "../../src/model/notification.ts";
import { idOf, MadeCloud } from "../support/made_cloud.ts";
import { OpenStackServer } from "../support/openstack_server.ts";
import { ProgramDirectory } from "../support/program.ts";
import * as told from "../support/stories.ts";
import { until } from "../support/until.ts";
import { depth, listening, LONG_MS } from "./listening.ts";

/** Three pages of servers and of ports. */
const SERVERS = 450;
const [MINE, OTHER] = [idOf("5e", 7), idOf("5e", 8)];

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => {
  rabbit = await startRabbit();
});

Deno.test.afterAll(() => rabbit.stop());

Deno.test("a new ledger is primed once, over a kill -9 in the middle, and what happens meanwhile is announced", async () => {
  await using server = new OpenStackServer();
  const cloud = await MadeCloud.behind(server, { servers: SERVERS, floatingIps: 20 });
  await using receiver = new Receiver();
  await using publisher = new CloudPublisher(rabbit.url);
  for (const exchange of ["nova", "neutron"]) await publisher.declareExchange(exchange, { durable: true });
  const publish = async (exchange: string, message: Notification) => {
    const { messageId, eventType, payload, time } = message;
    const body = JSON.stringify({ message_id: messageId, event_type: eventType, timestamp: time, payload });
    await publisher.publish({ exchange, routingKey: "notifications.info", body });
  };
  using dir = directory(server.authUrl, receiver.port);
  // The second page of ports never comes.
  const stuck = Promise.withResolvers<undefined>();
  const isSecond = (path: string) => path.startsWith("/v2.0/ports") && path.includes("marker");
  server.intercept = (request) => isSecond(request.path) ? stuck.promise : cloud.intercept(request);
  {
    await using service = await listening(dir);
    await until(() => server.requests.some(({ path }) => isSecond(path)), LONG_MS);
    // Read with the association, which ends now.
    await publish("neutron", told.floatingIpIs(idOf("f1", 7), { revision: 3 }));
    // Moved before it was read: to the revision that was read.
    const moved = { port: idOf("b0", 9), server: idOf("5e", 9), revision: 2 };
    await publish("neutron", told.floatingIpIs(idOf("f1", 9), moved));
    await publish("nova", told.went(MINE, { hostname: "renamed" }));
    await until(async () => await depth(rabbit, "primed") === 0, LONG_MS);
    assert.equal(receiver.requests.length, 0, service.log);
    await service.end("SIGKILL");
  }
  server.intercept = cloud.intercept;
  server.taken();
  cloud.remove("servers", OTHER);
  {
    await using service = await listening(dir);
    await publish("nova", told.came("5e-new", { hostname: "new" }));
    await until(() => receiver.requests.length === 4, LONG_MS);
    const requests = server.taken().filter((line) => line.includes("limit="));
    assert.deepEqual(requests.map((line) => line.replace(/\?.*/, "")), [
      "network GET /v2.0/ports",
      "network GET /v2.0/ports",
      "network GET /v2.0/ports",
      "network GET /v2.0/ports",
      "compute GET /v2.1/servers/detail",
      "compute GET /v2.1/servers/detail",
      "compute GET /v2.1/servers/detail",
      "compute GET /v2.1/servers/detail",
      "compute GET /v2.1/servers/detail",
    ]);
    assert.match(service.log, /INFO \(priming\) Remembered 20 floating IPs, 450 ports, 449 servers, after/);
    assert.equal((await service.end("SIGTERM")).code, 0);
  }
  assert.deepEqual(
    receiver.requests.map(({ key }) => key).toSorted(),
    [
      `floatingip/${idOf("f1", 7)}/3/deletion`,
      `floatingip/${idOf("f1", 9)}/3/creation`,
      "server/5e-new/creation",
      `server/${MINE}/deletion`,
    ].toSorted(),
  );
  const gone = receiver.requests.find(({ key }) => key === `server/${MINE}/deletion`)?.detail;
  const { FQDN, IP, MAC, Owner, ProjectName, UserName, OS } = gone!;
  assert.deepEqual({ FQDN, IP, MAC, Owner, ProjectName, UserName, OS }, {
    FQDN: "web-7.cloud.example.com",
    IP: "10.0.0.7",
    MAC: "fa:16:3e:00:00:07",
    Owner: "owner-7",
    ProjectName: "name of project-2",
    UserName: "name of user-of-project-2",
    OS: "debian 12",
  });
  // The third start finds all of it done.
  server.taken();
  await using service = await listening(dir);
  assert.equal((await service.end("SIGTERM")).code, 0);
  assert.deepEqual(server.taken().filter((line) => line.includes("limit=")), []);
  stuck.resolve(undefined);
});

Deno.test("service ends at once on SIGTERM while it is being primed", async () => {
  await using server = new OpenStackServer();
  const cloud = await MadeCloud.behind(server, { servers: 3, floatingIps: 0 });
  using dir = directory(server.authUrl, 1);
  const stuck = Promise.withResolvers<undefined>();
  server.intercept = (request) => request.path.startsWith("/v2.0/ports") ? stuck.promise : cloud.intercept(request);
  await using service = await listening(dir);
  await until(() => server.requests.some(({ path }) => path.startsWith("/v2.0/ports")), LONG_MS);
  const stopped = Date.now();
  assert.equal((await service.end("SIGTERM")).code, 0, service.log);
  // The grace of ten seconds is for attempts.
  assert.ok(Date.now() - stopped < 9000, `${Date.now() - stopped} ms`);
  stuck.resolve(undefined);
});

function directory(authUrl: string, receiver: number): ProgramDirectory {
  const openstack = { authUrl, user: "admin", password: "hush-4711", project: "admin" };
  return new ProgramDirectory({
    "config.ts": `import { RestNotify } from "oss-watcher/plugins";
      export default {
        events: {
          creation: ["compute.instance.create.end", "floatingip.update.end"],
          deletion: ["compute.instance.delete.end", "floatingip.update.end"],
        },
        plugins: [new RestNotify({ host: "http://127.0.0.1", port: ${receiver}, urlCreation: "/new", urlDeletion: "/old" })],
        rabbit: { url: "${rabbit.url}", queue: { name: "primed", exchanges: ["nova", "neutron"] } },
        openstack: ${JSON.stringify(openstack)},
        ledger: { file: "./ledger.db", keepDays: 36500 },
      };`,
  });
}
