import assert from "node:assert/strict";
import { freePorts } from "../../tools/free_ports.ts";
import { type PostgresServer, startPostgres } from "../../tools/postgres/server.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Cluster, type ClusterOptions } from "./cluster.ts";

let [rabbit, server, secured] = [{} as PrivateRabbit, {} as PostgresServer, {} as PostgresServer];

Deno.test.beforeAll(async () => {
  [rabbit, server, secured] = await Promise.all([
    startRabbit(),
    startPostgres({ fast: true }),
    startPostgres({ fast: true, tls: true }),
  ]);
});

Deno.test.afterAll(async () => {
  await Promise.all([rabbit.stop(), server[Symbol.asyncDispose](), secured[Symbol.asyncDispose]()]);
});

/** What a process says that cannot start. */
async function refusal(options: Partial<ClusterOptions>): Promise<string> {
  await using cluster = await Cluster.open({ rabbit, url: server.url, ...options });
  const service = cluster.launch("one");
  const { code } = await service.status;
  await service.end("SIGKILL");
  assert.equal(code, 1, service.log);
  assert.ok(!/watcher-password|wrong-password/.test(service.log), service.log);
  return service.log;
}

Deno.test("a process does not start while PostgreSQL is away, and says so", async () => {
  const [port] = await freePorts(1);
  assert.match(
    await refusal({ url: server.url.replace(`:${server.port}/`, `:${port}/`) }),
    /Cannot open the ledger "postgres:\/\/127\.0\.0\.1:\d+\/watcher", schema "oss_watcher": cannot reach PostgreSQL: connect ECONNREFUSED 127\.0\.0\.1:\d+\. Is it running, and may we reach it\?/,
  );
});

Deno.test("a process does not start with a wrong password, database or host, and says which", async () => {
  assert.match(
    await refusal({ url: server.url.replace("watcher-password", "wrong-password") }),
    /password authentication failed for user "watcher" \(SQLSTATE 28P01\)\. Correct user and password in ledger\.postgres\.url, or pg_hba\.conf/,
  );
  assert.match(
    await refusal({ url: server.url.replace(/watcher$/, "nowhere") }),
    /database "nowhere" does not exist \(SQLSTATE 3D000\)\. Create the database, or correct its name in ledger\.postgres\.url/,
  );
  assert.match(
    await refusal({ url: server.url.replace("127.0.0.1", "no-such-host.invalid") }),
    /cannot reach PostgreSQL: .*no-such-host\.invalid.*\. Is it running, and may we reach it\?/,
  );
});

Deno.test("a server that wants TLS is reached with its authority, and refused without", async () => {
  assert.match(await refusal({ url: secured.url }), /no encryption.*\(SQLSTATE 28000\)/);
  assert.match(await refusal({ url: `${secured.url}?sslmode=verify-full` }), /certificate/);
  const { caFile } = secured;
  await using cluster = await Cluster.open({ rabbit, url: secured.url, postgres: { caFile }, plugins: ["A"] });
  await cluster.start("one");
  await cluster.publish(5);
  await cluster.delivered();
  cluster.assertRight();
});
