// Every screen in Chromium, on PostgreSQL with a cloud: what it shows, that nothing of it is wider than
// the window, that axe has nothing to say, light and dark. With UPDATE_SCREENSHOTS=1 its pictures are
// written to docs/console/.
import assert from "node:assert/strict";
import type { DriftAnswer, HistoryAnswer } from "../../../src/console/api.ts";
import { idOf } from "../../support/made_cloud.ts";
import { until } from "../../support/until.ts";
import { LONG_MS } from "../consoles.ts";
import { assertAccessible } from "./accessibility.ts";
import { Browser } from "./browser.ts";
import { ConsoleWorld } from "./console_world.ts";
import { arePicturesWanted, takePicture } from "./pictures.ts";
import { created, deleted, serverOf } from "./stories.ts";

let world: ConsoleWorld;
let browser: Browser;
const SERVER = serverOf(7, { name: "shop-web-01", address: "10.0.0.7" });

Deno.test.beforeAll(async () => {
  world = await ConsoleWorld.start({ isWhole: true });
  browser = await Browser.open();
  const others = Array.from({ length: 12 }, (_, number) => serverOf(100 + number));
  await world.publish(...others.map(created), ...others.slice(0, 5).map(deleted), created(SERVER), deleted(SERVER));
  await world.settled("plugin=Billing&state=dead", 19);
  await world.settled("plugin=Monitoring&state=retrying", 1);
  await world.session.json("POST", "plugins/pause", { name: "EventLog" });
  if (arePicturesWanted()) await fillCharts();
  for (const number of [3, 4]) world.cloud?.remove("servers", idOf("5e", number));
  await world.session.json("POST", "drift/compare", { apply: false, force: false });
  await until(async () => (await world.session.get<DriftAnswer>("drift")).running?.state === "done", LONG_MS);
});

/** Charts have a step each half minute. */
async function fillCharts(): Promise<void> {
  let number = 500;
  await until(async () => {
    await world.publish(created(serverOf(number++)));
    // Few events: the pictures are of others.
    await new Promise((resolve) => setTimeout(resolve, 6000));
    const { events } = await world.session.get<HistoryAnswer>("history?range=hour");
    return events.filter((count) => count !== null).length > 3;
  }, LONG_MS * 2);
}

Deno.test.afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

interface Screen {
  readonly name: string;
  readonly hash: () => string;
  readonly heading: string | RegExp;
  /** What must be there before it counts as shown. */
  readonly shows: RegExp;
  /** Of its picture. @default 800 */
  readonly height?: number;
}

const KEY = `server/${SERVER.id}/deletion`;
const SCREENS: readonly Screen[] = [
  {
    name: "overview",
    hash: () => "#/",
    heading: "Overview",
    shows: /3 problems[^]*Dead letters\s+[1-9][^]*The last hour/,
    height: 1300,
  },
  { name: "events", hash: () => "#/events", heading: "Events", shows: /server deleted[^]*shop-web-01/ },
  {
    name: "event",
    hash: () => `#/event?key=${encodeURIComponent(KEY)}`,
    heading: /shop-web-01/,
    shows: /no such owner/,
  },
  {
    name: "server",
    hash: () => `#/server?id=${SERVER.id}`,
    heading: /shop-web-01/,
    shows: /1 dead letter|2 dead letter/,
  },
  { name: "dead-letters", hash: () => "#/dead-letters", heading: "Dead letters", shows: /Billing[^]*shop-web-01/ },
  { name: "plugins", hash: () => "#/plugins", heading: "Plugins", shows: /Monitoring/ },
  { name: "plugin", hash: () => "#/plugins/Monitoring", heading: /Monitoring/, shows: /The target is down/ },
  {
    name: "drift",
    hash: () => "#/drift",
    heading: "Drift",
    shows: /was told and is gone[^]*The last comparison/,
  },
  { name: "cluster", hash: () => "#/cluster", heading: "Cluster", shows: /controller-1/ },
  { name: "try", hash: () => "#/try", heading: "Try", shows: /Notification or recording/ },
  { name: "audit-log", hash: () => "#/audit-log", heading: "Audit log", shows: /EventLog/ },
];

for (const { name, hash, heading, shows, height } of SCREENS) {
  Deno.test(`${name} shows what it should, light and dark, from 360 px to 4K, without a violation`, async () => {
    for (const scheme of ["light", "dark"] as const) {
      await using page = await browser.signIn(world.console, { scheme });
      await page.open(hash(), heading);
      await until(async () => shows.test(await page.main().innerText()), LONG_MS);
      for (const width of [360, 900, 1280, 3840]) {
        await page.page.setViewportSize({ width, height: width < 900 ? 740 : Math.round(width * 0.5625) });
        assert.ok(await page.overflow() <= 0, `${name} at ${width} px is ${await page.overflow()} px too wide`);
        const middles = await page.page.locator(".top > :visible:not(form)").evaluateAll((all) =>
          all.map((one) => one.getBoundingClientRect()).map(({ top, bottom }) => (top + bottom) / 2)
        );
        const lines = `the head at ${width} px has more than one line: ${middles}`;
        assert.ok(Math.max(...middles) - Math.min(...middles) < 12, lines);
        if (width === 360 || width === 1280) await assertAccessible(page, `${name}, ${scheme}, ${width} px`);
      }
      await takePicture(page, `${name}-${scheme}`, height);
      page.assertClean();
    }
  });
}

/** Elements that are told apart by their colour alone, and would not be: the browser replaces it. */
const UNSEEN = `[...document.querySelectorAll("main :is(.swatch, .mark, .stretch, .switch [aria-current])")]
  .filter((element) => getComputedStyle(element).forcedColorAdjust !== "none")
  .map(({ outerHTML }) => outerHTML.slice(0, 100))`;

/** Whatever moves, or would when the pointer comes. */
const MOVING = `[...document.querySelectorAll("*")].flatMap((element) => ["", "::before", "::after"].map((part) => {
  const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(element, part);
  return [animationName, transitionDuration, scrollBehavior].join(" ");
})).filter((words) => words !== "none 0s auto")`;

for (const scheme of ["light", "dark"] as const) {
  Deno.test(`with the system's own colours (${scheme}) what is shown by colour is still seen, on every screen`, async () => {
    await using page = await browser.signIn(world.console, { scheme, forcedColors: true });
    for (const { name, hash, heading, shows } of SCREENS) {
      await page.open(hash(), heading);
      await until(async () => shows.test(await page.main().innerText()), LONG_MS);
      assert.equal(await page.page.evaluate("matchMedia('(forced-colors: active)').matches"), true);
      assert.deepEqual(await page.page.evaluate(UNSEEN), [], name);
      await assertAccessible(page, `${name}, forced colours, ${scheme}`);
    }
    page.assertClean();
  });
}

Deno.test("where no motion is wanted nothing moves, on every screen", async () => {
  await using page = await browser.signIn(world.console, { motion: "reduce" });
  for (const { name, hash, heading, shows } of SCREENS) {
    await page.open(hash(), heading);
    await until(async () => shows.test(await page.main().innerText()), LONG_MS);
    assert.deepEqual(await page.page.evaluate(MOVING), [], name);
    assert.equal(await page.page.evaluate("document.getAnimations().length"), 0);
  }
  // The browser moves a bar that has no value by itself.
  const bar = `(() => {
    const bar = document.createElement("progress");
    document.querySelector("main").append(bar);
    return getComputedStyle(bar).appearance;
  })()`;
  assert.equal(await page.page.evaluate(bar), "none");
  page.assertClean();
});

Deno.test("each number of the overview, a server and a comparison leads to as many as it says", async () => {
  await using page = await browser.signIn(world.console);
  const countable: readonly (readonly [hash: string, heading: RegExp, links: string])[] = [
    ["#/", /Overview/, "main .plugin-table a[aria-label]"],
    ["#/", /Overview/, "main .tile small a[href*='state=']"],
    ["#/plugins/Monitoring", /Monitoring/, "main .figures-line a"],
    [`#/server?id=${SERVER.id}`, /shop-web-01/, "main .told-table .chips a"],
    ["#/drift", /Drift/, "main .comparison dd a"],
  ];
  // Retries go on meanwhile.
  await world.session.json("POST", "plugins/pause", { name: "Monitoring" });
  for (const [hash, heading, links] of countable) {
    await page.open(hash, heading);
    const numbers = await until(async () => {
      const found = await page.page.locator(links).evaluateAll((all) =>
        all.map((link) => [link.getAttribute("href"), link.textContent] as const)
      );
      const read = found.map(([href, text]) => [String(href), Number(/\d+/.exec(String(text))?.[0])] as const);
      return read.some(([, number]) => number > 0) ? read : null;
    }, LONG_MS);
    for (const [href, number] of numbers) {
      if (number === 0 || href.startsWith("#/dead-letters")) continue;
      await page.open(href, href.startsWith("#/drift") ? "Drift" : "Events");
      const rows = page.page.locator(href.startsWith("#/drift") ? "main .difference-table tbody tr" : "main .chip");
      await until(async () => await rows.count() === number, LONG_MS);
    }
  }
  await world.session.json("POST", "plugins/resume", { name: "Monitoring" });
  page.assertClean();
});

Deno.test("a screen's address opened directly, back and forward show what they name", async () => {
  await using page = await browser.signIn(world.console);
  await page.open(`#/events?plugin=Billing&state=dead`, "Events");
  await page.page.getByRole("table").waitFor();
  assert.equal(await page.page.getByLabel("Plugin").inputValue(), "Billing");
  await page.page.getByLabel("Kind").selectOption("deletion");
  await until(() => page.page.url().includes("kind=deletion"));
  await page.link(/server deleted/).first().click();
  await page.page.getByRole("heading", { level: 2, name: "Deliveries" }).waitFor();
  await page.page.goBack();
  await page.heading("Events");
  assert.equal(await page.page.getByLabel("Kind").inputValue(), "deletion");
  await page.page.goBack();
  await until(async () => await page.page.getByLabel("Kind").inputValue() === "");
  await page.page.goForward();
  await until(async () => await page.page.getByLabel("Kind").inputValue() === "deletion");
  page.assertClean();
});

Deno.test("an address that does not exist, an unknown event and an unknown server say what to do", async () => {
  await using page = await browser.signIn(world.console, { expected: /404/ });
  await page.open("#/nowhere", "Not found");
  await page.open("#/event?key=server/none/creation", "Event");
  await page.link("Search for its key").waitFor();
  await page.open("#/server?id=none", "Server");
  await page.link("Search for its id").waitFor();
  await page.open("#/plugins/None", "Plugins");
  await page.link("All plugins").waitFor();
  page.assertClean();
});
