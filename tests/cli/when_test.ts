import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openDatabase } from "../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import type { Settlement } from "../../src/model/ledger.ts";
import { announceEvents, madeServerEvent } from "../support/made_events.ts";
import { ProgramDirectory, type ProgramEnd, READ_WRITE, runProgram } from "../support/program.ts";

const LIFE = fileURLToPath(new URL("../../samples/life.jsonl", import.meta.url));
const CREATION = "server/s/creation";

/** A config.ts with one plugin that has a preview, behind a filter. */
function config(filter: string): string {
  return `import { type Config, when } from "oss-watcher";

const pager = {
  name: "Pager",
  notify() { throw new Error("a dry run called notify"); },
  preview: ({ FQDN }: { FQDN: string | null }, created: boolean) => \`\${FQDN} \${created}\`,
};

export default {
  events: {
    creation: ["compute.instance.create.end", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
  },
  plugins: [when(pager, ${filter})],
} satisfies Config;
`;
}

async function dryRun(filter: string, ...args: readonly string[]): Promise<ProgramEnd> {
  using dir = new ProgramDirectory({ "config.ts": config(filter) });
  return await runProgram({ dir: dir.path(), args: ["--dry-run", LIFE, ...args] });
}

/** What the plugin would be told, by the events' keys. */
function toldIn(out: string): readonly (readonly [string, unknown])[] {
  return out.trim().split("\n").flatMap((line) => JSON.parse(line).plugins as { key: string; skipped?: true }[])
    .map(({ key, skipped, ...plugin }) => [key, skipped === true ? "skipped" : plugin] as const);
}

Deno.test("a dry run shows what a filter skips: a server is told whole, or not at all", async () => {
  // Names change in the life of a server; the filter is asked at its creation.
  const filter = `{ subjects: ["server"], match: ({ FQDN }) => FQDN === "beam-ctl-01" }`;
  const { code, out, err } = await dryRun(filter, "--json");
  assert.deepEqual([code, err], [0, ""]);
  const told = toldIn(out);
  assert.ok(told.length > 6);
  const servers = Map.groupBy(told.filter(([key]) => key.startsWith("server/")), ([key]) => key.split("/")[1]);
  assert.equal(servers.size, 2);
  const [[, first], [, second]] = [...servers] as unknown as [[string, typeof told], [string, typeof told]];
  assert.deepEqual(first.map(([, what]) => (what as { preview?: unknown }).preview), [
    "beam-ctl-01 true",
    "beam-ctl-01 false",
  ]);
  assert.deepEqual(second.map(([, what]) => what), ["skipped"]);
  const associations = told.filter(([key]) => key.startsWith("floatingip/"));
  assert.ok(associations.length > 0 && associations.every(([, what]) => what === "skipped"));
});

Deno.test("a dry run says for people that a filter skips an event, with exit code 3 if all are", async () => {
  const { code, out, err } = await dryRun("{ match: () => false }");
  assert.deepEqual([code, err], [3, ""]);
  assert.match(out, /^ {2}Pager would not be called: skipped by its filter \(when\)$/m);
  assert.doesNotMatch(out, /would send/);
});

Deno.test("a dry run names a filter that fails, with exit code 1", async () => {
  const { code, out } = await dryRun(`{ match: () => { throw new Error("boom"); } }`);
  assert.equal(code, 1);
  assert.match(
    out,
    /^ {2}Pager: its preview failed: Cannot make when\.match of Pager: its function in config\.ts threw: boom$/m,
  );
});

Deno.test("wrong options of when are told with the file", async () => {
  const { code, err } = await dryRun(`{ projects: "web" as never }`);
  assert.equal(code, 1);
  assert.match(err, /Cannot make when: projects: must be a list of ids or names, not empty/);
});

Deno.test("events shows what was skipped, and replay tells it where key and plugin are named", async () => {
  using dir = await ledgerDirectory();
  const list = await events(dir, "--state", "skipped");
  assert.equal(list.code, 0);
  assert.match(list.out, /^2026-11-21 20:00:00 {2}skipped {9}0 {2}Cmdb {4}web-1$/m);
  assert.match(
    (await events(dir, "show", CREATION)).out,
    /^Cmdb: skipped at .* UTC, 0 attempts\n {2}its filter \(when\) did not match it, or its creation\nPager: dead at .* UTC, 0 attempts\n {6}- {2}.* permanent: The filter failed$/m,
  );
  const unnamed = await events(dir, "replay", CREATION);
  assert.match(unnamed.out, /^1 replayed, 0 refused$/m);
  const named = await events(dir, "replay", CREATION, "--plugin", "Cmdb");
  assert.deepEqual([named.code, named.out], [0, "1 replayed, 0 refused\n"]);
  assert.equal((await events(dir, "--state", "skipped")).out, "No delivery or notification matches.\n");
});

Deno.test("events replay by key alone refuses what was skipped", async () => {
  using dir = await ledgerDirectory();
  await events(dir, "drop", CREATION);
  const { code, out } = await events(dir, "replay", CREATION, "--plugin", "Cmdb");
  assert.deepEqual([code, out], [0, "1 replayed, 0 refused\n"]);
  using other = await ledgerDirectory("done");
  const refused = await events(other, "replay", CREATION);
  assert.equal(refused.code, 1);
  assert.match(
    refused.out.replace(/\s+/g, " "),
    /Cmdb: it was skipped; name its key and its plugin, and it is told all the same/,
  );
});

async function events(dir: ProgramDirectory, ...args: readonly string[]): Promise<ProgramEnd> {
  return await runProgram({
    dir: dir.path(),
    args: ["events", ...args, "--ledger", dir.path("ledger.db")],
    permissions: READ_WRITE,
  });
}

/** A ledger of a server that Cmdb has skipped, and at which the filter of Pager has failed. */
async function ledgerDirectory(pager: Settlement["outcome"] = "undecided"): Promise<ProgramDirectory> {
  const dir = new ProgramDirectory({});
  using database = openDatabase(dir.path("ledger.db"), { create: true });
  const at = Date.UTC(2026, 10, 21, 20);
  const ledger = new SqliteLedger(database, () => at);
  await ledger.activate(["Cmdb", "Pager"]);
  await announceEvents(ledger, [madeServerEvent("creation", { hostname: "web-1" })]);
  for (const [plugin, outcome] of [["Cmdb", "unneeded"], ["Pager", pager]] as const) {
    const [delivery] = await ledger.ready({ plugin, now: at, limit: 1 });
    const failure = outcome === "undecided" ? { reason: "permanent" as const, error: "The filter failed" } : null;
    const { seq } = delivery!;
    await ledger.settle([{ seq, plugin, outcome, startedAt: at, endedAt: at, failure, dueAt: 0, triedMs: 0 }]);
  }
  return dir;
}
