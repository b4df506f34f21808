// What the page costs: bytes, requests, time to the first view, long tasks; with a list of thousands.
import assert from "node:assert/strict";
import { until } from "../../support/until.ts";
import { LONG_MS } from "../consoles.ts";
import { Browser } from "./browser.ts";
import { ConsoleWorld } from "./console_world.ts";
import { created, deleted, serverOf } from "./stories.ts";

const MOST_BYTES = 150 * 1024;
const MOST_REQUESTS = 80;

let world: ConsoleWorld;
let browser: Browser;

Deno.test.beforeAll(async () => {
  world = await ConsoleWorld.start();
  browser = await Browser.open();
  const servers = Array.from({ length: 400 }, (_, number) => serverOf(number));
  await world.publish(...servers.map(created), ...servers.map(deleted));
});

Deno.test.afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** Bytes of bodies as they were sent, and how many; without those of the API. */
const LOADED = `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter(({ name }) => !name.includes("/api/")).map(({ encodedBodySize }) => encodedBodySize)`;
const FIRST_VIEW = "performance.getEntriesByName('first-contentful-paint')[0].startTime";

/** A megabyte of JSON. */
const TEXT = JSON.stringify(
  Array.from({ length: 20_000 }, (_, id) => ({ id, name: `server-${id}`, tags: ["a", "b"] })),
);

/**
 * How much longer this machine takes now than when nothing else runs on it: at least 1. The time of
 * day counts here, unlike in `slowness()` of cpu.ts: so it does for who looks at a page.
 */
function slownessNow(): number {
  const began = performance.now();
  for (let times = 0; times < 50; times++) JSON.stringify(JSON.parse(TEXT));
  return Math.max(1, (performance.now() - began) / (5 * 65));
}

Deno.test("all files of the page are at most 150 KiB, few requests, and shown at once", async () => {
  const times: number[] = [];
  for (let visit = 0; visit < 3; visit++) {
    await using page = await browser.signIn(world.console);
    await page.page.getByRole("heading", { name: "Plugins" }).waitFor();
    const sizes = await page.page.evaluate(LOADED) as number[];
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(bytes > 20_000 && bytes <= MOST_BYTES, `${bytes} bytes`);
    assert.ok(sizes.length <= MOST_REQUESTS, `${sizes.length} requests`);
    times.push(Number(await page.page.evaluate(FIRST_VIEW)));
    page.assertClean();
  }
  const [quickest, slowness] = [Math.min(...times), slownessNow()];
  assert.ok(
    quickest <= 500 * slowness,
    `first view after ${times.map(Math.round).join(", ")} ms, slowness ${slowness}`,
  );
});

Deno.test("a list of hundreds of events is paged through without long tasks, while it is live", async () => {
  await using page = await browser.signIn(world.console);
  await page.open("#/events", "Events");
  await page.page.getByText("web-399").first().waitFor();
  await page.page.evaluate(
    `globalThis.tasks = []; new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
       .observe({ type: "longtask", buffered: false })`,
  );
  const rows = page.page.locator("main tbody tr");
  for (let pages = 0; pages < 12; pages++) {
    const before = await rows.count();
    await page.button("Show older").click();
    await until(async () => await rows.count() > before, LONG_MS);
  }
  assert.ok(await rows.count() >= 300, `${await rows.count()} rows`);
  const tasks = await page.page.evaluate("tasks") as number[];
  const median = tasks.toSorted((a, b) => a - b)[tasks.length >> 1] ?? 0;
  assert.ok(median < 150 * slownessNow(), `long tasks of ${tasks.map(Math.round).join(", ")} ms`);
  page.assertClean();
});
