import assert from "node:assert/strict";
import { boundedPayload, partsOf } from "../../src/intake/bounded_payload.ts";
import {
  MAX_CHARACTERS,
  MAX_ITEMS,
  MAX_KEYS,
  MAX_RESOURCES,
  MAX_TEXT,
  PART_RESOURCES,
} from "../../src/model/bounds.ts";
import type { JsonObject, Notification } from "../../src/model/notification.ts";
import { readCapture } from "../support/captures.ts";
import { madeNotification } from "../support/made_events.ts";

const CREATE = "compute.instance.create.end";
const UPDATE = "floatingip.update.end";

Deno.test("boundedPayload() gives every payload of a real cloud back as it is", () => {
  for (const { body } of ["unversioned.jsonl", "versioned.jsonl"].flatMap((name) => readCapture(name))) {
    const { event_type: eventType, payload } = JSON.parse(JSON.parse(body)["oslo.message"]);
    const bounded = boundedPayload(eventType, payload);
    assert.equal(bounded.payload, payload);
    assert.deepEqual(bounded.cut, []);
  }
});

Deno.test("boundedPayload() leaves metadata of the largest size that Nova allows as it is", () => {
  const metadata = Object.fromEntries(numbers(128).map((n) => [`${n}`.padEnd(255, "k"), "ü".repeat(255)]));
  assert.deepEqual(boundedPayload(CREATE, { metadata }), { payload: { metadata }, cut: [] });
});

Deno.test("boundedPayload() takes a text of the greatest length and does not know a longer one", () => {
  const text = "x".repeat(MAX_TEXT);
  assert.deepEqual(boundedPayload(CREATE, { text }).payload, { text });
  assert.deepEqual(boundedPayload(CREATE, { text: `${text}x`, other: "y" }), {
    payload: { text: null, other: "y" },
    cut: ["a text of more than 16384 characters"],
  });
});

Deno.test("boundedPayload() keeps the first items of a list, and the first keys of an object", () => {
  const list = numbers(MAX_ITEMS + 1);
  assert.deepEqual(boundedPayload(CREATE, { list: list.slice(1) }).cut, []);
  assert.deepEqual(boundedPayload(CREATE, { list }), {
    payload: { list: list.slice(0, -1) },
    cut: ["items after the 256th of a list of 257"],
  });
  const keys = Object.fromEntries(numbers(MAX_KEYS + 1).map((n) => [`k${n}`, n]));
  const { payload, cut } = boundedPayload(CREATE, { keys });
  assert.equal(Object.keys(payload["keys"] as JsonObject).length, MAX_KEYS);
  assert.deepEqual(cut, ["keys after the 1024th of 1025"]);
});

Deno.test("boundedPayload() leaves out what comes behind the most characters of one resource", () => {
  const text = "x".repeat(MAX_TEXT);
  const count = MAX_CHARACTERS / MAX_TEXT;
  const { payload, cut } = boundedPayload(CREATE, Object.fromEntries(numbers(2 * count).map((n) => [`${n}`, text])));
  assert.equal(Object.keys(payload).length, count);
  assert.deepEqual(cut, ["everything after its first 131072 characters"]);
});

Deno.test("boundedPayload() bounds each resource of a bulk message by itself", () => {
  const floatingips = numbers(MAX_RESOURCES).map((n) => ({ id: `${n}`, description: "x".repeat(400) }));
  assert.deepEqual(boundedPayload(UPDATE, { floatingips }), { payload: { floatingips }, cut: [] });
  const long = { id: "long", description: "x".repeat(MAX_TEXT + 1) };
  assert.deepEqual(boundedPayload(UPDATE, { floatingips: [...floatingips, long], more: 1 }), {
    payload: { floatingips: [...floatingips, { ...long, description: null }], more: 1 },
    cut: ["a text of more than 16384 characters"],
  });
});

Deno.test("boundedPayload() takes __proto__ for a key like any other", () => {
  const payload = JSON.parse(`{"__proto__":{"x":1},"text":"${"x".repeat(MAX_TEXT + 1)}"}`);
  const bounded = boundedPayload(CREATE, payload).payload;
  assert.equal(JSON.stringify(bounded), '{"__proto__":{"x":1},"text":null}');
});

Deno.test("boundedPayload() keeps an id that stands behind more metadata than counts, in its place", () => {
  const metadata = Object.fromEntries(numbers(300).map((n) => [`key-${n}`, "x".repeat(1000)]));
  for (const wrap of [(data: JsonObject) => data, (data: JsonObject) => ({ "nova_object.data": data })]) {
    const { payload, cut } = boundedPayload(CREATE, wrap({ metadata, uuid: "a", host: null }));
    assert.deepEqual(cut, ["everything after its first 131072 characters"]);
    const data = (payload["nova_object.data"] ?? payload) as JsonObject;
    assert.deepEqual(Object.keys(data), ["metadata", "uuid"]);
    assert.equal(data["uuid"], "a");
  }
});

Deno.test("partsOf() leaves a message of few resources as it is", () => {
  for (const payload of [{ floatingip: { id: "f" } }, { floatingips: ids(PART_RESOURCES) }, { ports: ids(500) }]) {
    const told = notification(payload);
    assert.deepEqual(partsOf(told), [told]);
  }
});

Deno.test("partsOf() gives all resources of a message once, in order, in parts that know their place", () => {
  const floatingips = ids(2 * PART_RESOURCES + 1);
  const parts = partsOf(notification({ floatingips, floatingip_id: "x", more: "x" }));
  assert.deepEqual(parts.map(({ messageId }) => messageId), ["m", "m.2", "m.3"]);
  assert.deepEqual(parts.map(({ part }) => part), [1, 2, 3].map((number) => ({ number, of: 3 })));
  assert.deepEqual(parts.flatMap(({ payload }) => payload["floatingips"]), floatingips);
});

function notification(payload: JsonObject): Notification {
  return { ...madeNotification("m"), eventType: UPDATE, payload };
}

function ids(count: number): JsonObject[] {
  return numbers(count).map((n) => ({ id: `f${n}` }));
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}
