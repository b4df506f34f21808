import assert from "node:assert/strict";
import { STEPS } from "../../src/ledger/postgres/schema.ts";
import { type PostgresServer, startPostgres } from "../../tools/postgres/server.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Cluster, type ListedProcess } from "./cluster.ts";

let [rabbit, server] = [{} as PrivateRabbit, {} as PostgresServer];

Deno.test.beforeAll(async () => {
  [rabbit, server] = await Promise.all([startRabbit(), startPostgres()]);
});

Deno.test.afterAll(async () => {
  await rabbit.stop();
  await server[Symbol.asyncDispose]();
});

function leasesOf(processes: readonly ListedProcess[], name: string): readonly string[] {
  return processes.find((process) => process.name === name)?.leases.map(({ name }) => name).toSorted() ?? [];
}

Deno.test("a plugin that one process alone has is told everywhere, runs there, and gets events", async () => {
  await using cluster = await Cluster.open({ rabbit, url: server.url, schema: "differing", plugins: ["A"] });
  await cluster.start("one");
  await cluster.start("two", { plugins: ["A", "Extra"] });
  await cluster.told(
    /WARNING \(ledger\) The configuration of process "two" differs: it has the plugins Extra, which we do not have/,
    "one",
  );
  await cluster.told(
    /WARNING \(ledger\) The configuration of process "one" differs: it lacks the plugins Extra/,
    "two",
  );
  await cluster.publish(20);
  await cluster.delivered(["A", "Extra"]);
  cluster.assertRight(["A", "Extra"]);
  await cluster.until(async () => leasesOf(await cluster.processes(), "two").includes("plugin Extra"));
  const { code, out } = await cluster.run(["processes"]);
  assert.equal(code, 0);
  assert.match(
    out.replace(/\s+/g, " "),
    /Compared with "one": The configuration of process "two" differs: it has the plugins Extra/,
  );
});

Deno.test("SIGTERM of the process that does everything hands over at once, long before its leases expire", async () => {
  const options = { rabbit, url: server.url, schema: "handed", plugins: ["A"], leaseSeconds: 120 };
  await using cluster = await Cluster.open(options);
  const one = await cluster.start("one");
  const two = await cluster.start("two");
  await cluster.publish(10);
  await cluster.delivered();
  const all = ["facts", "housekeeping", "plugin A"];
  await cluster.until(async () => {
    const processes = await cluster.processes();
    return `${leasesOf(processes, "one")}` === `${all}` && `${leasesOf(processes, "two")}` === "";
  });
  const publishing = cluster.publish(300);
  await cluster.until(() => cluster.receiver.accepted.length > 100);
  const { code } = await one.end("SIGTERM");
  await publishing;
  // Well before the leases would have expired.
  await cluster.delivered();
  cluster.assertRight();
  assert.deepEqual([code, cluster.receiver.doubled], [0, 0]);
  await cluster.until(async () => `${leasesOf(await cluster.processes(), "two")}` === `${all}`);
  assert.match((await cluster.run(["processes"])).out, /^one +stopped /m);
  assert.match(one.log, /INFO \(service\) Stopped/);
  assert.equal((await two.end("SIGTERM")).code, 0);
});

Deno.test("a process goes on beside tables of a newer version, and stops itself when it may not", async () => {
  const schema = "newer";
  await using cluster = await Cluster.open({ rabbit, url: server.url, schema, plugins: ["A"] });
  const one = await cluster.start("one");
  const newer = STEPS.length + 1;
  await server.psql(`INSERT INTO ${schema}.schema_version (step, oldest_beside) VALUES (${newer}, 1)`);
  await cluster.start("two");
  await cluster.publish(20);
  await cluster.delivered();
  cluster.assertRight();
  await server.psql(`UPDATE ${schema}.schema_version SET oldest_beside = ${newer} WHERE step = ${newer}`);
  const why = new RegExp(
    `it was written by a newer oss-watcher \\(schema ${newer}, this one knows ${STEPS.length}\\)\\. Run the newer one`,
  );
  for (const service of [one, cluster.services.get("two")!]) {
    assert.equal((await service.status).code, 1);
    await cluster.until(() => why.test(service.log));
    assert.match(service.log, /Cannot go on with the ledger "postgres:[^\n]*: it was written/);
  }
  const late = cluster.launch("late");
  assert.equal((await late.status).code, 1);
  await cluster.until(() => /^Cannot open the ledger [^\n]* Run the newer one/m.test(late.log));
});
