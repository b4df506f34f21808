import assert from "node:assert/strict";
import { EventStreams } from "../../src/console/event_streams.ts";
import type { OverviewAnswer } from "../../src/console/api.ts";
import type { WorkerClient } from "../../src/console/worker_client.ts";
import { KeptLog } from "../support/loggers.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** Streams with 300 KB of news each second. */
function newsStreams() {
  const clock = new VirtualClock();
  let newest = 0;
  const data = JSON.stringify({ rows: ["x".repeat(300_000)], isCut: false });
  const ask = () => {
    const tick = { newest: ++newest, events: newest === 1 ? null : data, joined: {} };
    return Promise.resolve({ status: 200, body: new TextEncoder().encode(JSON.stringify(tick)) });
  };
  const worker = { ask } as unknown as WorkerClient;
  const overview = () => Promise.resolve({} as OverviewAnswer);
  const streams = new EventStreams({ worker, overview, clock, log: new KeptLog() });
  /** @param session By default one that has no other stream. */
  const open = (session: string = crypto.randomUUID()) =>
    streams.open(new Request("http://127.0.0.1/api/v1/stream"), { session, isAllowed: () => true });
  return { streams, clock, open };
}

Deno.test("EventStreams drops a client that does not read, and serves the others", async () => {
  const { streams, clock, open } = newsStreams();
  using _ = streams;
  const [slow, quick] = [open(), open()];
  let bytes = 0;
  const reading = (async () => {
    for await (const part of quick.body!) bytes += part.length;
  })();
  for (let second = 0; second < 20; second++) await clock.advance(1000);
  await assert.rejects(slow.text(), /The client reads too slowly/);
  assert.ok(bytes > 15 * 300_000, `${bytes}`);
  streams[Symbol.dispose]();
  await reading;
});

Deno.test("EventStreams refuses more streams than it can serve, until some end", async () => {
  const { streams, open } = newsStreams();
  using _ = streams;
  const opened = Array.from({ length: 256 }, () => open());
  assert.ok(opened.every(({ status }) => status === 200));
  const refused = open();
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get("retry-after"), "10");
  assert.match((await refused.json()).error, /^Cannot show what is new: 256 pages are open/);
  await opened[0]!.body!.cancel();
  assert.equal(open().status, 200);
});

Deno.test("EventStreams gives one session 16 streams, and the others theirs", async () => {
  const { streams, open } = newsStreams();
  using _ = streams;
  const opened = Array.from({ length: 16 }, () => open("anna"));
  assert.ok(opened.every(({ status }) => status === 200));
  const refused = open("anna");
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "10");
  assert.equal(
    (await refused.json()).error,
    "Cannot show what is new: you have 16 pages open, as many as you may. Close one",
  );
  assert.equal(open("bert").status, 200);
  await opened[0]!.body!.cancel();
  assert.equal(open("anna").status, 200);
});
