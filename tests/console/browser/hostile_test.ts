// What tenants and targets write is text on every screen: nothing runs, nothing is loaded, the layout
// holds.
import assert from "node:assert/strict";
import { MAX_TEXT } from "../../../src/model/bounds.ts";
import { until } from "../../support/until.ts";
import { HOSTILE_TEXTS } from "../../../src/testing/hostile_texts.ts";
import { LONG_MS } from "../consoles.ts";
import { assertAccessible } from "./accessibility.ts";
import { Browser, type WatchedPage } from "./browser.ts";
import { ConsoleWorld } from "./console_world.ts";
import { created, deleted, serverOf, type StoryServer, textOf } from "./stories.ts";

const MARKUP = `"><img src=x onerror="pwned=1"><script>pwned=2</script><svg onload="pwned=3">` +
  `<a href="javascript:pwned=4">x</a><iframe srcdoc="<script>parent.pwned=5</script>"></iframe><style>*{display:none}</style>`;
const TURNED = "abc\u202Egnp.exe\u2066\u200f \u0007\u001b[2J\u0000\u200b\ufeff\u{e0041}";
const ZALGO = `z${"\u0300\u0316\u0489".repeat(200)}`;
/** The longest text that the service keeps, in one word; longer ones: long_texts_test.ts. */
const LONG = "W".repeat(MAX_TEXT);

/** What each of the hostile servers has in every field that a tenant fills. */
const TEXTS: Readonly<Record<string, string>> = {
  "markup": MARKUP,
  "marks that turn the text": TURNED,
  "towers of accents": ZALGO,
  "the longest text without a blank": LONG,
  "a name of a property": "__proto__",
  "templates": HOSTILE_TEXTS["templates and formats"] ?? "",
  "lines": HOSTILE_TEXTS["CR LF and a header"] ?? "",
};

let world: ConsoleWorld;
let browser: Browser;
let servers: readonly StoryServer[];

Deno.test.beforeAll(async () => {
  // A target's error texts are as hostile as a tenant's.
  world = await ConsoleWorld.start({ refusal: () => new Response(`${MARKUP}${TURNED}`, { status: 422 }) });
  browser = await Browser.open();
  servers = Object.values(TEXTS).map((text, number) =>
    serverOf(number, {
      name: text,
      metadata: { owner: text.slice(0, 1000), description: text, [text.slice(0, 200)]: text.slice(0, 200) },
    })
  );
  await world.publish(...servers.map(created), ...servers.map(deleted));
  await world.settled("plugin=Billing&state=dead", servers.length * 2);
});

Deno.test.afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** Nothing of a value has become more than text. */
async function assertHarmless(page: WatchedPage, where: string): Promise<void> {
  assert.equal(await page.page.evaluate("typeof pwned"), "undefined", where);
  const foreign = await page.page.evaluate(
    `[...document.querySelectorAll("main :is(script, iframe, img, object, embed, style, link, base, meta, a[href^='javascript'])")]
       .filter((element) => element.getAttribute("src") !== "icon.svg").map((element) => element.outerHTML.slice(0, 100))`,
  );
  assert.deepEqual(foreign, [], where);
  assert.ok(await page.overflow() <= 0, `${where} is ${await page.overflow()} px too wide`);
  const turned = await page.page.evaluate(
    `[...document.querySelectorAll("main *")].some((element) => [...element.childNodes].some((node) =>
       node.nodeType === 3 && /[\\u202a-\\u202e\\u2066-\\u2069\\u0000-\\u0008]/.test(node.data)))`,
  );
  assert.equal(turned, false, `${where} shows a character that turns or hides text`);
  page.assertClean();
}

for (const [number, what] of Object.keys(TEXTS).entries()) {
  Deno.test(`an event and a server with ${what} in every field show it as text`, async () => {
    await using page = await browser.signIn(world.console);
    for (const width of [360, 1280]) {
      await page.page.setViewportSize({ width, height: 800 });
      const id = servers[number]?.id;
      await page.open(`#/event?key=server/${id}/creation`, /server created/);
      await page.page.getByRole("heading", { name: "Detail" }).waitFor();
      await page.page.getByRole("button", { name: "Show", exact: true }).click();
      await until(async () => /Cmdb\s+notify/.test(await page.main().innerText()), LONG_MS);
      await page.openAll();
      await assertHarmless(page, `the event, ${width} px`);
      await page.open(`#/server?id=${id}`, /Server/);
      await page.page.getByRole("heading", { name: "Its life" }).waitFor();
      await page.openAll();
      await assertHarmless(page, `the server, ${width} px`);
    }
  });
}

Deno.test("lists, dead letters and the audit log show hostile texts as text, on narrow screens as well", async () => {
  await using page = await browser.signIn(world.console, { user: `${MARKUP}${TURNED}`.slice(0, 200) });
  await page.open("#/dead-letters", "Dead letters");
  await page.page.getByRole("table").waitFor();
  for (const width of [360, 1280]) {
    await page.page.setViewportSize({ width, height: 800 });
    for (
      const [hash, heading] of [
        ["#/", "Overview"],
        ["#/events", "Events"],
        [`#/events?text=${encodeURIComponent(MARKUP)}&plugin=${encodeURIComponent(MARKUP)}`, "Events"],
        ["#/dead-letters", "Dead letters"],
        [`#/plugins/${encodeURIComponent(MARKUP)}`, "Plugins"],
        ["#/plugins/Billing", /Billing/],
        ["#/audit-log", "Audit log"],
      ] as const
    ) {
      await page.open(hash, heading);
      await page.page.locator("main .loading").waitFor({ state: "detached" });
      await assertHarmless(page, `${hash}, ${width} px`);
    }
  }
  await assertAccessible(page, "the audit log");
});

Deno.test("Try shows what is hostile in a notification, and in what is none, as text", async () => {
  await using page = await browser.signIn(world.console);
  await page.open("#/try", "Try");
  for (const text of [MARKUP, TURNED, ...servers.slice(0, 3).map((server) => textOf(created(server)))]) {
    await page.page.getByLabel("Notification or recording").fill(text);
    await page.page.locator("main form button.primary").click();
    await page.page.getByText("Trying …").waitFor({ state: "detached" });
    await page.page.locator("main :is(#results, [role=alert])").first().waitFor();
    await assertHarmless(page, text.slice(0, 40));
  }
});
