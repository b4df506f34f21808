import assert from "node:assert/strict";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import * as told from "../support/stories.ts";
import { until } from "../support/until.ts";
import { listening, LONG_MS } from "./listening.ts";
import { FLOATING_IP, SERVER, Stage } from "./reconcile_stage.ts";

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => {
  rabbit = await startRabbit();
});

Deno.test.afterAll(() => rabbit.stop());

Deno.test("what was published to a queue that was deleted while the service was stopped is told at its next start", async () => {
  await using stage = await Stage.open(rabbit, "deleted");
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
  await using stage = await Stage.open(rabbit, "by-hand", { everyHours: false });
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
  assert.deepEqual([outcome, drift], ["applied", { untold: 0, gone: 1, moved: 0, changed: 0 }]);
  const ends = [`floatingip/${FLOATING_IP(1)}/3/deletion`, `server/${SERVER(1)}/deletion`];
  assert.deepEqual(differences[0].keys, ends);
  await until(() => receiver.requests.length === 3, LONG_MS);
  const again = await stage.run("reconcile");
  assert.equal(again.code, 0, again.out);
  const listed = await stage.run("events", "--json");
  assert.ok(listed.out.includes('"origin":"reconcile"'), listed.out);
  assert.equal((await service.end("SIGTERM")).code, 0);
});

Deno.test("a service that is killed while it compares and while it tells loses nothing and tells nothing false", async () => {
  await using stage = await Stage.open(rabbit, "killed");
  const { cloud, receiver } = stage;
  {
    await using service = await listening(stage.dir);
    await until(() => service.log.includes("nothing is sent for them"), LONG_MS);
    await service.end("SIGTERM");
  }
  await rabbit.ctl("delete_queue", "killed");
  for (const number of [20, 21, 22]) stage.create(number);
  for (const number of [1, 4, 5]) cloud.remove("servers", SERVER(number));
  stage.move(FLOATING_IP(0), 3);
  const wanted = [
    ...[20, 21, 22].map((number) => `server/${SERVER(number)}/creation`),
    ...[1, 4, 5].map((number) => `server/${SERVER(number)}/deletion`),
    `floatingip/${FLOATING_IP(1)}/3/deletion`,
    `floatingip/${FLOATING_IP(0)}/3/deletion`,
    `floatingip/${FLOATING_IP(0)}/4/creation`,
  ].toSorted();
  // Each life ends some time after it begins to compare: before, between and after its questions,
  // and while the events are delivered.
  for (const lifeMs of [0, 300, 900, 1050, 1200, 1400]) {
    await using service = await listening(stage.dir);
    await until(() => service.log.includes("(reconcile) Comparing"), LONG_MS);
    await new Promise((resolve) => setTimeout(resolve, lifeMs));
    await service.end("SIGKILL");
  }
  await using service = await listening(stage.dir);
  await until(() => /\(reconcile\) .*after \d+ s/.test(service.log), LONG_MS);
  const keys = () => [...new Set(receiver.requests.map(({ key }) => key))].toSorted();
  await until(() => keys().length >= wanted.length, LONG_MS);
  const agreed = await stage.run("reconcile");
  assert.equal(agreed.code, 0, agreed.out + agreed.err);
  assert.deepEqual(keys(), wanted);
  assert.equal((await service.end("SIGTERM")).code, 0);
});

Deno.test("oss-watcher reconcile does not wait for a queue that nobody reads", async () => {
  await using stage = await Stage.open(rabbit, "unread", { everyHours: false });
  {
    await using service = await listening(stage.dir);
    await until(() => service.log.includes("nothing is sent for them"), LONG_MS);
    await service.end("SIGTERM");
  }
  stage.cloud.remove("servers", SERVER(1));
  await stage.publish("nova", told.went(SERVER(1)));
  const startedMs = performance.now();
  const { code, err } = await stage.run("reconcile", "--apply");
  assert.equal(code, 1);
  assert.match(err, /^Cannot compare with OpenStack: Queue "unread" holds messages .*\(1\).* Nobody reads it: start/m);
  assert.ok(performance.now() - startedMs < LONG_MS);
});

Deno.test("oss-watcher reconcile finds a server whose change was lost, tells it as an update, and agrees then", async () => {
  await using stage = await Stage.open(rabbit, "changed", { everyHours: false, follows: true });
  const { cloud, receiver } = stage;
  await using service = await listening(stage.dir);
  await until(() => service.log.includes("nothing is sent for them"), LONG_MS);
  stage.create(20);
  // The message says less than Nova does.
  await stage.publish("nova", told.came(SERVER(20), { hostname: "web-20", tenant_id: "project-0" }));
  await until(() => receiver.requests.length === 1, LONG_MS);
  assert.equal((await stage.run("reconcile", "--apply")).code, 0);
  await until(() => receiver.requests.length === 2, LONG_MS);
  const agreed = await stage.run("reconcile");
  assert.deepEqual([agreed.code, agreed.err], [0, ""], agreed.out + agreed.err);

  cloud.change("servers", SERVER(20), { "OS-EXT-SRV-ATTR:hostname": "renamed", metadata: { owner: "bob" } });
  const planned = await stage.run("reconcile");
  assert.equal(planned.code, 3, planned.out + planned.err);
  assert.ok(planned.out.includes(`* server  ${SERVER(20)}  renamed`), planned.out);
  assert.match(planned.out, /^ {4}Told otherwise: FQDN, Metadata, Owner$/m);
  assert.ok(planned.out.includes(`    → server/${SERVER(20)}/update/2`), planned.out);
  assert.ok(planned.out.includes("1 changed"), planned.out);
  const applied = await stage.run("reconcile", "--apply");
  assert.equal(applied.code, 0, applied.out + applied.err);
  await until(() => receiver.requests.length === 3, LONG_MS);
  const { path, key, detail } = receiver.requests[2]!;
  assert.deepEqual([path, key], ["/changed", `server/${SERVER(20)}/update/2`]);
  assert.deepEqual([detail["FQDN"], detail["Owner"]], ["renamed", "bob"]);
  const again = await stage.run("reconcile");
  assert.deepEqual([again.code, again.err], [0, ""], again.out + again.err);
  assert.equal((await service.end("SIGTERM")).code, 0);
  assert.equal(receiver.requests.length, 3);
});
