import assert from "node:assert/strict";
import fc from "fast-check";
import type { Delivered } from "../../../src/rabbitmq/consumer.ts";
import { DryRun } from "../../../src/runtime/dry_run.ts";
import { readDocuments } from "../../../src/runtime/documents.ts";
import { recordedLine } from "../../../src/inspect/record/recording.ts";
import { type CaptureLine, mergeByTime, readCapture, readSamples } from "../../support/captures.ts";

const CAPTURES = ["unversioned.jsonl", "versioned.jsonl", "monitoring.jsonl", "v1-no-envelope.jsonl"];

for (const capture of CAPTURES) {
  Deno.test(`recordedLine() keeps no token of ${capture}`, () => {
    const lines = readCapture(capture);
    const tokens = new Set(lines.flatMap(({ body }) => tokensIn(body)));
    const recorded = lines.map(record).join("\n");
    for (const token of tokens) assert.ok(!recorded.includes(token), `a token that begins with ${token.slice(0, 8)}`);
    assert.doesNotMatch(recorded, /gAAAA/);
  });
}

Deno.test("the captures do hold tokens, or the tests above prove nothing", () => {
  const tokens = CAPTURES.flatMap(readCapture).flatMap(({ body }) => tokensIn(body));
  assert.ok(tokens.length > 5);
});

for (
  const { name, lines } of [
    { name: "the whole run", lines: mergeByTime(...CAPTURES.slice(0, 3).map(readCapture)) },
    { name: "the run without envelopes", lines: readCapture("v1-no-envelope.jsonl") },
  ]
) {
  Deno.test(`a dry run of the recording of ${name} is the same as one of the original`, async () => {
    const recording = lines.map(record).join("\n");
    const original = lines.map((line) => JSON.stringify(line)).join("\n");
    assert.deepEqual(await eventsOf(recording), await eventsOf(original));
  });
}

Deno.test("recordedLine() keeps of a context what is read of it", async () => {
  for (const { sample } of readSamples()) {
    const line = record({ ...sample, body: sample.wire_body });
    const [one] = await readDocuments(new TextEncoder().encode(line));
    const [other] = await readDocuments(new TextEncoder().encode(JSON.stringify(sample)));
    assert.ok(
      one !== undefined && "notification" in one.decoded && other !== undefined && "notification" in other.decoded,
    );
    const { payload: _payload, ...facts } = one.decoded.notification;
    const { payload: _other, ...expected } = other.decoded.notification;
    assert.deepEqual(facts, expected);
  }
});

Deno.test("recordedLine() finds a secret at any depth, under any secret name, and in texts", () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9]{20,30}$/).map((text) => `S3${text}`);
  const hidden = fc.constantFrom<(secret: string) => unknown>(
    (text) => ({ auth_token: text }),
    (text) => ({ adminPass: text }),
    (text) => ({ "X-Auth-Token": [{ deep: text }] }),
    (text) => ({ _context_service_catalog: text }),
    (text) => ({ _context_anything: { at: text } }),
    (text) => ({ user_data: text }),
    (text) => ({ service_catalog: [{ url: text }] }),
    (text) => ({ note: `failed with token=${text}` }),
    (text) => ({ note: `https://user:${text}@host/` }),
    (text) => ({ note: `{'auth_token': '${text}'}` }),
    (text) => ({ note: `seen gAAAAA${text}${text} there` }),
  );
  fc.assert(fc.property(secret, hidden, fc.boolean(), fc.integer({ min: 0, max: 5 }), (text, hide, envelope, depth) => {
    let payload = hide(text);
    for (let level = 0; level < depth; level++) payload = level % 2 === 0 ? { level: payload } : { list: [payload] };
    const message = JSON.stringify({ message_id: "m", event_type: "t", payload });
    const body = envelope ? JSON.stringify({ "oslo.version": "2.0", "oslo.message": message }) : message;
    assert.ok(
      !record({ exchange: "nova", routing_key: "notifications.info", redelivered: false, body }).includes(text),
    );
  }));
});

Deno.test("recordedLine() refuses what it cannot read", () => {
  const body = new TextEncoder().encode(`{"auth_token": "gAAAAA"`);
  assert.deepEqual(recordedLine(delivered(body), 0), { refused: "not JSON" });
});

function record(
  { exchange, routing_key, redelivered = false, body }: Pick<CaptureLine, "exchange" | "routing_key" | "body"> & {
    readonly redelivered?: boolean;
  },
): string {
  const recorded = recordedLine({
    ...delivered(new TextEncoder().encode(body)),
    exchange,
    routingKey: routing_key,
    redelivered,
  }, 0);
  assert.ok("line" in recorded, JSON.stringify(recorded));
  assert.doesNotMatch(recorded.line, /\n/);
  return recorded.line;
}

function delivered(body: Uint8Array): Delivered {
  const channel = { open: true, prefetch: 1, ackThrough: () => {} };
  return { tag: 1, body, exchange: "", routingKey: "", redelivered: false, compression: null, channel };
}

/** Everything that looks like one of Keystone's tokens, and every value that is called one. */
function tokensIn(body: string): string[] {
  const found = [...body.matchAll(/gAAAA[\w-]{20,}={0,2}/g)].map(([token]) => token);
  const named = [...body.matchAll(/auth_token[\\"]+: [\\"]+([^\\"]+)/g)].map(([, token = ""]) => token);
  return [...found, ...named].filter((token) => token !== "");
}

async function eventsOf(text: string) {
  const events = {
    creation: ["instance.create.end", "floatingip.update.end"],
    deletion: ["instance.delete.end", "floatingip.update.end"],
  } as const;
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const run = new DryRun({ config: { events, plugins: [] }, plugins: new Map(), log: () => silent });
  const results = [];
  for (const { decoded } of await readDocuments(new TextEncoder().encode(text))) {
    assert.ok("notification" in decoded);
    const { events, outcome, reason } = await run.take(decoded.notification);
    results.push({ events, outcome, reason });
  }
  return results;
}
