// Lives of servers and floating IPs, told to a real NetBox through a line that loses requests and
// answers. What must be there in the end is written down beside, not with the plugin's own rules.
import assert from "node:assert/strict";
import { DeliveryError, type Detail, type NotifyContext } from "../../mod.ts";
import { NetBox } from "../../plugins/netbox.ts";
import type { NetBoxOptions } from "../../plugins/netbox_options.ts";
import type { PrivateNetBox } from "../../tools/netbox/server.ts";
import { context, detail, updateContext } from "../plugins/notification.ts";
import { HttpProxy, passedOnTo } from "../support/http_proxy.ts";
import { SeededRandom } from "../support/random.ts";
import { NetBoxClient, PATHS } from "./netbox_client.ts";
import { foreignIn, type Machine, machinesIn } from "./tree.ts";

const SEED = 20261121;
/** Of the requests, half of them lost, half of them done without an answer. */
const FAILURES = 0.1;
/** Of the attempts, cut off by the service. */
const INTERRUPTIONS = 0.03;

/** What tenants write, and what NetBox shall hold of it. */
const NAMES: readonly (readonly [text: string, kept: string])[] = [
  ["web", "web"],
  ["WEB", "WEB"],
  ["db.cloud.example.com", "db.cloud.example.com"],
  [" \t both ends ", "both ends"],
  ["x".repeat(70), `${"x".repeat(63)}…`],
  ["😀".repeat(70), `${"😀".repeat(63)}…`],
  ["a\0b\r\n", "a\\u{0}b"],
  ["lone \ud800", "lone \\u{d800}"],
  ["\u202egnp.exe", "\\u{202e}gnp.exe"],
  ["../../?x=1&y=2#z%00", "../../?x=1&y=2#z%00"],
  ["<script>alert(1)</script>", "<script>alert(1)</script>"],
  ["{{ 7*7 }} '; DROP TABLE x; --", "{{ 7*7 }} '; DROP TABLE x; --"],
  ["Grüße aus 東京", "Grüße aus 東京"],
];
const STATUSES: readonly (readonly [nova: string, held: string])[] = [
  ["ACTIVE", "active"],
  ["SHUTOFF", "offline"],
  ["PAUSED", "paused"],
  ["ERROR", "failed"],
];
const TENANTS = ["physics", "webshop", null];

interface Step {
  readonly detail: Detail;
  readonly created: boolean;
  readonly subject: NotifyContext["subject"];
  /** Of an update: what was told before. */
  readonly before?: Detail;
  /** What a person writes into the comments of the virtual machine before. */
  readonly comments?: string;
}

interface Port {
  readonly mac: string | null;
  readonly addresses: readonly string[];
}

/** A server as it is while its life is made up. */
interface Server {
  readonly id: string;
  name: readonly [string, string];
  status: readonly [string, string];
  tenant: string | null;
  cpu: number;
  ports: readonly Port[];
  isThere: boolean;
  wasThere: boolean;
  told: Detail;
  comments: string;
  /** The floating IP that NetBox is to hold. */
  floating: string | null;
}

interface Life {
  readonly steps: readonly Step[];
  readonly servers: readonly Server[];
}

/** Two servers and the floating IP that goes to and fro between them. */
function lifeOf(index: number, random: SeededRandom): Life {
  const servers = [0, 1].map((which): Server => ({
    id: `${String(index * 2 + which).padStart(8, "0")}-0000-4000-8000-000000000000`,
    ...{ name: random.pick(NAMES), status: random.pick(STATUSES), tenant: random.pick(TENANTS) },
    ...{ cpu: 1 + random.below(8), ports: portsOf(index, which, random) },
    ...{ isThere: false, wasThere: false, told: detail, comments: "", floating: null },
  }));
  const floating = `203.0.${100 + (index >> 8)}.${index & 255}`;
  const steps: Step[] = [];
  let holder: Server | null = null;
  const told = (one: Server): Detail => ({
    ...detail,
    ID: one.id,
    FQDN: one.name[0],
    Status: one.status[0],
    ProjectName: one.tenant,
    CPU: one.cpu,
    Description: one.name[0],
    Addresses: one.ports.flatMap(({ mac, addresses }) =>
      addresses.map((address) => ({
        ...{ address, mac, type: "fixed", network: one.name[0], version: address.includes(":") ? 6 : 4 },
      }))
    ),
    FloatingIPs: one === holder ? [{ id: `f-${index}`, address: floating, fixedAddress: firstOf(one) }] : [],
  });
  const create = (one: Server) => {
    steps.push({ detail: told(one), created: true, subject: "server" });
    one.isThere = one.wasThere = true;
    one.told = told(one);
    if (one === holder) one.floating = floating;
  };
  const remove = (one: Server) => {
    steps.push({ detail: told(one), created: false, subject: "server" });
    one.isThere = false;
    one.floating = null;
  };
  const update = (one: Server) => {
    if (random.chance(0.5)) one.name = random.pick(NAMES);
    if (random.chance(0.3)) one.status = random.pick(STATUSES);
    if (random.chance(0.3)) one.cpu = 1 + random.below(8);
    if (random.chance(0.3)) one.ports = portsOf(index, servers.indexOf(one), random);
    if (random.chance(0.3)) one.comments = `by hand ${steps.length}`;
    const comments = one.comments === "" ? {} : { comments: one.comments };
    steps.push({ detail: told(one), created: true, subject: "server", before: one.told, ...comments });
    one.told = told(one);
    if (one === holder) one.floating = floating;
  };
  const associate = (one: Server, created: boolean) => {
    holder = created ? one : null;
    steps.push({ detail: { ...told(one), IP: floating, IPType: "Public" }, created, subject: "floatingip" });
    if (one.isThere) one.floating = created ? floating : null;
  };
  // A third of the associations come before their server.
  if (random.chance(1 / 3)) associate(servers[0] as Server, true);
  for (const one of servers) create(one);
  for (let moves = random.below(5); moves > 0; moves--) {
    if (holder !== null) associate(holder, false);
    if (random.chance(0.7)) associate(random.pick(servers), true);
    if (random.chance(0.2)) create(random.pick(servers));
    if (random.chance(0.7)) update(random.pick(servers));
  }
  for (const one of servers.filter(() => random.chance(0.5))) {
    if (holder === one && random.chance(0.5)) associate(one, false);
    remove(one);
    // What comes after a deletion is of no server.
    if (holder === one || random.chance(0.2)) associate(one, holder !== one);
  }
  return { steps, servers };
}

/** One to three ports with an IPv4 address, some with an IPv6 address; one of them may have no MAC address. */
function portsOf(index: number, which: number, random: SeededRandom): readonly Port[] {
  const count = 1 + random.below(3);
  const hex = (value: number) => value.toString(16).padStart(2, "0");
  return Array.from({ length: count }, (_, number): Port => {
    const host = which * 100 + random.below(50) * 2 + 1;
    const mac = `fa:16:3e:${hex(index)}:${hex(which)}:${hex(number)}`;
    const ipv4 = `10.${number}.${index}.${host}`;
    return {
      mac: number === 2 ? null : mac,
      addresses: random.chance(0.3) ? [ipv4, `2001:DB8:${index}:0:0:${which}::${number + 1}`] : [ipv4],
    };
  });
}

function firstOf({ ports }: Server): string | null {
  return ports[0]?.addresses[0] ?? null;
}

/** What NetBox must hold of a server. */
function remainsOf(server: Server, taken: ReadonlySet<string>, onDeletion: string): Machine[] {
  const { id, name, status, tenant, cpu, ports, isThere, wasThere, comments, floating } = server;
  if (!wasThere || !isThere && onDeletion === "delete") return [];
  const held = ports.map(({ mac, addresses }) => ({
    mac: mac?.toUpperCase() ?? "no MAC",
    addresses: isThere ? addresses.filter((address) => !taken.has(address)) : [],
  }));
  const length = (address: string) => address.includes(":") ? `${shortest(address)}/128` : `${address}/32`;
  const all = held.flatMap(({ addresses }) => addresses);
  const inside = firstOf(server);
  return [{
    id,
    name: name[1],
    status: isThere || onDeletion === "tag" ? status[1] : "decommissioning",
    cluster: "openstack",
    tenant,
    role: "server",
    platform: null,
    sizes: [cpu, 8192, 80000],
    primary4: all.filter((one) => !one.includes(":")).map(length)[0] ?? null,
    primary6: all.filter((one) => one.includes(":")).map(length)[0] ?? null,
    tags: isThere || onDeletion !== "tag" ? [] : ["openstack-deleted"],
    comments,
    interfaces: held.flatMap(({ mac, addresses }) =>
      addresses.length === 0 ? [mac] : addresses.map((address) => `${mac}: ${length(address)}`)
    ).sort(),
    floating: floating === null || !isThere
      ? []
      : [`${floating}/32 > ${inside === null || taken.has(inside) ? "?" : `${inside}/32`}`],
  }];
}

function shortest(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

/** Delivers a life as the service does: one event after the other, each until it is done, some once too often. */
async function live(
  plugin: NetBox,
  { steps }: Life,
  { random, client, isCalm }: {
    readonly random: SeededRandom;
    readonly client: NetBoxClient;
    readonly isCalm: boolean;
  },
): Promise<{ readonly failures: number; readonly events: number }> {
  let failures = 0;
  let events = 0;
  for (const { detail, created, subject, before, comments } of steps) {
    if (comments !== undefined) await writeComments(client, String(detail.ID), comments);
    for (let left = !isCalm && random.chance(0.05) ? 2 : 1; left > 0;) {
      const cutOff = new AbortController();
      const isCut = !isCalm && random.chance(INTERRUPTIONS);
      const timer = isCut ? setTimeout(() => cutOff.abort(), random.below(400)) : undefined;
      try {
        const { signal } = cutOff;
        if (before === undefined) await plugin.notify(detail, created, context({ subject, signal }));
        else await plugin.update(detail, updateContext({ before, signal }));
        left--;
        events++;
      } catch (error) {
        assert.ok(error instanceof DeliveryError, `${error} ${JSON.stringify(detail)}`);
        failures++;
      } finally {
        clearTimeout(timer);
      }
    }
  }
  return { failures, events };
}

async function writeComments(client: NetBoxClient, id: string, comments: string): Promise<void> {
  const [machine] = await client.all(PATHS.machines, `&cf_openstack_id=${id}`);
  if (machine !== undefined) await client.change(PATHS.machines, [{ id: machine.id, comments }]);
}

/** Objects that people entered: of the same names, of the same addresses, and others. */
async function addForeign(client: NetBoxClient, lives: readonly Life[], random: SeededRandom): Promise<Set<string>> {
  const [cluster] = await client.all("virtualization/clusters", "&name=openstack");
  const tenants = [{ name: "physics" }, { name: "webshop" }, null];
  const named = tenants.flatMap((tenant) =>
    ["web", "db.cloud.example.com"].map((name) => ({ name, tenant, cluster: cluster?.id, comments: "entered by hand" }))
  );
  const [machine] = await client.make(PATHS.machines, named);
  const [port] = await client.make(PATHS.interfaces, [{ virtual_machine: machine?.id, name: "eth0" }]);
  const used = lives.flatMap(({ servers }) =>
    servers.flatMap(({ ports }) => ports.flatMap(({ addresses }) => addresses))
  );
  const taken = new Set(Array.from({ length: 20 }, () => random.pick(used)));
  const on = { assigned_object_type: "virtualization.vminterface", assigned_object_id: port?.id };
  const rows = [...taken].map((address, index) => ({
    address: address.includes(":") ? `${address}/64` : `${address}/24`,
    description: "entered by hand",
    ...(index % 2 === 0 ? on : {}),
  }));
  await client.make(PATHS.addresses, [...rows, { address: "192.0.2.1/24", dns_name: "router.example.com" }]);
  return taken;
}

export interface LivesOptions {
  /** How many servers live, two by two with one floating IP. */
  readonly servers: number;
  readonly onDeletion: NonNullable<NetBoxOptions["onDeletion"]>;
  /** Nothing is lost, no attempt is cut off, and no name or address is taken. @default false */
  readonly isCalm?: boolean;
}

/** Plays lives into a NetBox; gives what it took. */
export async function playLives(
  netbox: PrivateNetBox,
  { servers, onDeletion, isCalm = false }: LivesOptions,
): Promise<string> {
  const client = new NetBoxClient(netbox.url, netbox.tokens.admin);
  await client.clear();
  const random = new SeededRandom(SEED);
  const lives = Array.from({ length: servers / 2 }, (_, index) => lifeOf(index, random));
  const taken = isCalm ? new Set<string>() : await addForeign(client, lives, random);
  const foreign = foreignIn(await client.rows());
  let requests = 0;
  let lost = 0;
  const passOn = passedOnTo(netbox.url);
  await using proxy = await HttpProxy.open(async (request) => {
    requests++;
    const isLost = !isCalm && random.chance(FAILURES);
    if (isLost) lost++;
    if (isLost && random.chance(0.5)) return null;
    const answer = await passOn(request);
    return isLost ? null : answer;
  });
  await using plugin = new NetBox({
    url: `http://127.0.0.1:${proxy.port}`,
    token: netbox.tokens.watcher,
    createCustomFields: true,
    cluster: "openstack",
    tenant: ({ ProjectName }) => ProjectName,
    role: { slug: "server" },
    ...(isCalm ? {} : { platform: () => "one that nobody has made" }),
    onDeletion,
  });
  const begun = performance.now();
  const waiting = [...lives];
  const done: { readonly failures: number; readonly events: number }[] = [];
  const deliver = async () => {
    for (let life = waiting.shift(); life !== undefined; life = waiting.shift()) {
      done.push(await live(plugin, life, { random, client, isCalm }));
    }
  };

  await Promise.all(Array.from({ length: 4 }, deliver));

  const seconds = (performance.now() - begun) / 1000;
  const rows = await client.rows();
  const held = machinesIn(rows);
  const names = held.map(({ name }) => name.toLowerCase());
  const expected = lives.flatMap(({ servers }) => servers.flatMap((one) => remainsOf(one, taken, onDeletion)));
  assert.deepEqual(held.map(withoutSuffix), expected.map(withoutSuffix));
  assert.equal(new Set(held.map(({ name, tenant }) => `${name.toLowerCase()} of ${tenant}`)).size, names.length);
  assert.deepEqual(foreignIn(rows), foreign);
  const sum = (of: "failures" | "events") => done.reduce((total, one) => total + one[of], 0);
  const perEvent = requests / sum("events");
  if (isCalm) assert.ok(perEvent <= 4, `${perEvent} requests an event`);
  return [
    `${servers} lives, ${onDeletion}${isCalm ? ", nothing lost" : ""}: ${sum("events")} events, ${requests} requests,`,
    `${perEvent.toFixed(2)} an event; ${lost} lost, ${sum("failures")} attempts failed, ${seconds.toFixed(0)} s`,
  ].join(" ");
}

/** A name that was taken has a part of the UUID behind it, and is cut before that. */
function withoutSuffix({ name, ...machine }: Machine): Machine {
  const suffix = `-${machine.id.slice(0, 8)}`;
  const stem = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
  const characters = [...stem];
  return { ...machine, name: characters.length > 55 ? `${characters.slice(0, 54).join("")}…` : stem };
}
