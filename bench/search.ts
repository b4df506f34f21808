/**
 * Times of the console's searches on a ledger of a million events, on SQLite and on PostgreSQL.
 * `deno run -A bench/search.ts [EVENTS [FILE]]`; a FILE that does not exist is made, in some
 * minutes, and kept.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- figures on the terminal are what it is for

import { join } from "node:path";
import process from "node:process";
import { copyLedger } from "../src/ledger/copy/copy_ledger.ts";
import { openCopySource, openCopyTarget, openOperations } from "../src/ledger/open_ledger.ts";
import type { LedgerPlace } from "../src/ledger/place.ts";
import type { EventSearch, SearchQuery } from "../src/model/event_search.ts";
import type { LedgerOperations } from "../src/model/operations.ts";
import { startPostgres } from "../tools/postgres/server.ts";
import { growLedger, makeDead } from "./grow_ledger.ts";

const PLUGIN = "Idle0";

/** Calls of each kind. */
const CALLS = 60;

/** What is measured: calls, each of which takes a time. */
type Kind = readonly [name: string, call: (search: EventSearch, at: number) => Promise<unknown>];

const events = Number(Deno.args[0] ?? 1_000_000);
const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
try {
  const file = Deno.args[1] ?? join(dir, "ledger.db");
  if (!await isThere(file)) await growLedger(file, { events, plugin: PLUGIN });
  makeDead(file);
  await measure("SQLite", { file });
  await using server = await startPostgres();
  const place: LedgerPlace = { postgres: { url: server.url, schema: "search" } };
  await copy({ file }, place);
  await measure("PostgreSQL", place);
} finally {
  await Deno.remove(dir, { recursive: true });
}

async function measure(engine: string, place: LedgerPlace): Promise<void> {
  await using operations = await openOperations(place);
  const { search } = operations;
  console.log(`${engine}, ${await search.newest()} events: milliseconds a call, p50 and p99; processor time, p50`);
  for (const [name, call] of await kindsOf(operations)) {
    const [took, worked]: [number[], number[]] = [[], []];
    for (let at = 0; at < CALLS; at++) {
      const [startedMs, before] = [performance.now(), process.cpuUsage()];
      await call(search, at);
      took.push(performance.now() - startedMs);
      const { user, system } = process.cpuUsage(before);
      worked.push((user + system) / 1000);
    }
    const share = (of: readonly number[], part: number) =>
      of.toSorted((one, other) => one - other)[Math.ceil(part * of.length) - 1]!.toFixed(1).padStart(7);
    console.log(`  ${name.padEnd(44)} ${share(took, 0.5)} ${share(took, 0.99)} ${share(worked, 0.5)}`);
  }
  for (const query of [{ text: "nobody-has-this-name" }, { kind: "update" } as const]) {
    const startedMs = performance.now();
    let pages = 1;
    for (let next = (await search.search({ ...query, limit: 50 })).next; next !== null; pages++) {
      next = (await search.search({ ...query, limit: 50, before: next })).next;
    }
    const seconds = (performance.now() - startedMs) / 1000;
    console.log(`  ${JSON.stringify(query)} through all events: ${pages} pages, ${seconds.toFixed(1)} s`);
  }
}

async function kindsOf(operations: LedgerOperations): Promise<readonly Kind[]> {
  const { search } = operations;
  const newest = await search.newest();
  /** Places all over the ledger. */
  const before = (at: number) => ({ seq: Math.floor(newest * (at + 1) / (CALLS + 1)), plugin: 0 });
  const sample = async (at: number) => (await search.search({ limit: 1, before: before(at) })).rows[0]!;
  const samples = await Promise.all(Array.from({ length: CALLS }, (_, at) => sample(at)));
  const page = (query: Omit<SearchQuery, "limit">, isAnywhere = false): Kind[1] => (search, at) =>
    search.search({ ...query, limit: 50, ...isAnywhere ? { before: before(at) } : {} });
  const text = (of: (row: typeof samples[number]) => string | null, isNear = false): Kind[1] => (search, at) => {
    const row = samples[at]!;
    return search.search({
      text: of(row) ?? "?",
      limit: 50,
      ...isNear ? { before: { seq: row.seq + 100, plugin: 0 } } : {},
    });
  };
  return [
    ["the newest page", page({})],
    ["a page anywhere", page({}, true)],
    ["of a plugin, anywhere", page({ plugin: PLUGIN }, true)],
    ["dead letters, newest", page({ state: "dead" })],
    ["dead letters, anywhere", page({ state: "dead" }, true)],
    ["waiting: there is none", page({ state: "waiting" })],
    ["dropped: there is none", page({ state: "dropped" })],
    ["deletions, anywhere", page({ kind: "deletion" }, true)],
    ["updates: there is none; one page", page({ kind: "update" }, true)],
    [
      "an hour's, by time",
      (search, at) => search.search({ since: samples[at]!.at, until: samples[at]!.at + 1000, limit: 50 }),
    ],
    ["the id of a server", text(({ serverId }) => serverId)],
    ["a key", text(({ key }) => key)],
    ["the beginning of a key that many have", page({ text: "server/" }, true)],
    ["a name, near", text(({ name }) => name, true)],
    ["an address, near", text(({ address }) => address, true)],
    ["the id of a project, near", text(({ projectId }) => projectId, true)],
    ["a text that nothing has; one page", page({ text: "nobody-has-this-name" }, true)],
    ["life of a server", (search, at) => search.life(samples[at]!.serverId!)],
    ["groups of dead letters", (search, at) => at < 5 ? search.deadGroups() : Promise.resolve()],
    ["1,000 keys of dead letters", (search) => search.deadKeys({ plugin: PLUGIN }, { after: 0, limit: 1000 })],
  ];
}

async function copy(from: LedgerPlace, to: LedgerPlace): Promise<void> {
  await using source = await openCopySource(from);
  await using target = await openCopyTarget(to);
  const { signal } = new AbortController();
  await copyLedger({
    source,
    target,
    now: Date.now(),
    signal,
    onProgress: () => {},
    onResumed: () => {},
    onBeganAgain: () => {},
  });
}

async function isThere(file: string): Promise<boolean> {
  return await Deno.stat(file).then(() => true, () => false);
}
