import assert from "node:assert/strict";
import { type PostgresServer, startPostgres } from "../../tools/postgres/server.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Cluster } from "./cluster.ts";

let rabbit = {} as PrivateRabbit;

Deno.test.beforeAll(async () => {
  rabbit = await startRabbit();
});

Deno.test.afterAll(() => rabbit.stop());

/** Names both servers. */
function urlOf(primary: PostgresServer, standby: PostgresServer): string {
  return primary.url.replace(/(@[^/]*)/, `$1,127.0.0.1:${standby.port}`);
}

async function twoProcesses(url: string): Promise<Cluster> {
  const cluster = await Cluster.open({ rabbit, url, plugins: ["A", "B"] });
  try {
    await cluster.start("one");
    await cluster.start("two");
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

const TOLD = /WARNING \(ledger\) The ledger was restored from a backup, or its server has failed over/;

Deno.test("a synchronous standby that is promoted in the middle of a load has all: nothing is lost", async () => {
  await using primary = await startPostgres();
  await using standby = await startPostgres({ standbyOf: primary, synchronous: true });
  await using cluster = await twoProcesses(urlOf(primary, standby));
  const publishing = cluster.publish(200);
  await cluster.until(() => cluster.receiver.accepted.length > 100);
  await primary.kill();
  await standby.promote();
  await publishing;
  await cluster.delivered();
  cluster.assertRight();
  await cluster.until(() => TOLD.test(cluster.logs));
});

Deno.test("an asynchronous standby that is promoted lacks what came last: that is told, and no number is used twice", async () => {
  await using primary = await startPostgres();
  await using standby = await startPostgres({ standbyOf: primary });
  await using cluster = await twoProcesses(urlOf(primary, standby));
  await cluster.publish(20);
  await cluster.delivered();
  const nowhere = "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'; SELECT pg_reload_conf();";
  for (const statement of nowhere.split("; ")) await standby.psql(statement, { admin: true });
  const query = `SELECT count(*) FROM pg_stat_replication`;
  await cluster.until(async () => await primary.psql(query, { admin: true }) === "0");
  await cluster.publish(20);
  await cluster.delivered();
  const publishing = cluster.publish(50);
  await primary.kill();
  await standby.promote();
  await publishing;
  await cluster.until(() => TOLD.test(cluster.logs));
  const later = new Set(await cluster.publish(20));
  await cluster.until(() =>
    ["A", "B"].every((plugin) => !cluster.missing(plugin).some((what) => later.has(what.split(" ")[1]!)))
  );
  assert.deepEqual(cluster.receiver.problems(), []);
});
