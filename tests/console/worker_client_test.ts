import assert from "node:assert/strict";
import { WorkerClient } from "../../src/console/worker_client.ts";
import { KeptLog } from "../support/loggers.ts";
import { until } from "../support/until.ts";

/** An isolate that answers with how many calls it had, hangs at `hang`, and says what it is told to. */
const SOURCE = `
  let calls = 0;
  addEventListener("message", ({ data }) => {
    if (data.kind !== "call") return;
    if (data.call.route === "hang") for (;;);
    if (data.call.route === "busy") postMessage({ kind: "busy", isBusy: true });
    if (data.call.route === "idle") postMessage({ kind: "busy", isBusy: false });
    const body = new TextEncoder().encode(JSON.stringify(++calls));
    postMessage({ kind: "answer", id: data.id, answer: { status: 200, body } });
  });
  postMessage({ kind: "here" });
`;

function clientOf({ idleMs, source = SOURCE }: { readonly idleMs?: number; readonly source?: string } = {}) {
  const log = new KeptLog();
  const started: Worker[] = [];
  const client = new WorkerClient({
    start: () => {
      const worker = new Worker(`data:text/javascript,${encodeURIComponent(source)}`, { type: "module" });
      started.push(worker);
      return worker;
    },
    globals: {},
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

Deno.test("WorkerClient does not start a worker again and again that cannot begin", async () => {
  const { client, ask, log, started } = clientOf({
    source: `
      addEventListener("message", ({ data }) => data.kind === "load" && postMessage({ kind: "failed", error: "no config" }));
      postMessage({ kind: "here" });
    `,
  });
  using _ = client;
  for (let count = 0; count < 3; count++) {
    await assert.rejects(ask("any"), /^WorkerUnavailable: Cannot ask the console's worker: it has failed: no config$/);
  }
  client.warmUp();
  assert.equal(started.length, 1);
  assert.equal(log.lines.length, 1);
});
