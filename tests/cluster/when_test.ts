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

/** Of servers whose ids end so; each process has another filter, as in the middle of a roll-out. */
const even = `{ match: ({ ID }) => /[02468]$/.test(String(ID)) }`;
const odd = `{ subjects: ["server"], match: ({ ID }) => /[13579]$/.test(String(ID)) }`;

Deno.test("what a process with another filter takes over is told whole, or not at all, after kill -9", async () => {
  await using cluster = await Cluster.open({ rabbit, url: server.url, schema: "filtered", plugins: ["A", "B"] });
  await cluster.start("one", { when: even });
  await cluster.start("two", { when: odd });
  const difference = /differs: its events, its detail or its filters \(when\) are others: what is announced depends on/;
  await cluster.until(() => difference.test(cluster.logs));
  const publishing = cluster.publish(300);
  await cluster.until(() => cluster.receiver.accepted.length > 60);
  await cluster.services.get("one")!.end("SIGKILL");
  await publishing;
  await cluster.until(async () => {
    const { out } = await cluster.run(["plugins"]);
    return /^A +\d+ +0 +0 +0\b/m.test(out) && /^B +\d+ +0 +0 +0\b/m.test(out) && cluster.receiver.accepted.length > 300;
  });
  await cluster.until(async () => {
    const { out } = await cluster.run(["events", "--json", "--limit", "2000"]);
    const states = out.trim().split("\n").map((line) => JSON.parse(line).state as string);
    return states.length === 1200 && states.every((state) => state === "done" || state === "skipped");
  });
  for (const plugin of ["A", "B"]) {
    const heard = cluster.receiver.accepted.filter((each) => each.plugin === plugin).map(({ what }) => what);
    const of = (what: string) => new Set(heard.flatMap((one) => one.startsWith(what) ? [one.split(" ")[1]] : []));
    assert.deepEqual(of("deleted"), of("created"));
    assert.ok(of("created").size > 100 && of("created").size < 300, `${of("created").size}`);
  }
  assert.deepEqual(cluster.receiver.problems(), []);
});
