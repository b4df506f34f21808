/**
 * Messages of at most 1 MiB that hold as much as they can of one thing: what a service may not multiply.
 *
 * @module
 */

import { deflateSync } from "node:zlib";
import { readSamples } from "./captures.ts";

/** The largest body that intake reads. */
export const MEBIBYTE = 1024 * 1024;

/** A message as the broker delivers it. */
export interface Body {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly compression: string | null;
}

/** What is weighed: messages that must be cheap whatever came before. */
export interface HeavyCase {
  readonly name: string;
  /** What is there when they come; not weighed. */
  readonly before?: () => Iterable<Body>;
  /** Takes too long to prepare for a test. @default false */
  readonly isLong?: boolean;
  /** One message as a rule. */
  readonly messages: () => readonly Body[];
}

type Fields = Readonly<Record<string, unknown>>;

const SAMPLES = new Map(readSamples().map(({ name, sample }) => [name, sample.decoded_inner_message]));
const SERVER = "5e4e4000-0000-4000-8000-000000000001";
const PORT = "90470000-0000-4000-8000-000000000001";
const encoder = new TextEncoder();
let messages = 0;

/** A recorded notification with other fields in its payload, as the driver `messagingv2` wraps it. */
export function told(sample: string, payload: (recorded: Fields) => Fields, outer: Fields = {}): Body {
  const recorded = SAMPLES.get(sample) as Fields;
  const number = String(++messages).padStart(12, "0");
  const inner = JSON.stringify({
    ...recorded,
    message_id: `00000000-0000-4000-8000-${number}`,
    payload: payload(recorded["payload"] as Fields),
    ...outer,
  });
  return plain(JSON.stringify({ "oslo.version": "2.0", "oslo.message": inner }));
}

/** As {@linkcode told}, with as many items as fit into 1 MiB. */
export function filled(sample: string, payload: (count: number, recorded: Fields) => Fields, most = 1e6): Body {
  const sizeOf = (count: number) => told(sample, (recorded) => payload(count, recorded)).body.byteLength;
  const few = Math.min(most, 200);
  const perItem = (sizeOf(few) - sizeOf(0)) / few;
  let count = Math.min(most, Math.floor((MEBIBYTE - sizeOf(0)) / perItem));
  // Numbers in the items grow longer with the count.
  for (;;) {
    const body = told(sample, (recorded) => payload(count, recorded));
    if (body.body.byteLength <= MEBIBYTE) return body;
    count = Math.floor(count * 0.97);
  }
}

function plain(text: string): Body {
  return { body: encoder.encode(text), compression: null };
}

export function zlib({ body }: Body): Body {
  return { body: new Uint8Array(deflateSync(body)), compression: "application/x-gzip" };
}

function items<Item>(count: number, make: (number: number) => Item): Item[] {
  return Array.from({ length: count }, (_, number) => make(number));
}

function ip(number: number, network = 10): string {
  return `${network}.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
}

function id(kind: string, number: number): string {
  return `${kind.padEnd(8, "0")}-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

/** As much as a port of one server says of itself. */
function bound(port = PORT, server = SERVER): Fields {
  return { id: port, device_id: server, device_owner: "compute:nova", fixed_ips: [{ ip_address: "10.0.0.1" }] };
}

function floatingIp(number: number, port = PORT): Fields {
  return { id: id("f1", number), floating_ip_address: ip(number, 100), port_id: port, fixed_ip_address: "10.0.0.1" };
}

function server(more: Fields = {}, sample = "compute.instance.create.end", serverId = SERVER): Body {
  return told(sample, (recorded) => ({ ...recorded, instance_id: serverId, ...more }));
}

const portIsThere = () => [told("port.update.end", () => ({ port: bound() }))];

function floatingIpsOneByOne(count: number): () => Iterable<Body> {
  return function* () {
    yield* portIsThere();
    for (let number = 0; number < count; number++) {
      yield told("floatingip.update.end.associate", () => ({ floatingip: floatingIp(number) }));
    }
  };
}

/** Metadata of as many bytes as 1 MiB holds. */
function metadata(count: number): Fields {
  return Object.fromEntries(items(count, (number) => [`k${number}`, "v"]));
}

const create = "compute.instance.create.end";
const created = "instance.create.end";
const update = "floatingip.update.end.associate";

function versioned(recorded: Fields, more: Fields): Fields {
  const data = recorded["nova_object.data"] as Fields;
  return { ...recorded, "nova_object.data": { ...data, uuid: SERVER, ...more } };
}

/** One message whose text is `text` so often that 1 MiB is full. */
function long(sample: string, unit: string, payload: (text: string, recorded: Fields) => Fields): Body {
  return filled(sample, (count, recorded) => payload(unit.repeat(count), recorded));
}

export const HEAVY_CASES: readonly HeavyCase[] = [
  {
    name: "thousands of floating IPs on one port",
    before: portIsThere,
    messages: () => [filled(update, (count) => ({ floatingips: items(count, (n) => floatingIp(n)) }), 8850)],
  },
  {
    name: "the same, compressed with zlib",
    before: portIsThere,
    messages: () => [zlib(filled(update, (count) => ({ floatingips: items(count, (n) => floatingIp(n)) }), 8850))],
  },
  {
    name: "2,000 floating IPs on one port",
    before: portIsThere,
    messages: () => [filled(update, (count) => ({ floatingips: items(count, (n) => floatingIp(n)) }), 2000)],
  },
  {
    name: "1,999 floating IPs on as many servers",
    messages: () => [filled(update, (count) => ({
      floatingips: items(count, (n) => ({
        ...floatingIp(n, id("90", n)),
        port_details: { device_owner: "compute:nova", device_id: id("5e", n) },
      })),
    }), 1999)],
  },
  {
    name: "as many move to another port",
    before: () => [
      told("port.update.end", () => ({ ports: items(1999, (n) => bound(id("91", n), id("5f", n))) })),
      filled(update, (count) => ({
        floatingips: items(count, (n) => ({
          ...floatingIp(n, id("90", n)),
          port_details: { device_owner: "compute:nova", device_id: id("5e", n) },
        })),
      }), 1999),
    ],
    messages: () => [
      filled(update, (count) => ({ floatingips: items(count, (n) => floatingIp(n, id("91", n))) }), 1999),
    ],
  },
  {
    name: "the shortest floating IPs",
    before: portIsThere,
    messages: () => [filled(update, (count) => ({
      floatingips: items(count, (n) => ({ id: `${n}`, floating_ip_address: `${n}`, port_id: PORT })),
    }))],
  },
  {
    name: "floating IPs of a server with 90,000 metadata keys",
    before: () => [
      ...portIsThere(),
      filled(create, (count, recorded) => ({ ...recorded, instance_id: SERVER, metadata: metadata(count) }), 90_000),
    ],
    messages: () => [filled(update, (count) => ({ floatingips: items(count, (n) => floatingIp(n)) }), 2000)],
  },
  {
    name: "floating IPs of as many servers with the largest metadata",
    isLong: true,
    before: function* () {
      const largest = Object.fromEntries(items(128, (n) => [`${n}`.padEnd(255, "k"), "v".repeat(255)]));
      for (let n = 0; n < 2000; n++) yield server({ metadata: largest }, create, id("5e", n));
    },
    messages: () => [filled(update, (count) => ({
      floatingips: items(count, (n) => ({
        ...floatingIp(n, id("90", n)),
        port_details: { device_owner: "compute:nova", device_id: id("5e", n) },
      })),
    }), 2000)],
  },
  {
    name: "floating IPs of a server with thousands of ports",
    before: () => [
      ...portIsThere(),
      filled("port.update.end", (count) => ({ ports: items(count, (n) => bound(id("90", n))) }), 2000),
      filled("port.update.end", (count) => ({ ports: items(count, (n) => bound(id("91", n))) }), 2000),
    ],
    messages: () => [filled(update, (count) => ({ floatingips: items(count, (n) => floatingIp(n)) }), 2000)],
  },
  {
    name: "floating IPs of a port with thousands of addresses",
    before: () => [filled("port.update.end", (count) => ({
      port: { ...bound(), fixed_ips: items(count, (n) => ({ ip_address: ip(n) })) },
    }))],
    messages: () => [filled(update, (count) => ({ floatingips: items(count, (n) => floatingIp(n)) }), 2000)],
  },
  {
    name: "one more floating IP of a server that has 3,000",
    before: floatingIpsOneByOne(3000),
    messages: () => [told(update, () => ({ floatingip: floatingIp(3001) }))],
  },
  {
    name: "the deletion of a server with 3,000 floating IPs",
    before: floatingIpsOneByOne(3000),
    messages: () => [server({}, "compute.instance.delete.end")],
  },
  {
    name: "the deletion of a port with 3,000 floating IPs",
    before: floatingIpsOneByOne(3000),
    messages: () => [told("port.delete.end", () => ({ port: bound(), port_id: PORT }))],
  },
  {
    name: "twenty such messages at once",
    before: () => items(20, (port) => told("port.update.end", () => ({ port: bound(id("91", port)) }))),
    messages: () =>
      items(20, (port) =>
        filled(update, (count) => ({
          floatingips: items(count, (n) => floatingIp(10_000 * port + n, id("91", port))),
        }), 2000)),
  },
  {
    name: "300,000 empty objects",
    messages: () => [filled(create, (count, recorded) => ({ ...recorded, more: items(count, () => ({})) }))],
  },
  {
    name: "300,000 empty objects as floating IPs",
    before: portIsThere,
    messages: () => [filled(update, (count) => ({ floatingips: [floatingIp(1), ...items(count, () => ({}))] }))],
  },
  {
    name: "300,000 empty objects as ports",
    messages: () => [filled("port.update.end", (count) => ({ ports: [bound(), ...items(count, () => ({}))] }))],
  },
  {
    name: "300,000 empty objects as fixed addresses",
    messages: () => [
      filled(create, (count, recorded) => ({ ...recorded, fixed_ips: items(count, () => ({})) })),
    ],
  },
  {
    name: "300,000 empty objects as metadata",
    messages: () => [filled(create, (count, recorded) => ({ ...recorded, metadata: items(count, () => ({})) }))],
  },
  {
    name: "500,000 empty lists",
    messages: () => [filled(create, (count, recorded) => ({ ...recorded, more: items(count, () => []) }))],
  },
  {
    name: "90,000 metadata keys",
    messages: () => [filled(create, (count, recorded) => ({ ...recorded, metadata: metadata(count) }))],
  },
  {
    name: "90,000 metadata keys in the newer format",
    messages: () => [filled(created, (count, recorded) => versioned(recorded, { metadata: metadata(count) }))],
  },
  {
    name: "metadata as a list",
    messages: () => [filled(create, (count, recorded) => ({
      ...recorded,
      metadata: items(count, (n) => ({ key: `${n}`, value: "" })),
    }))],
  },
  {
    name: "numbers that are longer when written",
    messages: () => [plain(numbers())],
  },
  {
    name: "100,000 levels",
    messages: () => [plain(nested("[", "]", 100_000))],
  },
  {
    name: "60,000 levels of objects",
    messages: () => [plain(nested('{"a":', "}", 60_000))],
  },
  {
    name: "99 levels, thousands of times",
    messages: () => [filled(create, (count, recorded) => ({
      ...recorded,
      more: items(count, () => JSON.parse("[".repeat(90) + "]".repeat(90))),
    }))],
  },
  {
    name: "thousands of ports of one new server",
    messages: () => [filled(created, (count, recorded) =>
      versioned(recorded, {
        ip_addresses: items(count, (n) => ({
          "nova_object.data": { port_uuid: id("90", n), address: ip(n), mac: "fa:16:3e:00:00:01" },
        })),
      }))],
  },
  {
    name: "thousands of fixed addresses of one server",
    messages: () => [filled(create, (count, recorded) => ({
      ...recorded,
      instance_id: SERVER,
      fixed_ips: items(count, (n) => ({ address: ip(n) })),
    }))],
  },
  {
    name: "the deletion of a server with thousands of fixed addresses",
    before: () => [filled(create, (count, recorded) => ({
      ...recorded,
      instance_id: SERVER,
      fixed_ips: items(count, (n) => ({ address: ip(n) })),
    }))],
    messages: () => [server({}, "compute.instance.delete.end")],
  },
  {
    name: "a second message of a server with thousands of fixed addresses",
    before: () => [filled(create, (count, recorded) => ({
      ...recorded,
      instance_id: SERVER,
      fixed_ips: items(count, (n) => ({ address: ip(n) })),
    }))],
    messages: () => [filled(create, (count, recorded) => ({
      ...recorded,
      instance_id: SERVER,
      fixed_ips: items(count, (n) => ({ address: ip(count - n) })),
    }))],
  },
  {
    name: "floating addresses in a server's own message",
    messages: () => [filled(create, (count, recorded) => ({
      ...recorded,
      fixed_ips: [{ address: "10.0.0.1", floating_ips: items(count, (n) => ({ address: ip(n) })) }],
    }))],
  },
  {
    name: "a port with thousands of addresses",
    messages: () => [filled("port.update.end", (count) => ({
      port: { ...bound(), fixed_ips: items(count, (n) => ({ ip_address: ip(n) })) },
    }))],
  },
  {
    name: "thousands of ports",
    messages: () => [filled("port.update.end", (count) => ({ ports: items(count, (n) => bound(`${n}`)) }))],
  },
  {
    name: "thousands of deleted ports",
    messages: () => [filled("port.delete.end", (count) => ({ ports: items(count, (n) => bound(`${n}`)) }))],
  },
  {
    name: "a hostname of 1 MB",
    messages: () => [long(create, "x", (text, recorded) => ({ ...recorded, hostname: text }))],
  },
  {
    name: "a description of controls",
    messages: () => [long(created, "\x01", (text, recorded) => versioned(recorded, { display_description: text }))],
  },
  {
    name: "half a million additional users",
    messages: () => [
      long(create, "a,", (text, recorded) => ({ ...recorded, metadata: { additional_users: text } })),
    ],
  },
  {
    name: "a floating address of 1 MB",
    before: portIsThere,
    messages: () => [
      long(update, "1", (text) => ({ floatingip: { id: "x", floating_ip_address: text, port_id: PORT } })),
    ],
  },
  {
    name: "a floating IP's id of 1 MB",
    before: portIsThere,
    messages: () => [
      long(update, "1", (text) => ({ floatingip: { id: text, floating_ip_address: "1", port_id: PORT } })),
    ],
  },
  {
    name: "a server's id of 1 MB",
    messages: () => [long(create, "1", (text, recorded) => ({ ...recorded, instance_id: text }))],
  },
  {
    name: "a message id of 1 MB",
    messages: () => [told(create, (recorded) => recorded, { message_id: "x".repeat(1_000_000) })],
  },
  {
    name: "an image reference of slashes",
    messages: () => [long(create, "/", (text, recorded) => ({ ...recorded, image_ref_url: text }))],
  },
  {
    name: "an unwanted message of event types",
    messages: () => [plain(`[${'{"event_type":"x"},'.repeat(54_000)}0]`)],
  },
  {
    name: "a text of quotes and backslashes",
    messages: () => [plain(`"event_type${"\\".repeat(1_000_000)}"`)],
  },
  {
    name: "half a million blanks behind event types",
    messages: () => [plain(`"event_type${" ".repeat(1_000_000)}"`)],
  },
];

/** `1e20` is 4 bytes; written again it is 21. */
function numbers(): string {
  const { body } = told(create, (recorded) => ({ ...recorded, metadata: { numbers: "HERE" } }));
  const text = new TextDecoder().decode(body);
  return text.replace(String.raw`\"HERE\"`, `[${"1e20,".repeat(200_000)}0]`);
}

function nested(open: string, close: string, levels: number): string {
  const message = JSON.stringify({ ...SAMPLES.get(create), payload: "HERE" });
  return message.replace('"HERE"', () => `{"instance_id":"x","deep":${open.repeat(levels)}0${close.repeat(levels)}}`);
}
