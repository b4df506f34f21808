/**
 * Priming against a small model of Nova and Neutron. Things happen before we listen, while pages are read and afterwards; what is recorded is decided
 * against what was read. The oracle knows nothing of revisions: a receiver that was right when we began to listen, and does what it is told, is
 * right in the end.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type ListedPage, prime } from "../../src/facts/prime.ts";
import { decide } from "../../src/facts/decide.ts";
import { RamMemory } from "../../src/ledger/ram/memory.ts";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { Notification } from "../../src/model/notification.ts";
import { madeServer } from "../support/made_events.ts";
import { EVERYTHING } from "../support/rules.ts";
import * as told from "../support/stories.ts";

interface Port {
  readonly id: string;
  revision: number;
  server: string | null;
}

interface FloatingIp {
  readonly id: string;
  revision: number;
  port: Port | null;
  /** Whether a message said on which port it is. */
  isTold: boolean;
  /** Whether its association ended without anything that could tell so: see docs/ARCHITECTURE.md. */
  isLost: boolean;
  /** Whether it was on a port of no server while nothing was known of it: untold, if it goes before it is read. */
  isLetGo: boolean;
}

/** What a test lets happen: one of the acts below, to one or two of what there is. */
interface Step {
  readonly act: keyof typeof ACTS;
  readonly one: number;
  readonly other: number;
}

/** Nova and Neutron, and the queue that is bound at some time. */
class Cloud {
  readonly servers: string[] = [];
  readonly ports: Port[] = [];
  readonly floatingIps: FloatingIp[] = [];
  readonly messages: { readonly about: string; readonly notification: Notification }[] = [];
  isBound = false;
  /** Floating IPs that were read. */
  readonly read = new Set<string>();
  /** Floating IPs that went after their association had ended untold. */
  readonly lost = new Set<string>();
  #ids = 0;

  id(kind: string): string {
    return `${kind}${++this.#ids}`;
  }

  say(about: string, notification: Notification): void {
    if (this.isBound) this.messages.push({ about, notification });
  }

  sayPort(port: Port): void {
    this.say(`update ${port.id}`, told.portIs(port.id, { server: port.server, revision: port.revision }));
    for (const ip of this.floatingIps.filter((one) => one.port === port)) {
      if (port.server === null && this.isUnknown(ip)) ip.isLetGo = true;
    }
  }

  isUnknown({ id, isTold }: FloatingIp): boolean {
    return this.isBound && !isTold && !this.read.has(id);
  }

  sayFloatingIp(ip: FloatingIp): void {
    this.say(`update ${ip.id}`, told.floatingIpIs(ip.id, words(ip)));
    if (!this.isBound) return;
    const isRead = this.read.has(ip.id);
    ip.isTold = true;
    // That it is on a port of no server tells that it was on one before only if it is read afterwards.
    if (ip.port !== null && ip.port.server === null && !isRead) ip.isLetGo = true;
    // What is told before the reading is taken for an end.
    if (!isRead) ip.isLost = false;
  }

  /** Neutron frees the floating IPs of a port that goes, and says nothing of them. */
  dropPort(port: Port): void {
    this.ports.splice(this.ports.indexOf(port), 1);
    this.say(port.id, told.portGone(port.id, { server: port.server, revision: port.revision }));
    for (const ip of this.floatingIps.filter((one) => one.port === port)) {
      ip.port = null;
      ip.revision++;
      if (this.isUnknown(ip)) ip.isLost = true;
    }
  }

  /** On which server each floating IP is. */
  truth(): Map<string, string | null> {
    return new Map(this.floatingIps.map(({ id, port }) => [id, port?.server ?? null]));
  }
}

function words(ip: FloatingIp): told.FloatingIpWords {
  const { port, revision } = ip;
  return port === null ? { revision } : { port: port.id, server: port.server, revision };
}

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}

type Act = (cloud: Cloud, one: number, other: number) => void;

const changePort = (change: (port: Port, cloud: Cloud, other: number) => boolean): Act => (cloud, one, other) => {
  const port = pick(cloud.ports, one);
  if (port === undefined || !change(port, cloud, other)) return;
  port.revision++;
  cloud.sayPort(port);
};

const changeFloatingIp =
  (change: (ip: FloatingIp, cloud: Cloud, other: number) => boolean): Act => (cloud, one, other) => {
    const ip = pick(cloud.floatingIps, one);
    if (ip === undefined || !change(ip, cloud, other)) return;
    ip.revision++;
    cloud.sayFloatingIp(ip);
  };

const ACTS = {
  boot: (cloud) => {
    const id = cloud.id("s");
    cloud.servers.push(id);
    cloud.say(id, told.came(id));
  },
  makePort: (cloud) => void cloud.ports.push({ id: cloud.id("p"), revision: 1, server: null }),
  attach: changePort((port, cloud, other) => {
    const server = pick(cloud.servers, other);
    if (port.server !== null || server === undefined) return false;
    port.server = server;
    return true;
  }),
  detach: changePort((port) => {
    const isOn = port.server !== null;
    port.server = null;
    return isOn;
  }),
  editPort: changePort(() => true),
  /** The layer-2 agent reports a port as up: a revision without a message. */
  bumpPort: (cloud, one) => {
    const port = pick(cloud.ports, one);
    if (port !== undefined) port.revision++;
  },
  dropPort: (cloud, one) => {
    const port = pick(cloud.ports, one);
    if (port !== undefined) cloud.dropPort(port);
  },
  makeFloatingIp: (cloud, one, other) => {
    const port = other % 2 === 0 ? pick(cloud.ports, one) ?? null : null;
    const ip = { id: cloud.id("f"), revision: 0, port, isTold: cloud.isBound, isLost: false, isLetGo: false };
    cloud.floatingIps.push(ip);
    cloud.say(ip.id, told.floatingIpCame(ip.id, words(ip)));
  },
  associate: changeFloatingIp((ip, cloud, other) => {
    const port = pick(cloud.ports, other);
    if (port === undefined) return false;
    ip.port = port;
    return true;
  }),
  disassociate: changeFloatingIp((ip) => {
    ip.port = null;
    return true;
  }),
  editFloatingIp: changeFloatingIp(() => true),
  dropFloatingIp: (cloud, one) => {
    const [ip] = cloud.floatingIps.splice(one % Math.max(1, cloud.floatingIps.length), 1);
    if (ip === undefined) return;
    if (ip.isLost || (ip.isLetGo && !cloud.read.has(ip.id))) cloud.lost.add(ip.id);
    cloud.say(ip.id, told.floatingIpGone(ip.id, words(ip)));
  },
  /** Nova's own ports go with the server, a user's stay. */
  drop: (cloud, one, other) => {
    const [server] = cloud.servers.splice(one % Math.max(1, cloud.servers.length), 1);
    if (server === undefined) return;
    for (const port of cloud.ports.filter((candidate) => candidate.server === server)) {
      if (other % 2 === 0) {
        cloud.dropPort(port);
        continue;
      }
      port.server = null;
      port.revision++;
      cloud.sayPort(port);
    }
    cloud.say(server, told.went(server));
  },
} satisfies Readonly<Record<string, Act>>;

/** What a page of a listing gives at this moment. Floating IPs come on two pages, and the first one perhaps again. */
const PAGES: readonly ((cloud: Cloud) => ListedPage)[] = [
  (cloud) => floatingIpPage(cloud, 0),
  (cloud) => floatingIpPage(cloud, 1),
  (cloud) => floatingIpPage(cloud, 0),
  ({ ports }) => ({ listing: "ports", records: ports.map(portState) }),
  ({ servers }) => ({ listing: "servers", records: servers.map((id) => madeServer(id)) }),
];

function floatingIpPage(cloud: Cloud, page: 0 | 1): ListedPage {
  const ips = cloud.floatingIps.filter(({ id }) => Number(id.slice(1)) % 2 === page);
  for (const { id } of ips) cloud.read.add(id);
  const records = ips.map(({ id, revision, port }) => ({
    id,
    address: told.ADDRESS,
    projectId: null,
    portId: port?.id ?? null,
    fixedAddress: null,
    revision,
    port: port === null ? null : { serverId: port.server, mac: null },
  }));
  return { listing: "floatingIps", records };
}

function portState({ id, revision, server }: Port) {
  return { id, serverId: server, mac: null, fixedAddresses: [], dnsName: null, dnsHostname: null, revision };
}

/** Mostly changes of what is there. */
const WEIGHTS: Readonly<Record<keyof typeof ACTS, number>> = {
  boot: 1,
  makePort: 1,
  attach: 4,
  detach: 3,
  editPort: 2,
  bumpPort: 1,
  dropPort: 1,
  makeFloatingIp: 1,
  associate: 5,
  disassociate: 4,
  editFloatingIp: 2,
  dropFloatingIp: 1,
  drop: 1,
};

const steps = fc.array(
  fc.record({
    act: fc.oneof(
      ...Object.entries(WEIGHTS).map(([act, weight]) => ({ weight, arbitrary: fc.constant(act as keyof typeof ACTS) })),
    ),
    one: fc.nat(2),
    other: fc.nat(2),
  }),
  { maxLength: 5 },
);
/**
 * What happens before we listen, before each page, and after the last one; which neighbours in the queue change places; and how many messages
 * are decided before all is read once more.
 */
const histories = fc.record({
  before: steps,
  meanwhile: fc.tuple(...PAGES.map(() => steps)),
  after: steps,
  swaps: fc.array(fc.nat(30), { maxLength: 6 }),
  again: fc.nat(30),
});

/** Two servers, a port on one of them and a free one, a floating IP on the port and a free one. */
const BEGINNING: readonly Step[] =
  (["boot", "boot", "makePort", "attach", "makePort", "makeFloatingIp", "makeFloatingIp"] as const)
    .map((act, index) => ({ act, one: 0, other: index === 6 ? 1 : 0 }));

function happen(cloud: Cloud, history: readonly Step[]): void {
  for (const { act, one, other } of history) ACTS[act](cloud, one, other);
}

/** Two workers of Neutron that change the same thing at nearly the same time may tell of it in either order. */
function swapNeighbours(messages: Cloud["messages"], at: number): void {
  const [one, next] = [messages[at], messages[at + 1]];
  if (one === undefined || next === undefined || one.about !== next.about || !one.about.startsWith("update ")) return;
  [messages[at], messages[at + 1]] = [next, one];
}

function announced(memory: RamMemory, messages: Cloud["messages"]): WatcherEvent[] {
  return messages.flatMap(({ notification }) => {
    const { changes, events } = decide(notification, memory, EVERYTHING);
    memory.apply(changes);
    return events;
  });
}

Deno.test("prime() leaves a receiver that was right, right, whatever happens before, between and after its pages", () => {
  fc.assert(
    fc.property(histories, ({ before, meanwhile, after, swaps, again }) => {
      const cloud = new Cloud();
      const memory = new RamMemory();
      happen(cloud, BEGINNING);
      happen(cloud, before);
      cloud.isBound = true;
      const received = cloud.truth();
      for (const [page, read] of PAGES.entries()) {
        happen(cloud, meanwhile[page] ?? []);
        memory.apply(prime(read(cloud), memory, EVERYTHING).changes);
      }
      happen(cloud, after);
      for (const at of swaps) swapNeighbours(cloud.messages, at);

      const events = announced(memory, cloud.messages.slice(0, again));
      // What `oss-watcher prime` does beside a running service, which has not decided everything.
      for (const read of PAGES) memory.apply(prime(read(cloud), memory, EVERYTHING).changes);
      events.push(...announced(memory, cloud.messages.slice(again)));

      for (const { floatingIp, created, server } of events) {
        if (floatingIp !== null) received.set(floatingIp.id, created ? server.id : null);
      }
      for (const { id, isLost } of cloud.floatingIps) if (isLost) cloud.lost.add(id);
      const truth = cloud.truth();
      for (const id of new Set([...received.keys(), ...truth.keys()])) {
        if (!cloud.lost.has(id)) assert.equal(received.get(id) ?? null, truth.get(id) ?? null, id);
      }
      // A server comes and goes once, as the messages say, whatever was read.
      const expected = cloud.messages.filter(({ about }) => about.startsWith("s")).map(({ notification }) =>
        `server/${notification.payload["instance_id"]}/${
          notification.eventType === "compute.instance.create.end" ? "creation" : "deletion"
        }`
      );
      assert.deepEqual(events.filter(({ subject }) => subject === "server").map(({ key }) => key), expected);
      assert.equal(new Set(events.map(({ key }) => key)).size, events.length, "a key is used once");
    }),
    { numRuns: Number(Deno.env.get("RACES") ?? 3000) },
  );
});
