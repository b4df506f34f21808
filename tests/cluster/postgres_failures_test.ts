import assert from "node:assert/strict";
import postgres from "postgres";
import { type PostgresServer, startPostgres } from "../../tools/postgres/server.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { until } from "../support/until.ts";
import { Cluster } from "./cluster.ts";

const MAX_CONNECTIONS = 40;

let [rabbit, server] = [{} as PrivateRabbit, {} as PostgresServer];

Deno.test.beforeAll(async () => {
  [rabbit, server] = await Promise.all([
    startRabbit(),
    startPostgres({ settings: { max_connections: MAX_CONNECTIONS } }),
  ]);
});

Deno.test.afterAll(async () => {
  await rabbit.stop();
  await server[Symbol.asyncDispose]();
});

/** Two processes, both of which work, with a schema of their own. */
async function twoProcesses(schema: string): Promise<Cluster> {
  const cluster = await Cluster.open({ rabbit, url: server.url, schema, plugins: ["A", "B"] });
  try {
    await cluster.start("one");
    await cluster.start("two");
    await cluster.publish(5);
    await cluster.delivered();
    await cluster.until(async () =>
      (await cluster.processes()).filter(({ leases }) => leases.some(({ name }) => name.startsWith("plugin")))
        .length === 2
    );
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

/** All goes on, nothing is lost, and no process has ended. */
async function goesOn(cluster: Cluster): Promise<void> {
  await cluster.publish(20);
  await cluster.delivered();
  cluster.assertRight();
  await cluster.until(async () => (await cluster.processes()).length === 2);
}

const CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'oss-watcher'";

Deno.test("pg_terminate_backend of every connection costs nothing: both processes connect again", async () => {
  await using cluster = await twoProcesses("terminated");
  const publishing = cluster.publish(200);
  await until(() => cluster.receiver.accepted.length > 60);
  await server.psql(CUT, { admin: true });
  await publishing;
  await cluster.delivered();
  await goesOn(cluster);
});

const REFUSED = /ERROR .*: PostgreSQL refuses: .*(connection slots|clients).* \(SQLSTATE 53300\)/;

Deno.test("max_connections used up by others is told, and nothing is lost until they are gone", async () => {
  await using cluster = await twoProcesses("crowded");
  await using crowd = new Crowd();
  await cluster.until(async () => {
    await crowd.grow();
    await server.psql(CUT, { admin: true });
    return [...cluster.services.values()].some(({ log }) => REFUSED.test(log));
  });
  await cluster.publish(50);
  await cluster.told(REFUSED);
  await cluster.told(/Lost the lease/);
  assert.deepEqual(cluster.missing("A").length, 100);
  await crowd[Symbol.asyncDispose]();
  await cluster.told(/can be (written|renewed) again/);
  await goesOn(cluster);
});

Deno.test("a role whose rights are taken is told what is missing, and nothing is lost until it has them again", async () => {
  await using cluster = await twoProcesses("forbidden");
  await server.psql("REVOKE ALL ON ALL TABLES IN SCHEMA forbidden FROM watcher", { admin: true });
  await cluster.publish(20);
  await cluster.told(/ERROR \(ledger\) .*: PostgreSQL refuses: permission denied for table \w+ \(SQLSTATE 42501\)/);
  // Longer than a lease, so that both have lost all.
  await cluster.told(/Lost the lease/);
  await server.psql("GRANT ALL ON ALL TABLES IN SCHEMA forbidden TO watcher", { admin: true });
  await goesOn(cluster);
});

Deno.test("time-outs of the role, however short, cut off nothing: those of the service count", async () => {
  await using cluster = await twoProcesses("impatient");
  for (const name of ["statement_timeout", "idle_in_transaction_session_timeout"]) {
    await server.psql(`ALTER ROLE watcher SET ${name} = 1`, { admin: true });
  }
  // So that all connections begin anew.
  await server.psql(CUT, { admin: true });
  await goesOn(cluster);
  assert.doesNotMatch(cluster.logs, /statement timeout|idle-in-transaction timeout/);
  await server.psql("ALTER ROLE watcher RESET ALL", { admin: true });
});

/** Connections of others, as many as the server has room for. */
class Crowd implements AsyncDisposable {
  readonly #others: postgres.Sql[] = [];

  /** Takes what is free. */
  async grow(): Promise<void> {
    for (;;) {
      const other = postgres(server.url, { max: 1, connection: { application_name: "crowd" } });
      this.#others.push(other);
      try {
        await other`SELECT 1`;
      } catch {
        return;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#others.map((other) => other.end({ timeout: 0 })));
  }
}
