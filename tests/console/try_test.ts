import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import type { LoadedConfig } from "../../src/config/load_config.ts";
import type { TryAnswer } from "../../src/console/api.ts";
import type { WorkerContext } from "../../src/console/worker/worker_context.ts";
import { tryNotifications } from "../../src/console/worker/try.ts";
import type { Plugin } from "../../src/model/plugin.ts";
import { when } from "../../src/wire/options/when.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { readSamples } from "../support/captures.ts";

const PLUGIN: Plugin = { notify() {}, preview: (detail) => JSON.stringify(detail) };
const METADATA = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`key ${index}`, "a".repeat(200)]));
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const EVENT_TYPE = "compute.instance.create.end";

function ask(text: string, plugin: Plugin = PLUGIN): Promise<TryAnswer> {
  const config = { events: { creation: [EVENT_TYPE], deletion: [] }, plugins: [] };
  const context = {
    loaded: { config } as unknown as LoadedConfig,
    plugins: new Map<string, Plugin>(["A", "B", "C", "D"].map((name) => [name, plugin])),
    clock: systemClock,
    random: Math.random,
    log: () => SILENT,
    withLedger: () => Promise.reject(new Error("not used")),
    onBackground() {},
  } satisfies WorkerContext;
  return tryNotifications({ query: {}, body: { text }, who: "anna (console)" }, context);
}

Deno.test("a try of many lines is refused before they are parsed", async () => {
  await assert.rejects(ask("x\n".repeat(20_001)), /^Refused: Cannot try this: it has more than 20000 lines\. Use /);
});

Deno.test("a try says which plugins would not be called, since their filters skip the event", async () => {
  const sample = readSamples().find(({ name }) => name === EVENT_TYPE);
  const text = JSON.stringify(sample!.sample.decoded_inner_message);
  const { results } = await ask(text, when({ name: "A", ...PLUGIN }, { subjects: ["floatingip"] }));
  assert.deepEqual(results[0]?.plugins.map(({ name, method, preview, error }) => [name, method, preview, error])[0], [
    "A",
    "none",
    null,
    null,
  ]);
});

Deno.test("a try names 1,000 refusals and then stops", async () => {
  const { refused } = await ask(`[${"1,".repeat(5000)}1]`);
  assert.equal(refused.length, 1001);
  assert.match(refused.at(-1)?.reason ?? "", /^not read: 1000 refusals are shown at most\. Use oss-watcher --dry-run/);
});

Deno.test("a try of much that is compressed well takes little memory", async () => {
  const body = JSON.stringify({ event_type: "x", message_id: "m", payload: { text: "a".repeat(1_000_000) } });
  const line = JSON.stringify({
    body_base64: deflateSync(body).toString("base64"),
    properties: { application_headers: { compression: "zlib" } },
  });
  const { results, refused } = await ask(`${line}\n`.repeat(200));
  assert.equal(results.length, 4);
  assert.equal(refused.length, 196);
  assert.match(refused[0]?.reason ?? "", /^the compressed bodies up to here unpack to more than is read at once$/);
});

Deno.test("a try whose results all have a large detail is cut off", async () => {
  const sample = readSamples().find(({ name }) => name === EVENT_TYPE);
  const inner = sample!.sample.decoded_inner_message as { payload: Record<string, unknown> };
  const text = Array.from({ length: 180 }, (_, index) =>
    JSON.stringify({
      ...inner,
      message_id: `m${index}`,
      payload: { ...inner.payload, instance_id: crypto.randomUUID(), metadata: METADATA },
    })).join("\n");
  const { results, refused } = await ask(text);
  assert.ok(results.length > 10 && results.length < 180, `${results.length} results`);
  assert.match(refused[0]?.reason ?? "", /^not read: 1000 results, or 16 MiB of them, are shown at most\. Use /);
});
