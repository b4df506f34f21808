import assert from "node:assert/strict";
import { DeliveryError, type Detail, type NotifyContext } from "../../mod.ts";
import { LdapDirectory } from "../../plugins/ldap_directory.ts";
import type { LdapDirectoryOptions } from "../../plugins/ldap_options.ts";
import { startDirsrv } from "../support/dirsrv.ts";
import { type Attributes, type LdapServer, SERVERS, WATCHER } from "../support/ldap_server.ts";
import { SeededRandom } from "../support/random.ts";
import { startSlapd } from "../support/slapd.ts";
import { type Fate, TcpProxy } from "../support/tcp_proxy.ts";
import { HOSTILE_TEXTS } from "./hostile_texts.ts";
import { context, detail, updateContext } from "./notification.ts";

const SEED = 20261121;
const LIVES = 200;
/** Of the requests, half of them lost, half of them done without an answer. */
const FAILURES = 0.1;
/** Of the attempts, cut off by the service. */
const INTERRUPTIONS = 0.03;

/** One event of one life, in the order in which it must be delivered. */
interface Step {
  readonly detail: Detail;
  readonly created: boolean;
  readonly subject: NotifyContext["subject"];
  /** Of an update: what was told before. */
  readonly before?: Detail;
}

/** What a life leaves behind, by the server's UUID. */
type Remains = Map<string, Attributes>;

interface Life {
  readonly steps: readonly Step[];
  readonly remains: Remains;
}

/** A server as it is while its life is made up. */
interface Server {
  detail: Detail;
  /** What the directory shall hold of its texts. */
  kept: string;
  /** What names its entry, once there is one. */
  name: string | null;
  isThere: boolean;
  /** What the plugin was told last, of a server that is there. */
  told: Detail;
  readonly floating: Set<string>;
}

/** How entries look, and what a server leaves behind: written down by itself, not with the plugin's own rules. */
interface Way {
  readonly what: string;
  readonly options: Partial<LdapDirectoryOptions>;
  readonly remains: (server: Server) => Attributes;
}

const WAYS: readonly Way[] = [
  {
    what: "the preset host and names of tenants",
    options: { rdn: ["cn", "serialNumber"] },
    remains: ({ detail: { ID, Addresses }, kept, name, floating }) => ({
      objectclass: ["device", "ieee802Device", "ipHost"],
      cn: [...new Set([kept, name ?? ""])].sort(),
      description: [...[...floating].map((ip) => `floating ${ip}`), "oss-watcher", `text ${kept}`].sort(),
      iphostnumber: [...Addresses.map(({ address }) => address), ...floating].sort(),
      l: [kept],
      macaddress: ["fa:16:3e:00:00:01"],
      serialnumber: [ID as string],
    }),
  },
  {
    what: "the preset device",
    options: { preset: "device" },
    remains: ({ detail: { ID, Addresses }, kept, floating }) => ({
      objectclass: ["device"],
      cn: [kept],
      description: [
        ...[...floating].map((ip) => `floating ${ip}`),
        ...Addresses.map(({ address }) => `ip ${address}`),
        "mac fa:16:3e:00:00:01",
        `os ${kept}`,
        "oss-watcher",
        `owner ${kept}`,
        `text ${kept}`,
      ].sort(),
      l: [kept],
      serialnumber: [ID as string],
    }),
  },
];

/** Two servers and the floating IP that goes to and fro between them; at the end each may be gone, or not. */
function lifeOf(index: number, { random, remains }: { readonly random: SeededRandom } & Pick<Way, "remains">): Life {
  const servers = [serverOf(`${index}-a`, random), serverOf(`${index}-b`, random)];
  const floating = `203.0.${index >> 8}.${index & 255}`;
  const steps: Step[] = [];
  let holder: Server | null = null;
  const server = (one: Server, created: boolean) => {
    // One that comes again may be told from before its floating IP came.
    const isKnown = one === holder && !(one.isThere && random.chance(0.3));
    const floatingIps = isKnown ? [{ id: `f-${index}`, address: floating, fixedAddress: null }] : [];
    steps.push({ detail: { ...one.detail, FloatingIPs: floatingIps }, created, subject: "server" });
    one.isThere = created;
    one.told = one.detail;
    one.name ??= one.kept;
    if (isKnown) one.floating.add(floating);
  };
  const update = (one: Server) => {
    const isRenamed = one.told.FQDN !== one.detail.FQDN;
    const floatingIps = one === holder ? [{ id: `f-${index}`, address: floating, fixedAddress: null }] : [];
    const updated = { ...one.detail, FloatingIPs: floatingIps };
    steps.push({ detail: updated, created: true, subject: "server", before: one.told });
    one.told = one.detail;
    if (isRenamed) one.name = one.kept;
    if (one === holder) one.floating.add(floating);
  };
  const associate = (one: Server, created: boolean) => {
    steps.push({ detail: { ...one.detail, IP: floating, IPType: "Public" }, created, subject: "floatingip" });
    holder = created ? one : null;
    if (one.isThere) created ? one.floating.add(floating) : one.floating.delete(floating);
  };
  // Every third association comes before its server; every fifth after one that is gone.
  if (random.chance(1 / 3)) associate(servers[0] as Server, true);
  for (const one of servers) server(one, true);
  for (let moves = random.below(5); moves > 0; moves--) {
    if (holder !== null) associate(holder, false);
    if (random.chance(0.7)) associate(random.pick(servers), true);
    if (random.chance(0.3)) {
      const again = random.pick(servers);
      change(again, random);
      server(again, true);
    }
    if (random.chance(0.5)) {
      const changed = random.pick(servers);
      change(changed, random);
      update(changed);
    }
  }
  for (const one of servers.filter(() => random.chance(0.5))) {
    if (holder === one && random.chance(0.5)) associate(one, false);
    server(one, false);
    if (holder === one || random.chance(0.2)) associate(one, holder !== one);
  }
  const left = servers.filter(({ isThere }) => isThere);
  return { steps, remains: new Map(left.map((one) => [one.detail.ID as string, remains(one)])) };
}

function serverOf(ID: string, random: SeededRandom): Server {
  const one = {
    detail: { ...detail, ID },
    kept: "",
    name: null,
    isThere: false,
    told: detail,
    floating: new Set<string>(),
  };
  change(one, random);
  return one;
}

/** Other texts and addresses than before. */
function change(one: Server, random: SeededRandom): void {
  const [text, kept] = random.pick(HOSTILE_TEXTS);
  const address = `10.0.0.${random.below(250)}`;
  const fixed = { address, mac: "fa:16:3e:00:00:01", type: "fixed", network: text, version: 4 };
  const words = { FQDN: text, Description: text, Owner: text, ApplicationName: text, Datacenter: text, OS: text };
  const Metadata = JSON.parse(`{"__proto__":"polluted","constructor":"x"}`);
  one.detail = { ...one.detail, ...words, Metadata, Addresses: [fixed] };
  one.kept = kept;
}

/** Entries that look like ours, but lack the mark, or the ID, or are nothing of the kind. */
function foreignEntries(random: SeededRandom): string {
  const entry = (name: string, lines: string[]) =>
    [`dn: cn=${name},${SERVERS}`, "objectClass: device", ...lines].join("\n");
  return Array.from({ length: 60 }, (_, index) => {
    const id = `${random.below(LIVES)}-a`;
    return [
      entry(`unmarked ${index}`, [`serialNumber: ${id}`, "description: by hand"]),
      entry(`marked ${index}`, ["description: oss-watcher", `serialNumber: of another ${index}`]),
      entry(`child ${index},cn=marked ${index}`, ["o: Inventory", `description: serialNumber=${id}`]),
    ].join("\n\n");
  }).join("\n\n");
}

/** Delivers a life as the service does: one event after the other, each until it is done, now and then once too often. */
async function live(plugin: LdapDirectory, { steps }: Life, random: SeededRandom): Promise<number> {
  let failures = 0;
  for (const { detail, created, subject, before } of steps) {
    for (let left = random.chance(0.1) ? 2 : 1; left > 0;) {
      const cutOff = new AbortController();
      const timer = random.chance(INTERRUPTIONS) ? setTimeout(() => cutOff.abort(), random.below(4)) : undefined;
      try {
        const { signal } = cutOff;
        if (before === undefined) await plugin.notify(detail, created, context({ subject, signal }));
        else await plugin.update(detail, updateContext({ before, signal }));
        left--;
      } catch (error) {
        // What was asked for before an answer was lost may be done while we ask again: a directory then says what it does not mean.
        assert.ok(error instanceof DeliveryError, String(error));
        failures++;
      } finally {
        clearTimeout(timer);
      }
    }
  }
  return failures;
}

async function playInto(server: LdapServer, { options, remains }: Way): Promise<void> {
  const random = new SeededRandom(SEED);
  const lives = Array.from({ length: LIVES }, (_, index) => lifeOf(index, { random, remains }));
  await server.ldif(foreignEntries(random));
  const foreign = await server.entries();
  let requests = 0;
  let lost = 0;
  const fate = (): Fate => {
    requests++;
    if (!random.chance(FAILURES)) return "pass";
    lost++;
    return random.pick(["lose", "lose the answer"] as const);
  };
  await using proxy = new TcpProxy(server.port, fate);
  await using plugin = new LdapDirectory({
    url: `ldap://localhost:${proxy.port}`,
    ...WATCHER,
    baseDn: SERVERS,
    ...options,
  });
  const waiting = [...lives];
  const failures: number[] = [];
  const deliver = async () => {
    for (let life = waiting.shift(); life !== undefined; life = waiting.shift()) {
      failures.push(await live(plugin, life, random));
    }
  };

  await Promise.all(Array.from({ length: 8 }, deliver));

  const failed = failures.reduce((sum, count) => sum + count, 0);
  assert.ok(
    failed > LIVES && lost > requests * FAILURES / 2,
    `${failed} failures, ${lost} of ${requests} requests lost`,
  );
  const entries = await server.entries();
  const own = Object.keys(entries).filter((dn) => !Object.hasOwn(foreign, dn));
  const held = own.map((dn) => [entries[dn]?.["serialnumber"]?.[0], withoutTop(entries[dn] as Attributes)] as const);
  const expected = new Map(lives.flatMap(({ remains }) => [...remains]));
  assert.deepEqual(new Map(held), expected);
  assert.equal(own.length, expected.size);
  for (const [dn, entry] of Object.entries(foreign)) assert.deepEqual(entries[dn], entry);
}

function withoutTop(entry: Attributes): Attributes {
  return { ...entry, objectclass: (entry["objectclass"] ?? []).filter((name) => name !== "top") };
}

for (const [kind, start] of [["slapd", () => startSlapd()], ["389-ds", () => startDirsrv()]] as const) {
  for (const way of WAYS) {
    Deno.test(`notify() ends ${LIVES} lives right with ${way.what}, whatever fails on the way (${kind}, seed ${SEED})`, async () => {
      await using server: LdapServer = await start();
      await playInto(server, way);
    });
  }
}
