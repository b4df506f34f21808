// How fast LdapDirectory adds and removes servers, as ratios to ldapmodify doing the same on one connection, one after the other:
//   deno run -A bench/ldap.ts
import { LdapDirectory } from "../plugins/ldap_directory.ts";
import { context, detail } from "../tests/plugins/notification.ts";
import { startDirsrv } from "../tests/support/dirsrv.ts";
import { type LdapServer, SERVERS, tool, WATCHER } from "../tests/support/ldap_server.ts";
import { startSlapd } from "../tests/support/slapd.ts";
import { installMissing } from "../tools/packages.ts";

const COUNT = 500;
const ROUNDS = 5;

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

async function withPlugin(plugin: LdapDirectory, concurrency: number): Promise<Rates> {
  const all = async (created: boolean) => {
    const waiting = [...servers];
    const deliver = async () => {
      for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
        await plugin.notify(one, created, context());
      }
    };
    await Promise.all(Array.from({ length: concurrency }, deliver));
  };
  return { adds: await rate(() => all(true)), removals: await rate(() => all(false)) };
}

async function withLdapmodify(plugin: LdapDirectory, server: LdapServer): Promise<Rates> {
  const additions = servers.map((one) => plugin.preview(one, true, context())).join("\n\n");
  const removals = servers.map(({ ID }) => `dn: serialNumber=${ID},${SERVERS}\nchangetype: delete`).join("\n\n");
  const run = async (ldif: string) => {
    const { success, output } = await tool("ldapmodify", [
      "-x",
      "-H",
      server.url,
      "-D",
      WATCHER.bindDn,
      "-w",
      WATCHER.password,
    ], `${ldif}\n`);
    if (!success) throw new Error(`Cannot run ldapmodify: ${output}`);
  };
  return { adds: await rate(() => run(additions)), removals: await rate(() => run(removals)) };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN;
}

async function measure(server: LdapServer): Promise<void> {
  await using plugin = new LdapDirectory({ url: server.url, ...WATCHER, baseDn: SERVERS });
  const ways: readonly (readonly [name: string, run: () => Promise<Rates>])[] = [
    ["ldapmodify", () => withLdapmodify(plugin, server)],
    ["LdapDirectory, 1 at a time", () => withPlugin(plugin, 1)],
    ["LdapDirectory, 8 at a time", () => withPlugin(plugin, 8)],
  ];
  const rounds: Rates[][] = [];
  // In turn, so that whatever else the machine does meets all of them.
  for (let round = 0; round < ROUNDS; round++) {
    const rates: Rates[] = [];
    for (const [, run] of ways) rates.push(await run());
    rounds.push(rates);
  }
  print(
    `${server.name}: ${COUNT} servers, median of ${ROUNDS} rounds; a removal by LdapDirectory is a search, then a deletion`,
  );
  print(
    `${"".padEnd(28)}${"adds/s".padStart(10)}${"ratio".padStart(8)}${"removals/s".padStart(14)}${"ratio".padStart(8)}`,
  );
  for (const [index, [name]] of ways.entries()) {
    const of = (kind: keyof Rates) => median(rounds.map((rates) => rates[index]?.[kind] ?? NaN));
    const ratio = (kind: keyof Rates) =>
      median(rounds.map((rates) => (rates[index]?.[kind] ?? NaN) / (rates[0]?.[kind] ?? NaN)));
    print(
      name.padEnd(28) + of("adds").toFixed(0).padStart(10) + ratio("adds").toFixed(2).padStart(8) +
        of("removals").toFixed(0).padStart(14) + ratio("removals").toFixed(2).padStart(8),
    );
  }
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
