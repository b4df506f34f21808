import assert from "node:assert/strict";
import { type PostgresServer, startPostgres } from "../../tools/postgres/server.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Cluster } from "./cluster.ts";

let [rabbit, server] = [{} as PrivateRabbit, {} as PostgresServer];

Deno.test.beforeAll(async () => {
  [rabbit, server] = await Promise.all([startRabbit(), startPostgres()]);
});

Deno.test.afterAll(async () => {
  await rabbit.stop();
  await server[Symbol.asyncDispose]();
});

Deno.test("a pause is heeded by the process that delivers, and by the one that takes over after kill -9", async () => {
  await using cluster = await Cluster.open({ rabbit, url: server.url, schema: "paused", plugins: ["A", "B"] });
  await cluster.start("one");
  await cluster.start("two");
  await cluster.publish(5);
  await cluster.delivered();
  const paused = await cluster.run(["plugins", "pause", "A"]);
  assert.deepEqual([paused.code, paused.err], [0, ""]);
  await cluster.until(() => /\(A\) Paused since /.test(cluster.logs));
  const holder = (await cluster.processes()).find(({ leases }) => leases.some(({ name }) => name === "plugin A"))!;
  const before = cluster.receiver.accepted.filter(({ plugin }) => plugin === "A").length;
  await cluster.publish(20);
  await cluster.delivered(["B"]);
  await cluster.services.get(holder.name)!.end("SIGKILL");
  const other = holder.name === "one" ? "two" : "one";
  await cluster.told(/\(A\) Paused since /, other);
  await cluster.publish(20);
  await cluster.delivered(["B"]);
  assert.equal(cluster.receiver.accepted.filter(({ plugin }) => plugin === "A").length, before);
  assert.match((await cluster.run(["plugins"])).out, /^A +\d+ +80 +0 +0 {2}paused$/m);
  assert.equal((await cluster.run(["plugins", "resume", "A"])).code, 0);
  await cluster.delivered();
  cluster.assertRight();
});

Deno.test("plugins pause refuses while a process of a version runs that would go on delivering", async () => {
  await using cluster = await Cluster.open({ rabbit, url: server.url, schema: "older", plugins: ["A"] });
  await cluster.start("one");
  const older =
    `INSERT INTO older.process (id, name, version, schema_version, plugins, events, lease_seconds, started_at, seen_at)
    VALUES ('x', 'old one', '0.0.9', 1, '["A"]', '', 600, clock_timestamp(), clock_timestamp())`;
  await server.psql(older);
  const refused = await cluster.run(["plugins", "pause", "A"]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /^Cannot pause the plugin "A": process "old one" \(0\.0\.9\) is of an older version/);
  await server.psql("UPDATE older.process SET stopped_at = clock_timestamp() WHERE id = 'x'");
  assert.equal((await cluster.run(["plugins", "pause", "A"])).code, 0);
});
