import type { SeededRandom } from "./random.ts";

type Tree = unknown[] | Record<string, unknown>;

const MEBIBYTE = 1024 * 1024;

/** Makes real messages heavy: one of their lists, objects or texts is multiplied until 1 MiB is nearly full. The same for the same seed. */
export class Multiplier {
  readonly #random: SeededRandom;
  readonly #messages: readonly string[];
  #number = 0;

  /** @param messages notifications without their envelope, as JSON */
  constructor(random: SeededRandom, messages: readonly string[]) {
    this.#random = random;
    this.#messages = messages;
  }

  next(): Uint8Array<ArrayBuffer> {
    for (let room = MEBIBYTE;; room *= 0.8) {
      const body = this.#make(room);
      if (body.byteLength <= MEBIBYTE) return body;
    }
  }

  #make(room: number): Uint8Array<ArrayBuffer> {
    const message = JSON.parse(this.#random.pick(this.#messages));
    message.message_id = `heavy-${this.#number++}`;
    // Several things that grow at once are what products are made of.
    const shares = 1 + this.#random.below(3);
    for (let share = 0; share < shares; share++) this.#multiply(message.payload, Math.floor(room / shares));
    const text = JSON.stringify({ "oslo.version": "2.0", "oslo.message": JSON.stringify(message) });
    return new TextEncoder().encode(text);
  }

  #multiply(payload: Tree, room: number): void {
    const trees = [...treesIn(payload)];
    const bulk = trees.find((tree) => !Array.isArray(tree) && ("floatingip" in tree || "port" in tree));
    if (bulk !== undefined && this.#random.chance(0.4)) return this.#makeBulk(bulk as Record<string, unknown>, room);
    const tree = this.#random.pick(trees);
    if (Array.isArray(tree)) this.#fillList(tree, room);
    else this.#fillObject(tree, room);
  }

  /** The form of a bulk request, with as many resources as fit. */
  #makeBulk(payload: Record<string, unknown>, room: number): void {
    const key = "floatingip" in payload ? "floatingip" : "port";
    const one = payload[key];
    const share = this.#random.chance(0.5);
    delete payload[key];
    payload[`${key}s`] = this.#copies(one, room / (this.#random.chance(0.5) ? 1 : 4)).map((copy, number) =>
      // Of one port and one server, or each of its own.
      share && key === "floatingip"
        ? { ...copy as object, port_id: (one as { port_id: unknown }).port_id, number }
        : copy
    );
  }

  #fillList(list: unknown[], room: number): void {
    const item = list.length > 0 ? this.#random.pick(list) : this.#random.pick(ITEMS);
    list.push(...this.#copies(item, room));
  }

  #fillObject(object: Record<string, unknown>, room: number): void {
    const keys = Object.keys(object);
    const key = keys.length > 0 ? this.#random.pick(keys) : "x";
    const value = object[key];
    if (typeof value === "string" && this.#random.chance(0.4)) {
      object[key] = `${value || "x"},`.repeat(Math.ceil(room / (value.length + 2)));
    } else if (this.#random.chance(0.5)) {
      object[key] = this.#copies(this.#random.pick(ITEMS), room);
    } else {
      const entries = this.#copies(value ?? null, room).map((copy, number) => [`${key}${number}`, copy] as const);
      Object.assign(object, Object.fromEntries(entries));
    }
  }

  /** Copies of a value that fill so many characters, each with ids and addresses of its own, as a rule. */
  #copies(value: unknown, room: number): unknown[] {
    const text = JSON.stringify(value) ?? "null";
    const count = Math.max(1, Math.floor(room / (text.length + 8)));
    const same = this.#random.chance(0.2);
    return Array.from({ length: count }, (_, number) => same ? JSON.parse(text) : JSON.parse(numbered(text, number)));
  }
}

/** The ends of UUIDs and of IPv4 addresses say which copy it is. */
function numbered(text: string, number: number): string {
  const tail = number.toString(16).padStart(8, "0");
  return text
    .replace(/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4})[0-9a-f]{8}/g, `$1${tail}`)
    .replace(/\b(\d{1,3}\.)\d{1,3}\.\d{1,3}\.\d{1,3}\b/g, `$1${number >> 16}.${(number >> 8) & 255}.${number & 255}`);
}

function* treesIn(value: unknown): Generator<Tree> {
  if (typeof value !== "object" || value === null) return;
  yield value as Tree;
  for (const part of Object.values(value)) yield* treesIn(part);
}

const ITEMS: readonly unknown[] = [
  {},
  [],
  null,
  "",
  "x",
  { key: "k", value: "v" },
  { address: "10.0.0.1", type: "fixed", floating_ips: [{ address: "100.0.0.1" }] },
  { ip_address: "10.0.0.1" },
  { "nova_object.data": { port_uuid: "90000000-0000-4000-8000-000000000000", address: "10.0.0.1" } },
];
