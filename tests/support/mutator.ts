import type { SeededRandom } from "./random.ts";

type Tree = unknown[] | Record<string, unknown>;

/** Breaks real bus bodies, as bytes or as JSON, always in the same way for the same seed. */
export class Mutator {
  readonly #random: SeededRandom;
  readonly #bodies: readonly Uint8Array[];
  readonly #messages: readonly string[];

  /** @param bodies raw bodies, with or without an envelope */
  constructor(random: SeededRandom, bodies: readonly string[]) {
    this.#random = random;
    this.#bodies = bodies.map((body) => encoder.encode(body));
    this.#messages = bodies.map((body) => JSON.parse(body)["oslo.message"] ?? body);
  }

  next(): Uint8Array {
    return this.#random.chance(0.6) ? this.mutateBytes(this.#random.pick(this.#bodies)) : this.#mutateJson();
  }

  /** One to three mutations that know nothing of what the bytes mean. */
  mutateBytes(bytes: Uint8Array): Uint8Array {
    let mutated = bytes;
    for (let count = 1 + this.#random.below(3); count > 0; count--) mutated = this.#mutateOnce(mutated);
    return mutated;
  }

  #mutateOnce(bytes: Uint8Array): Uint8Array {
    const random = this.#random;
    const at = random.below(bytes.byteLength + 1);
    const end = Math.min(bytes.byteLength, at + 1 + random.below(random.pick([2, 20, 400])));
    switch (random.below(8)) {
      case 0: // a bit
        return this.#with(bytes, [[at, (bytes[at] ?? 0) ^ (1 << random.below(8))]]);
      case 1: // any byte
        return this.#with(bytes, [[at, random.below(256)]]);
      case 2: // the end is missing
        return bytes.slice(0, at);
      case 3: // a range is missing
        return joined(bytes.subarray(0, at), bytes.subarray(end));
      case 4: // a range comes twice
        return joined(bytes.subarray(0, end), bytes.subarray(at));
      case 5: { // two bytes are swapped
        const other = random.below(bytes.byteLength);
        return this.#with(bytes, [[at, bytes[other] ?? 0], [other, bytes[at] ?? 0]]);
      }
      case 6: { // the rest is another message's
        const other = random.pick(this.#bodies);
        return joined(bytes.subarray(0, at), other.subarray(random.below(other.byteLength)));
      }
      default: // JSON's own characters in the middle
        return joined(bytes.subarray(0, at), encoder.encode(random.pick(TOKENS)), bytes.subarray(at));
    }
  }

  #with(bytes: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
    const changed = bytes.slice();
    for (const [at, byte] of changes) if (at < changed.byteLength) changed[at] = byte;
    return changed;
  }

  /** A message that is JSON still, with one to three of its values, keys or lists changed. */
  #mutateJson(): Uint8Array {
    const random = this.#random;
    const message = JSON.parse(random.pick(this.#messages));
    let raw: string | undefined;
    for (let count = 1 + random.below(3); count > 0; count--) {
      const { parent, key } = this.#place(message);
      const action = random.below(10);
      if (action < 6) this.#set(parent, { key, value: random.pick(VALUES)() });
      else if (action < 8) Array.isArray(parent) ? parent.splice(Number(key), 1) : delete parent[key];
      else if (action < 9) {
        this.#set(parent, { key: random.pick(KEYS), value: (parent as Record<string, unknown>)[key] });
      } else {
        this.#set(parent, { key, value: RAW });
        raw = random.pick(RAW_VALUES)();
      }
    }
    const written = JSON.stringify(message);
    const text = raw === undefined ? written : written.replaceAll(JSON.stringify(RAW), () => raw);
    const body = random.chance(0.5) ? text : JSON.stringify({ "oslo.version": "2.0", "oslo.message": text });
    return encoder.encode(body);
  }

  /** A place in the payload, as a rule; a step down is more likely than to stay. */
  #place(message: Record<string, unknown>): { readonly parent: Tree; readonly key: string } {
    const random = this.#random;
    let parent: Tree = message;
    let key = random.chance(0.9) && isTree(message["payload"]) ? "payload" : random.pick(Object.keys(message));
    for (;;) {
      const value: unknown = (parent as Record<string, unknown>)[key];
      if (!isTree(value) || random.chance(0.02)) return { parent, key };
      const keys = Object.keys(value);
      if (keys.length === 0) return { parent, key };
      [parent, key] = [value, random.pick(keys)];
    }
  }

  /** As JSON.parse would: `__proto__` is a key. */
  #set(parent: Tree, { key, value }: { readonly key: string; readonly value: unknown }): void {
    Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
  }
}

const encoder = new TextEncoder();

const TOKENS = [
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "null",
  "\\u0000",
  "\\ud800",
  '\\"',
  "\ufeff",
  "\0",
  "1e999",
  "\u2028",
];

const KEYS = [
  "__proto__",
  "constructor",
  "toString",
  "id",
  "port",
  "ports",
  "floatingip",
  "floatingips",
  "metadata",
  "payload",
  "",
  "0",
];

const VALUES: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1.5,
  () => 1e308,
  () => "",
  () => " ",
  () => "x",
  () => "\ud800",
  () => "\0",
  () => "__proto__",
  () => "constructor",
  () => "../../etc/passwd",
  () => "2026-02-30 00:00:00+00:00",
  () => "compute:zone-1",
  () => "port.delete.end",
  () => "x".repeat(20_000),
  () => [],
  () => [null],
  () => [[]],
  () => ["x", 7, { id: "x" }],
  () => [{ key: "a", value: "b" }, { key: {} }],
  () => ({}),
  () => ({ id: "x", floating_ip_address: "203.0.113.1", port_id: "y" }),
  () => ({ "nova_object.data": { uuid: "x" } }),
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":7}'),
];

/** Stands for a value that `JSON.stringify` would not write. */
const RAW = "raw value of the mutator";

const RAW_VALUES: readonly (() => string)[] = [
  () => "1e999",
  () => "-0",
  () => "123456789012345678901234567890",
  () => `"\\u0065\\ud83d"`,
  () => `{"a":1,"a":2,"__proto__":null}`,
  () => "[".repeat(90) + "]".repeat(90),
  () => "[".repeat(3000) + "]".repeat(3000),
  () => `${'{"a":'.repeat(3000)}1${"}".repeat(3000)}`,
];

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
