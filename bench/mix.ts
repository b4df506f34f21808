// The traffic of the bench: a capture of a real cloud, repeated with other servers, ports,
// addresses and projects each time.
import { Buffer } from "node:buffer";
import { EXPECTED } from "../tests/facts/expected_events.ts";
import { readCapture, readSamples } from "../tests/support/captures.ts";

/** Messages to publish, and the events that they cause. */
export interface Load {
  readonly bodies: readonly Buffer[];
  /** Events that a consumer of everything claims. */
  readonly events: number;
  /** Messages of a type that the groups list: what a listener without memory claims. */
  readonly claimed: number;
}

/** The event types that both event groups of the bench list. */
export const CLAIMED = ["compute.instance.create.end", "compute.instance.delete.end", "floatingip.update.end"];

/** The messages that a queue of the topic's `info` gets. */
const CAPTURE = readCapture("unversioned.jsonl")
  .filter(({ routing_key }) => routing_key.endsWith(".info")).map(({ body }) => body);
const CLAIMED_OF_CAPTURE = CAPTURE.filter((body) => CLAIMED.some((type) => body.includes(`\\"${type}\\"`))).length;

/** How many messages the capture has: 7 % of them core events, 3 KB each on average. */
export const CAPTURED = CAPTURE.length;

/**
 * The whole capture this many times, the first time as number `from`: another number means other
 * servers.
 */
export function captured(times: number, from = 0): Load {
  const bodies = Array.from({ length: times }, (_, index) => CAPTURE.map((body) => another(body, from + index))).flat();
  return { bodies, events: times * EXPECTED.length, claimed: times * CLAIMED_OF_CAPTURE };
}

/**
 * The beginnings of UUIDs, and of the ids without dashes that projects, users and messages have.
 */
const ID = /(?<![0-9a-f])[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-|[0-9a-f]{24}(?![0-9a-f]))/g;
/** The network of the recorded floating addresses. Each address is given to one server only. */
const FLOATING = /203\.0\.113\./g;

/** The same message with the ids and addresses of another number. */
function another(body: string, number: number): Buffer {
  const mask = Math.imul(number, 0x9e3779b1);
  const id = (hex: string) => ((parseInt(hex, 16) ^ mask) >>> 0).toString(16).padStart(8, "0");
  const network = `${100 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}.`;
  return Buffer.from(body.replace(ID, id).replace(FLOATING, network));
}

const SAMPLES = new Map(readSamples().map(({ name, sample }) => [name, sample.wire_body]));

/** The words of the samples that stand for one server. */
const RECORDED = {
  server: "4818c5b1-ac0b-4458-9eed-faf8936ad379",
  port: "cf9a4459-4e3f-4d7e-92c6-6f914c0f10c6",
  address: "10.11.0.21",
  floatingIp: "8d58b4a7-0471-4678-8fc2-7d6f929bab45",
  floatingAddress: "203.0.113.237",
  name: "beam-ctl-01",
} as const;

const RECORDED_AT = Date.UTC(2026, 10, 21, 19, 13);

/** This many servers come, then all of them go: two events for each, one per message. */
export function lives(servers: number, from = 0): Load {
  const numbers = Array.from({ length: servers }, (_, index) => from + index);
  const bodies = ["compute.instance.create.end", "compute.instance.delete.end"].flatMap((type, turn) =>
    numbers.map((number) => told(type, { server: number, message: turn * 2 ** 26 + number }))
  );
  return { bodies, events: bodies.length, claimed: bodies.length };
}

/** This many servers come. */
export function arrivals(servers: number, from = 0): Load {
  const bodies = Array.from(
    { length: servers },
    (_, index) => told("compute.instance.create.end", { server: from + index, message: from + index }),
  );
  return { bodies, events: servers, claimed: servers };
}

/**
 * This many messages of floating IPs that some servers' ports get and lose again, server by server:
 * an event each.
 */
export function associations(messages: number, servers: number): Load {
  const bodies = Array.from({ length: messages }, (_, index) => {
    const turn = Math.floor(index / servers);
    const type = `floatingip.update.end.${turn % 2 === 0 ? "associate" : "disassociate"}`;
    return told(type, { server: index % servers, message: 2 ** 30 + index, revision: 1000 + turn });
  });
  return { bodies, events: messages, claimed: messages };
}

/**
 * Messages that link ports to these servers: without them no floating IP has a server. They cause
 * no event.
 */
export function ports(servers: number): Load {
  const bodies = Array.from(
    { length: servers },
    (_, index) => told("port.update.end", { server: index, message: 2 ** 29 + index }),
  );
  return { bodies, events: 0, claimed: 0 };
}

/** The id of the server with this number. */
export function serverId(number: number): string {
  return `${hex(number)}${RECORDED.server.slice(8)}`;
}

function told(
  name: string,
  { server, message, revision }: { readonly server: number; readonly message: number; readonly revision?: number },
): Buffer {
  const text = (SAMPLES.get(name) as string)
    .replaceAll(RECORDED.server, serverId(server))
    .replaceAll(RECORDED.port, `${hex(server)}${RECORDED.port.slice(8)}`)
    .replaceAll(RECORDED.floatingIp, `${hex(server)}${RECORDED.floatingIp.slice(8)}`)
    .replaceAll(RECORDED.address, `10.${server >> 16}.${(server >> 8) & 255}.${server & 255}`)
    .replaceAll(RECORDED.floatingAddress, `100.${server >> 16}.${(server >> 8) & 255}.${server & 255}`)
    .replaceAll(RECORDED.name, `node-${server}`)
    .replace(/(\\"timestamp\\": \\")[^\\"]+/, `$1${sentAt(message)}`)
    .replaceAll(/((?:message|_unique)_id\\": \\")[0-9a-f]{8}/g, `$1${hex(message)}`);
  return Buffer.from(
    revision === undefined ? text : text.replace(/(revision_number\\": )\d+/, `$1${revision}`),
  );
}

/**
 * The time of the message with this number, as oslo.messaging writes it: one each millisecond, up
 * to the recorded time.
 */
function sentAt(message: number): string {
  return new Date(RECORDED_AT - 2 ** 31 + message).toISOString().replace("T", " ").replace("Z", "000");
}

/** Eight hexadecimal digits that are unique to a number and in no order, as those of a UUID. */
function hex(number: number): string {
  return (Math.imul(number, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0");
}
