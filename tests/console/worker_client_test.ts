import assert from "node:assert/strict";
import { WorkerClient } from "../../src/console/worker_client.ts";
import { KeptLog } from "../support/loggers.ts";
import { until } from "../support/until.ts";

/** An isolate that answers with how many calls it had, hangs at `hang`, and says what it is told to. */
const SOURCE = `
  let calls = 0;
  addEventListener("message", ({ data }) => {
    if (data.kind === "load" && data.globals.config === "broken") postMessage({ kind: "failed", error: "no config" });
    if (data.kind !== "call") return;
    if (data.call.route === "hang") for (;;);
    if (data.call.route === "busy") postMessage({ kind: "busy", isBusy: true });
    if (data.call.route === "idle") postMessage({ kind: "busy", isBusy: false });
    const body = new TextEncoder().encode(JSON.stringify(++calls));
    postMessage({ kind: "answer", id: data.id, answer: { status: 200, body } });
  });
  postMessage({ kind: "here" });
`;

function clientOf({ idleMs, globals = {} }: { readonly idleMs?: number; readonly globals?: object } = {}) {
  const log = new KeptLog();
  const started: Worker[] = [];
  const client = new WorkerClient({
    start: () => {
      const worker = new Worker(`data:text/javascript,${encodeURIComponent(SOURCE)}`, { type: "module" });
      started.push(worker);
      return worker;
    },
    globals,
    log,
    ...(idleMs === undefined ? {} : { idleMs }),
  });
  const ask = async (route: string, limitMs = 60_000) => {
    const { body } = await client.ask({ route, query: {}, body: null, who: "" }, { limitMs });
    return JSON.parse(new TextDecoder().decode(body));
  };
  return { client, ask, log, started };
}

Deno.test("WorkerClient ends a worker that hangs, with all that wait for it, and starts another", async () => {
  const { client, ask, log, started } = clientOf();
  using _ = client;
  assert.equal(await ask("first"), 1);
  const results = await Promise.allSettled([ask("hang", 300), ask("behind")]);
  for (const result of results) {
    assert.equal(result.status, "rejected");
    assert.match(
      String(result.reason),
      /^WorkerUnavailable: Cannot ask the console's worker: it did not answer in time/,
    );
  }
  assert.match(log.lines.join("\n"), /has not answered "hang" for 0\.3 s: ended/);
  assert.equal(await ask("again"), 1);
  assert.equal(started.length, 2);
});

Deno.test("WorkerClient does not end a worker for a call that waits behind one with more time", async () => {
  const { client, ask, started } = clientOf();
  using _ = client;
  await ask("first");
  const long = ask("hang", 1500);
  const ended = long.catch(() => "ended");
  const busy = /^WorkerUnavailable: Cannot ask the console's worker: it is busy\. Try again$/;
  await assert.rejects(ask("behind", 100), busy);
  assert.ok(client.isRunning);
  assert.equal(await ended, "ended");
  await assert.rejects(long, /it did not answer in time/);
  assert.equal(started.length, 1);
});

Deno.test("WorkerClient ends a worker that nobody asks, unless it has work", async () => {
  const [busy, idle] = [clientOf({ idleMs: 20 }), clientOf({ idleMs: 20 })];
  using _ = busy.client;
  await busy.ask("busy");
  await idle.ask("later");
  await until(() => !idle.client.isRunning);
  assert.ok(busy.client.isRunning);
  await busy.ask("idle");
  await until(() => !busy.client.isRunning);
  assert.equal(await idle.ask("again"), 1);
  idle.client[Symbol.dispose]();
});

Deno.test("WorkerClient does not start one after the other that cannot begin, and says so once", async () => {
  const globals = { config: "broken" };
  const { client, ask, log, started } = clientOf({ globals });
  using _ = client;
  for (let second = 0; second < 5; second++) {
    await assert.rejects(
      ask("first"),
      /^WorkerUnavailable: Cannot ask the console's worker: it has failed: no config$/,
    );
    client.warmUp();
  }
  assert.equal(started.length, 1);
  assert.equal(log.lines.filter((line) => /has failed: no config/.test(line)).length, 1);
  globals.config = "mended";
  await until(() => ask("again").catch(() => null), 20_000);
  assert.equal(started.length, 2);
});

Deno.test("WorkerClient starts none once it is disposed of", async () => {
  const { client, ask, started } = clientOf();
  client[Symbol.dispose]();
  client.warmUp();
  await assert.rejects(ask("late"), /^WorkerUnavailable: Cannot ask the console's worker: the service stops$/);
  assert.equal(started.length, 0);
});
