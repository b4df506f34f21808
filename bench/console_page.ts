/**
 * The console's page in Chromium, beside a ledger of a million events on SQLite: how soon each screen
 * shows what it is for, and how long the browser's thread was busy at once.
 * `deno run -A bench/console_page.ts [EVENTS [FILE]]`; a FILE that does not exist is made, in some
 * minutes, and kept.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- figures on the terminal are what it is for

import { join } from "node:path";
import type { EventsAnswer } from "../src/console/api.ts";
import { Browser, type WatchedPage } from "../tests/console/browser/browser.ts";
import { RunningConsole } from "../tests/console/consoles.ts";
import { until } from "../tests/support/until.ts";
import { growLedger, makeDead } from "./grow_ledger.ts";

const PLUGIN = "Cmdb";
const VISITS = 5;
/** Pages of 100 deliveries that the list of events is continued by. */
const PAGES = 40;
const LONG_MS = 300_000;

interface Screen {
  readonly name: string;
  readonly hash: string;
  /** What the main part says when it is shown. */
  readonly shows: RegExp;
}

const events = Number(Deno.args[0] ?? 1_000_000);
const dir = await Deno.makeTempDir({ prefix: "oss-watcher-bench-" });
try {
  const file = Deno.args[1] ?? join(dir, "ledger.db");
  if (!await Deno.stat(file).then(() => true, () => false)) {
    await growLedger(file, { events, plugin: PLUGIN });
    makeDead(file);
  }
  const plugins = `new EventLog({ name: "${PLUGIN}", file: "events.log" })`;
  await using running = await RunningConsole.start({ plugins });
  await running.service.end("SIGTERM");
  await Deno.remove(running.dir.path("ledger.db"));
  await Deno.symlink(await Deno.realPath(file), running.dir.path("ledger.db"));
  await running.restart();
  const session = await running.signIn();
  const { rows: [row], newest } = await session.get<EventsAnswer>("events?state=dead&limit=1");
  if (row === undefined) throw new Error("The ledger has no dead letter");
  await using browser = await Browser.open();
  console.log(
    `${newest} events, ${VISITS} visits: ms until shown, and the longest task (each the median and the most)`,
  );
  for (const screen of Deno.args[2] === "list" ? [] : screensOf(row)) await visit(screen, { running, browser });
  await pageThrough({ running, browser });
} finally {
  await Deno.remove(dir, { recursive: true });
}

function screensOf({ key, serverId, name }: EventsAnswer["rows"][number]): readonly Screen[] {
  const text = encodeURIComponent(name ?? "");
  return [
    { name: "Overview", hash: "#/", shows: /Dead letters\s+[1-9][^]*The last hour/ },
    { name: "Events", hash: "#/events", shows: /\d shown|These are all/ },
    { name: "Events, dead letters", hash: "#/events?state=dead", shows: /\d shown|These are all/ },
    { name: "Events, deletions", hash: "#/events?kind=deletion", shows: /\d shown|These are all/ },
    { name: "Events, a server's id", hash: `#/events?text=${serverId}`, shows: /These are all/ },
    {
      name: "Events, a name: the first answer",
      hash: `#/events?text=${text}`,
      shows: /searched back to|These are all/,
    },
    { name: "Event", hash: `#/event?key=${encodeURIComponent(key)}`, shows: /Deliveries[^]*Detail/ },
    { name: "Server", hash: `#/server?id=${serverId}`, shows: /Its life/ },
    { name: "Dead letters", hash: "#/dead-letters", shows: /One by one[^]*dead letter/ },
    { name: "Plugins", hash: "#/plugins", shows: new RegExp(PLUGIN) },
    { name: "Plugin", hash: `#/plugins/${PLUGIN}`, shows: /Settings/ },
    { name: "Drift", hash: "#/drift", shows: /No cloud is configured/ },
    { name: "Cluster", hash: "#/cluster", shows: /does all the work/ },
    { name: "Try", hash: "#/try", shows: /Notification or recording/ },
    { name: "Audit log", hash: "#/audit-log", shows: /sign-in/ },
  ];
}

interface Stand {
  readonly running: RunningConsole;
  readonly browser: Browser;
}

/** Each visit is a new page, whose files are loaded anew. */
async function visit({ name, hash, shows }: Screen, { running, browser }: Stand): Promise<void> {
  const [shown, longest]: [number[], number[]] = [[], []];
  for (let time = 0; time < VISITS; time++) {
    await using page = await browser.signIn(running);
    await page.page.goto("about:blank");
    const startedMs = performance.now();
    await page.page.goto(`${running.url}/${hash}`);
    await watchTasks(page);
    await until(async () => shows.test(await page.main().innerText()), LONG_MS);
    shown.push(performance.now() - startedMs);
    longest.push(Math.max(0, ...await tasksOf(page)));
  }
  console.log(`  ${name.padEnd(34)} ${figures(shown)}   ${figures(longest)}`);
}

async function pageThrough({ running, browser }: Stand): Promise<void> {
  await using page = await browser.signIn(running);
  await page.open("#/events", "Events");
  await watchTasks(page);
  const rows = page.page.locator("main tbody tr");
  await until(async () => await rows.count() > 0, LONG_MS);
  const took: number[] = [];
  for (let time = 0; time < PAGES; time++) {
    const before = await rows.count();
    const startedMs = performance.now();
    await page.button("Show older").click();
    await until(async () => await rows.count() > before, LONG_MS);
    took.push(performance.now() - startedMs);
  }
  const count = await rows.count();
  const atTheEnd = await tasksOf(page);
  // The list is renewed every two seconds, also while it is long.
  await page.page.waitForTimeout(6000);
  console.log(`  ${PAGES} times "Show older", to ${count} rows: ms each ${figures(took)}`);
  console.log(`  tasks over 50 ms meanwhile: ${atTheEnd.map(Math.round).join(", ") || "none"}`);
  const idle = (await tasksOf(page)).slice(atTheEnd.length);
  console.log(`  and in the next 6 s: ${idle.map(Math.round).join(", ") || "none"}`);
}

/** Chromium tells of tasks of 50 ms and more. */
async function watchTasks(page: WatchedPage): Promise<void> {
  await page.page.evaluate(
    `globalThis.tasks ??= []; new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
       .observe({ type: "longtask", buffered: true })`,
  );
}

async function tasksOf(page: WatchedPage): Promise<readonly number[]> {
  return await page.page.evaluate("tasks") as number[];
}

function figures(times: readonly number[]): string {
  const sorted = times.toSorted((one, other) => one - other);
  const [middle = 0, most = 0] = [sorted[sorted.length >> 1], sorted.at(-1)];
  return `${middle.toFixed(0).padStart(6)} ${most.toFixed(0).padStart(6)}`;
}
