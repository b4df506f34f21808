import assert from "node:assert/strict";
import fc from "fast-check";
import { WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import { isUnwanted } from "../../src/intake/classify.ts";
import { decodeBody } from "../../src/intake/envelope.ts";
import type { Json } from "../../src/model/notification.ts";
import { readCapture, readSamples } from "../support/captures.ts";
import { SeededRandom } from "../support/random.ts";

for (
  const { name, lines, wanted } of [
    // Counted with Python's json.
    { name: "unversioned.jsonl", lines: 1018, wanted: 186 },
    { name: "versioned.jsonl", lines: 683, wanted: 56 },
    { name: "monitoring.jsonl", lines: 177, wanted: 84 },
    { name: "v1-no-envelope.jsonl", lines: 525, wanted: 91 },
  ]
) {
  Deno.test(`isUnwanted() finds every unwanted message of ${name}, and no wanted one`, () => {
    const bodies = readCapture(name).map(({ body }) => encode(body));
    assert.equal(bodies.length, lines);
    const found = bodies.filter((body) => isUnwanted(body, WATCHED_EVENT_TYPES));
    assert.equal(found.length, lines - wanted);
    for (const body of bodies) {
      assert.equal(isUnwanted(body, WATCHED_EVENT_TYPES), !WATCHED_EVENT_TYPES.has(typeOf(body)!));
    }
  });
}

Deno.test("isUnwanted() agrees with decoding on every sample", () => {
  for (const { name, sample } of readSamples()) {
    const body = encode(sample.wire_body);
    assert.equal(isUnwanted(body, WATCHED_EVENT_TYPES), !WATCHED_EVENT_TYPES.has(typeOf(body)!), name);
  }
});

const CERTAIN = [
  ["a plain body", '{"event_type":"image.update"}'],
  ["blanks around the colon", '{ "event_type"  :  "image.update" }'],
  ["an envelope", String.raw`{"oslo.version":"2.0","oslo.message":"{\"event_type\": \"image.update\"}"}`],
  ["another unwanted type in the payload", '{"payload":{"event_type":"x"},"event_type":"image.update"}'],
  [
    "a type inside a text inside the envelope",
    String
      .raw`{"oslo.version":"2.0","oslo.message":"{\"event_type\":\"image.update\",\"payload\":{\"raw\":\"{\\\"event_type\\\":\\\"x\\\"}\"}}"}`,
  ],
  ["a wanted type as another key's value", '{"event_type":"image.update","payload":{"a":"port.delete.end"}}'],
  ["a wanted type as a key", '{"event_type":"image.update","payload":{"port.delete.end":1}}'],
  ["letters beyond ASCII, escaped", String.raw`{"event_type":"image.update","payload":{"a":"Z\u00fcrich \u2603"}}`],
] as const;

for (const [what, text] of CERTAIN) {
  Deno.test(`isUnwanted() is certain of ${what}`, () => assert.ok(isUnwanted(encode(text), WATCHED_EVENT_TYPES)));
}

const UNCERTAIN = [
  ["no event_type", '{"message_id":"1"}'],
  ["nothing", ""],
  ["a wanted type", '{"event_type":"port.delete.end"}'],
  ["a wanted type after an unwanted one", '{"event_type":"image.update","event_type":"port.delete.end"}'],
  ["a wanted type in the payload only", '{"event_type":"image.update","payload":{"event_type":"port.delete.end"}}'],
  ["a line break after the key", '{"event_type"\n:"image.update"}'],
  ["a number as the type", '{"event_type":7}'],
  ["null as the type", '{"event_type":null}'],
  ["event_type as a value", '{"a":"event_type","b":"image.update"}'],
  ["an escape in the value", String.raw`{"event_type":"port.delete\u002eend"}`],
  ["a body that ends in the value", '{"event_type":"image.upd'],
  ["a body that ends in the key", '{"event_type'],
  ["UTF-16", '{\0"\0e\0v\0e\0n\0t\0_\0t\0y\0p\0e\0"\0:\0"\0x\0"\0}\0'],
  // What the key could be hidden with, behind an event_type that can be seen.
  ["an escape in the key", hiding(String.raw`"event\u005ftype":"port.delete.end"`)],
  ["an escaped letter in the key", hiding(String.raw`"\u0065vent_type":"port.delete.end"`)],
  ["an escape in capitals in the key", hiding(String.raw`"event\u005Ftype":"port.delete.end"`)],
  ["an escape in the envelope's text", hiding(String.raw`\"event\u005ftype\":\"port.delete.end\"`)],
  ["an escaped escape in the envelope's text", hiding(String.raw`\"event\\u005ftype\":\"port.delete.end\"`)],
  ["an escaped backslash before an escape", hiding(String.raw`\"event\u005cu005ftype\":\"port.delete.end\"`)],
  ["an escaped u in an escape", hiding(String.raw`\"event\\\u0075005ftype\":\"port.delete.end\"`)],
  ["an escaped digit in an escape", hiding(String.raw`\"event\\u\u003005ftype\":\"port.delete.end\"`)],
] as const;

for (const [what, text] of UNCERTAIN) {
  Deno.test(`isUnwanted() leaves to the decoder ${what}`, () => {
    assert.equal(isUnwanted(encode(text), WATCHED_EVENT_TYPES), false);
  });
}

Deno.test("isUnwanted() says true of nothing that decodes to a wanted type, however it is written", () => {
  let unwanted = 0;
  let wanted = 0;
  fc.assert(
    fc.property(fc.nat(0xffffffff), (seed) => {
      const body = encode(new Writer(new SeededRandom(seed)).body());
      const type = typeOf(body);
      assert.notEqual(type, undefined, "the writer writes what decodes");
      if (WATCHED_EVENT_TYPES.has(type!)) wanted++;
      if (isUnwanted(body, WATCHED_EVENT_TYPES)) {
        unwanted++;
        assert.ok(!WATCHED_EVENT_TYPES.has(type!), new TextDecoder().decode(body));
      }
    }),
    { numRuns: 5000 },
  );
  // The property would hold of a function that never says true.
  assert.ok(unwanted > 200 && wanted > 200, `${unwanted} found unwanted, ${wanted} wanted`);
});

Deno.test("isUnwanted() takes a view into a larger buffer for what it is", () => {
  const text = encode('"event_type":"port.delete.end"|{"event_type":"image.update"}|"event_type":"port.delete.end"');
  const view = text.subarray(31, text.byteLength - 31);
  assert.equal(new TextDecoder().decode(view), '{"event_type":"image.update"}');
  assert.ok(isUnwanted(view, WATCHED_EVENT_TYPES));
});

/** Writes one notification in any of the ways in which JSON can be written. */
class Writer {
  readonly #random: SeededRandom;
  /** How often a character that needs no escape gets one. */
  readonly #escapes: number;
  readonly #blanks: readonly string[];

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#escapes = random.pick([0, 0, 0.02, 0.3]);
    this.#blanks = random.pick([[""], ["", " "], ["", " ", "\n", "\t", "\r\n"]]);
  }

  body(): string {
    const message = this.#object(this.#message());
    if (this.#random.chance(0.4)) return message;
    return this.#object([["oslo.version", "2.0"], ["oslo.message", message]]);
  }

  #message(): [string, Json][] {
    const random = this.#random;
    const members: [string, Json][] = [
      ["message_id", "m"],
      ["event_type", random.pick(TYPES)],
      ["payload", this.#decoys(2)],
      ["publisher_id", random.pick(["a", ...TYPES])],
    ];
    if (random.chance(0.2)) members.push(["event_type", random.pick(TYPES)]);
    if (random.chance(0.2)) members.push(["_context_roles", this.#decoys(1)]);
    return random.shuffled(members);
  }

  #decoys(depth: number): Json {
    const random = this.#random;
    const members: [string, Json][] = [];
    const member = () => random.pick(["event_type", "old_event_type", "a", "event_type\\", 'x"event_type', "Zürich"]);
    for (let count = random.below(4); count > 0; count--) {
      const value = depth > 0 && random.chance(0.3)
        ? this.#decoys(depth - 1)
        : random.pick<Json>([...TYPES, 7, null, ["event_type", "port.delete.end"], '"event_type": "port.delete.end"']);
      members.push([member(), value]);
    }
    if (random.chance(0.3)) members.push(["text", this.#object(members)]);
    return Object.fromEntries(members);
  }

  #object(members: readonly (readonly [string, Json])[]): string {
    const written = members.map(([key, value]) =>
      `${this.#text(key)}${this.#blank()}:${this.#blank()}${this.#value(value)}`
    );
    return `{${written.map((one) => this.#blank() + one + this.#blank()).join(",")}}`;
  }

  #value(value: Json): string {
    if (typeof value === "string") return this.#text(value);
    if (Array.isArray(value)) return `[${value.map((one) => this.#value(one)).join(",")}]`;
    if (typeof value === "object" && value !== null) return this.#object(Object.entries(value));
    return JSON.stringify(value);
  }

  #text(text: string): string {
    const written = text.split("").map((character) => {
      const needed = JSON.stringify(character).slice(1, -1);
      if (needed.length === 1 && !this.#random.chance(this.#escapes)) return needed;
      if (needed.length === 2 && !this.#random.chance(this.#escapes)) return needed;
      const code = character.charCodeAt(0).toString(16).padStart(4, "0");
      return `\\u${this.#random.chance(0.5) ? code : code.toUpperCase()}`;
    });
    return `"${written.join("")}"`;
  }

  #blank(): string {
    return this.#random.pick(this.#blanks);
  }
}

const TYPES = ["port.delete.end", "compute.instance.create.end", "image.update", "compute.instance.update", "x", ""];

/** A message whose visible event_type is unwanted. */
function hiding(member: string): string {
  return member.startsWith("\\")
    ? String.raw`{"oslo.version":"2.0","oslo.message":"{\"payload\":{\"event_type\":\"x\"},${member}}"}`
    : `{"payload":{"event_type":"x"},${member}}`;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The event type as the whole JSON says; "" for none. */
function typeOf(body: Uint8Array): string | undefined {
  const decoded = decodeBody(body);
  if ("notification" in decoded) return decoded.notification.eventType;
  return decoded.refused === "no event_type" ? "" : undefined;
}
