/**
 * How fast LdapDirectory adds and removes servers, as ratios to ldapmodify doing the same on one
 * connection, one after the other. `deno run -A bench/ldap.ts` prints medians over rounds, each
 * with all contenders in shuffled order. There is no ratio unless every round of every contender
 * has left exactly the same entries, and removed them all.
 *
 * @module
 */

import { LdapDirectory } from "../plugins/ldap_directory.ts";
import { context, detail } from "../tests/plugins/notification.ts";
import { startDirsrv } from "../tests/support/dirsrv.ts";
import { type LdapServer, SERVERS, WATCHER } from "../tests/support/ldap_server.ts";
import { tool } from "../tests/support/tool.ts";
import { startSlapd } from "../tests/support/slapd.ts";
import { installMissing } from "../tools/packages.ts";

const COUNT = 500;
const ROUNDS = 7;

const servers = Array.from({ length: COUNT }, (_, index) => ({
  ...detail,
  ID: crypto.randomUUID(),
  FQDN: `web-${index}.example.com`,
  Description: "The shop",
  Addresses: [{
    address: `10.0.${index >> 8}.${index & 255}`,
    mac: detail.MAC,
    type: "fixed",
    network: "net",
    version: 4,
  }],
}));

interface Rates {
  readonly adds: number;
  readonly removals: number;
}

async function rate(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return COUNT / (performance.now() - start) * 1000;
}

/** A removal is a search for the entry, then its deletion. */
function withPlugin(plugin: LdapDirectory, concurrency: number): Way {
  const all = async (created: boolean) => {
    const waiting = [...servers];
    const deliver = async () => {
      for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
        await plugin.notify(one, created, context());
      }
    };
    await Promise.all(Array.from({ length: concurrency }, deliver));
  };
  return { name: `LdapDirectory, ${concurrency} at a time`, add: () => all(true), remove: () => all(false) };
}

/** It is given the names of the entries to remove. Its start and its bind count, too. */
function withLdapmodify(plugin: LdapDirectory, server: LdapServer): Way {
  const additions = servers.map((one) => plugin.preview(one, true, context())).join("\n\n");
  const removals = servers.map(({ ID }) => `dn: serialNumber=${ID},${SERVERS}\nchangetype: delete`).join("\n\n");
  const run = async (ldif: string) => {
    const login = ["-x", "-H", server.url, "-D", WATCHER.bindDn, "-w", WATCHER.password];
    const { success, output } = await tool("ldapmodify", login, `${ldif}\n`);
    if (!success) throw new Error(`Cannot run ldapmodify: ${output}`);
  };
  return { name: "ldapmodify", add: () => run(additions), remove: () => run(removals) };
}

interface Way {
  readonly name: string;
  readonly add: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Rates of one round of one contender. Throws if it did other work than the others. */
async function round({ name, add, remove }: Way, server: LdapServer, expected: string): Promise<Rates> {
  const adds = await rate(add);
  const added = await contentOf(server);
  const removals = await rate(remove);
  const left = await contentOf(server);
  if (added !== expected || left !== "") throw new Error(`Cannot compare: ${name} has not done what it was to do`);
  return { adds, removals };
}

/** Every entry below the base, in an order that does not depend on when they were added. */
async function contentOf(server: LdapServer): Promise<string> {
  const entries = Object.entries(await server.entries(SERVERS, "(objectClass=device)"));
  return entries.map(([dn, attributes]) => JSON.stringify([dn, Object.entries(attributes).sort()])).sort().join("\n");
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN;
}

async function measure(server: LdapServer): Promise<void> {
  await using plugin = new LdapDirectory({ url: server.url, ...WATCHER, baseDn: SERVERS });
  const ways: readonly Way[] = [
    withLdapmodify(plugin, server),
    withPlugin(plugin, 1),
    withPlugin(plugin, 8),
  ];
  const [first] = ways as [Way];
  // Not measured: the expected work of all others. It also warms the server up.
  await first.add();
  const expected = await contentOf(server);
  await first.remove();
  for (const way of ways) await round(way, server, expected);
  const rates = new Map(ways.map(({ name }) => [name, [] as Rates[]]));
  for (let index = 0; index < ROUNDS; index++) {
    for (const way of shuffled(ways)) rates.get(way.name)?.push(await round(way, server, expected));
  }
  report(server, rates);
}

function report(server: LdapServer, rates: ReadonlyMap<string, readonly Rates[]>): void {
  print(`${server.name}: ${COUNT} servers, medians of ${ROUNDS} shuffled rounds`);
  print(
    ["".padEnd(28), "adds/s".padStart(10), "ratio".padStart(8), "removals/s".padStart(14), "ratio".padStart(8)].join(
      "",
    ),
  );
  const [own = []] = rates.values();
  for (const [name, rounds] of rates) {
    const of = (kind: keyof Rates) => median(rounds.map((one) => one[kind])).toFixed(0);
    const ratio = (kind: keyof Rates) =>
      median(rounds.map((one, index) => one[kind] / (own[index]?.[kind] ?? NaN))).toFixed(2);
    print(
      name.padEnd(28) + of("adds").padStart(10) + ratio("adds").padStart(8) +
        of("removals").padStart(14) + ratio("removals").padStart(8),
    );
  }
}

function shuffled<T>(all: readonly T[]): T[] {
  return all.map((one) => [Math.random(), one] as const).sort(([a], [b]) => a - b).map(([, one]) => one);
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  await installMissing([
    { program: "slapd", package: "slapd", places: ["/usr/sbin/slapd"] },
    { program: "ldapmodify", package: "ldap-utils" },
    { program: "ns-slapd", package: "389-ds-base", places: ["/usr/sbin/ns-slapd"] },
  ]);
  for (const start of [() => startSlapd({ durable: true }), () => startDirsrv({ durable: true })]) {
    await using server: LdapServer = await start();
    await measure(server);
  }
}
