import assert from "node:assert/strict";
import { CloudPublisher } from "../../tools/publisher.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import type { Service } from "../../tools/service.ts";
import { bodyOf, type CloudLife, cloudLife } from "../support/cloud_lives.ts";
import { startDirsrv } from "../support/dirsrv.ts";
import { type Attributes, type LdapServer, SERVERS, WATCHER } from "../support/ldap_server.ts";
import { ProgramDirectory, type ProgramEnd, runProgram } from "../support/program.ts";
import { SeededRandom } from "../support/random.ts";
import { startSlapd } from "../support/slapd.ts";
import { came } from "../support/stories.ts";
import { until } from "../support/until.ts";
import { listening, LONG_MS } from "./listening.ts";

const SEED = 20261129;
const LIVES = 200;
/** A server that comes after all others. */
const LAST = "last";

/** What is done by hand, by the server's id. */
interface Edits {
  readonly missing: readonly string[];
  readonly different: readonly string[];
  readonly orphaned: readonly string[];
  readonly unknown: readonly string[];
}

interface Difference {
  readonly kind: string;
  readonly id: string;
  readonly reason: string;
  readonly repairable: boolean;
}

type Entries = Readonly<Record<string, Attributes>>;

Deno.test(`audit finds and repairs what was removed, added and edited by hand in two directories after ${LIVES} lives (seed ${SEED})`, async () => {
  const random = new SeededRandom(SEED);
  const last: CloudLife = { notifications: [came(LAST)], servers: new Map([[LAST, []]]), deleted: [] };
  const lives = [...Array.from({ length: LIVES }, (_, index) => cloudLife(index, random)), last];
  await using slapd = await startSlapd();
  await using dirsrv = await startDirsrv();
  await using rabbit = await startRabbit();
  await using publisher = new CloudPublisher(rabbit.url);
  await publisher.declareExchange("cloud", { durable: true });
  using dir = directory(rabbit.url, {
    Slapd: { url: slapd.url, rdn: ["cn", "serialNumber"] },
    Dirsrv: { url: dirsrv.url, preset: "device" },
  });
  const directories = { Slapd: slapd, Dirsrv: dirsrv };
  await using service = await listening(dir);
  await publish(lives, publisher);
  // Everything is decided: a server that is not there yet would look like one that has gone.
  await until(async () => (await entriesOf(dirsrv, LAST)).length === 1, LONG_MS);
  const before: Record<string, Entries> = {};
  for (const [name, server] of Object.entries(directories)) {
    await untilDelivered(dir, name);
    await becomes(server, { lives, service });
    before[name] = await server.entries();
  }

  const right = await audit(dir);
  assert.deepEqual([right.code, differencesOf(right, "Slapd"), differencesOf(right, "Dirsrv")], [0, [], []], right.err);
  assert.match((await audit(dir, [], { json: false })).out, /^Slapd: holds \d+, as delivered \d+, missing 0/m);

  const edits: Record<string, Edits> = {};
  const foreign: Record<string, Entries> = {};
  for (const [name, server] of Object.entries(directories)) {
    await server.ldif(FOREIGN);
    edits[name] = await editByHand(server, { lives, random, entries: before[name] as Entries });
    foreign[name] = await server.entries(SERVERS, "(o=foreign)");
  }
  const found = await audit(dir);
  assert.equal(found.code, 3, found.err);
  for (const name of Object.keys(directories)) {
    assertFound(differencesOf(found, name), edits[name] as Edits);
  }

  // The unknown entries cannot be repaired.
  const applied = await audit(dir, ["--apply"]);
  assert.equal(applied.code, 3, applied.out + applied.err);
  for (const [name, server] of Object.entries(directories)) {
    const unknown = (edits[name] as Edits).unknown;
    const again = await untilDelivered(dir, name);
    assert.deepEqual([again.code, differencesOf(again, name).map(({ id }) => id).sort()], [3, unknown]);
    for (const id of unknown) await remove(server, id);
    const entries = await server.entries();
    for (const [dn, entry] of Object.entries(foreign[name] as Entries)) assert.deepEqual(entries[dn], entry);
    assert.deepEqual(ours(entries), ours(before[name] as Entries));
  }
  assert.equal((await audit(dir)).code, 0);

  // Without the service, the repair waits for it.
  assert.equal((await service.end("SIGTERM")).code, 0);
  const [removed = ""] = lives.flatMap(({ servers }) => [...servers.keys()]);
  await remove(slapd, removed);
  const waiting = await audit(dir, ["--apply", "--plugin", "Slapd"]);
  assert.deepEqual([waiting.code, differencesOf(waiting, "Slapd").map(({ id }) => id)], [0, [removed]]);
  const inWork = await audit(dir, ["--plugin", "Slapd"]);
  assert.deepEqual([inWork.code, differencesOf(inWork, "Slapd")], [0, []]);
  await using again = await listening(dir);
  await untilDelivered(dir, "Slapd");
  assert.deepEqual(ours(await slapd.entries()), ours(before["Slapd"] as Entries));
  assert.ok(!/ERROR/.test(service.log + again.log), service.log);
});

function directory(
  url: string,
  plugins: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): ProgramDirectory {
  const made = Object.entries(plugins).map(([name, options]) =>
    `new LdapDirectory(${JSON.stringify({ name, baseDn: SERVERS, ...WATCHER, ...options })})`
  );
  return new ProgramDirectory({
    "config.ts": `import { LdapDirectory } from "oss-watcher/plugins";
      export default {
        events: {
          creation: ["compute.instance.create.end", "floatingip.update.end"],
          deletion: ["compute.instance.delete.end", "floatingip.update.end"],
        },
        plugins: [${made.join(", ")}],
        rabbit: ${JSON.stringify({ url, queue: { name: "oss-watcher", exchanges: ["cloud"], type: "classic" } })},
        retry: { firstDelaySeconds: 0.1, maxDelaySeconds: 0.5 },
        ledger: { file: "./ledger.db", keepDays: 36500 },
      };`,
  });
}

async function publish(lives: readonly CloudLife[], publisher: CloudPublisher): Promise<void> {
  const waiting = lives.flatMap(({ notifications }) => notifications);
  for (const notification of waiting) {
    await publisher.publish({ exchange: "cloud", routingKey: "notifications.info", body: bodyOf(notification) });
  }
}

async function becomes(
  server: LdapServer,
  { lives, service }: { readonly lives: readonly CloudLife[]; readonly service: Service },
): Promise<void> {
  const wanted = lives.flatMap(({ servers }) => [...servers]).map(([id, addresses]) => [id, [...addresses]]).sort();
  const held = async () => {
    const entries = Object.values(await server.entries(SERVERS, "(description=oss-watcher)"));
    return entries.map(({ serialnumber, description = [] }) => [
      serialnumber?.[0],
      description.filter((value) => value.startsWith("floating ")).map((value) => value.slice(9)),
    ]).sort();
  };
  await until(async () => JSON.stringify(await held()) === JSON.stringify(wanted), LONG_MS)
    .catch(async () => assert.deepEqual(await held(), wanted, `${server.name}\n${service.log}`));
}

/** Entries that look like ours without being it: without the mark, with another's, without an ID. */
const FOREIGN = Array.from({ length: 20 }, (_, index) =>
  [
    [`unmarked ${index}`, `serialNumber: ${String(index).padStart(4, "0")}-a`, "description: by hand"],
    [`other ${index}`, `serialNumber: other-${index}`, "description: oss-watcher-2"],
    [`no id ${index}`, "description: oss-watcher"],
  ].map(([name, ...lines]) => [`dn: cn=${name},${SERVERS}`, "objectClass: device", "o: foreign", ...lines].join("\n"))
    .join("\n\n")).join("\n\n");

async function editByHand(
  server: LdapServer,
  { lives, random, entries }: {
    readonly lives: readonly CloudLife[];
    readonly random: SeededRandom;
    readonly entries: Entries;
  },
): Promise<Edits> {
  const all = new Map(lives.flatMap(({ servers }) => [...servers]));
  const there = random.shuffled([...all.keys()]);
  const withFloating = there.filter((id) => all.get(id)?.length === 1);
  const missing = there.slice(0, 12);
  for (const id of missing) await remove(server, id);
  const left = new Set(there.slice(12));
  const dnOf = (id: string) => Object.keys(entries).find((dn) => entries[dn]?.["serialnumber"]?.[0] === id) as string;
  const changes: readonly ((id: string) => string)[] = [
    () => "add: description\ndescription: by hand",
    () => "add: description\ndescription: floating 198.51.100.7",
    () => "add: macAddress\nmacAddress: fa:16:3e:ff:ff:ff",
    () => "replace: l\nl: by hand",
    (id) => `delete: description\ndescription: floating ${all.get(id)?.[0]}`,
  ];
  const usable = changes.filter((_, index) => server.name === "slapd" || index !== 2);
  const different: string[] = [];
  for (const [index, change] of usable.entries()) {
    const candidates = index === usable.length - 1 ? withFloating : there;
    for (const id of candidates.filter((one) => left.has(one)).slice(0, 4)) {
      left.delete(id);
      different.push(id);
      await server.ldif(`dn:: ${base64(dnOf(id))}\nchangetype: modify\n${change(id)}\n-\n`);
    }
  }
  // Attributes that are not ours stay, and make no difference.
  const [extended = ""] = left;
  await server.ldif(`dn:: ${base64(dnOf(extended))}\nchangetype: modify\nadd: o\no: by hand\n-\n`);
  const orphaned = random.shuffled(lives.flatMap(({ deleted }) => deleted)).slice(0, 5);
  const unknown = ["ffff-a", "ffff-b"];
  for (const id of [...orphaned, ...unknown]) {
    await server.ldif(
      `dn: cn=by hand ${id},${SERVERS}\nobjectClass: device\nserialNumber: ${id}\ndescription: oss-watcher`,
    );
  }
  return { missing, different, orphaned, unknown };
}

function assertFound(found: readonly Difference[], edits: Edits): void {
  const ids = (kind: string, repairable = true) =>
    found.filter((one) => one.kind === kind && one.repairable === repairable).map(({ id }) => id).sort();
  assert.deepEqual(ids("missing"), [...edits.missing].sort());
  assert.deepEqual(ids("different"), [...edits.different].sort());
  assert.deepEqual(ids("orphaned"), [...edits.orphaned].sort());
  assert.deepEqual(ids("orphaned", false), [...edits.unknown].sort());
}

/** Entries with our mark, without what was added to one of them by hand. */
function ours(entries: Entries): Entries {
  const own = Object.entries(entries).filter(([, entry]) =>
    entry["description"]?.includes("oss-watcher") && entry["serialnumber"] !== undefined
  );
  return Object.fromEntries(own.map(([dn, { o: _, ...entry }]) => [dn, entry]));
}

async function entriesOf(server: LdapServer, id: string): Promise<readonly string[]> {
  return Object.keys(await server.entries(SERVERS, `(&(description=oss-watcher)(serialNumber=${id}))`));
}

async function remove(server: LdapServer, id: string): Promise<void> {
  for (const dn of await entriesOf(server, id)) await server.ldif(`dn:: ${base64(dn)}\nchangetype: delete\n`);
}

async function audit(
  dir: ProgramDirectory,
  args: readonly string[] = [],
  { json = true }: { readonly json?: boolean } = {},
): Promise<ProgramEnd> {
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-net"];
  const end = await runProgram({ dir: dir.path(), args: ["audit", ...json ? ["--json"] : [], ...args], permissions });
  assert.ok(!`${end.out}${end.err}`.includes(WATCHER.password));
  return end;
}

/** Audits until no delivery waits; none may be given up. */
async function untilDelivered(dir: ProgramDirectory, plugin: string): Promise<ProgramEnd> {
  for (;;) {
    const end = await audit(dir, ["--plugin", plugin]);
    const { plugins: [{ notJudged }] } = JSON.parse(end.out);
    if (notJudged.unfinished + notJudged.changing > 0) continue;
    const dead = await runProgram({ dir: dir.path(), args: ["events", "--state", "dead"] });
    assert.equal(notJudged.givenUp + notJudged.unknown + notJudged.failing, 0, end.out + dead.out);
    return end;
  }
}

function differencesOf({ out, err }: ProgramEnd, plugin: string): readonly Difference[] {
  assert.ok(out.startsWith("{"), err);
  const { plugins } = JSON.parse(out) as { plugins: { plugin: string; differences: Difference[] }[] };
  return plugins.find((one) => one.plugin === plugin)?.differences ?? [];
}

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
