// Open pages while events come, the service restarts, sessions end.
import assert from "node:assert/strict";
import { until } from "../../support/until.ts";
import { LONG_MS } from "../consoles.ts";
import { assertAccessible } from "./accessibility.ts";
import { Browser } from "./browser.ts";
import { ConsoleWorld } from "./console_world.ts";
import { created, deleted, serverOf } from "./stories.ts";

/** What a browser says of a service that is away. */
const AWAY = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|Failed to load/;

let world: ConsoleWorld;
let browser: Browser;

Deno.test.beforeAll(async () => {
  world = await ConsoleWorld.start();
  browser = await Browser.open();
  await world.publish(...Array.from({ length: 30 }, (_, number) => created(serverOf(number))));
});

Deno.test.afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

Deno.test("new events appear in two browsers by themselves, with filters in one of them, and their states follow", async () => {
  await using all = await browser.signIn(world.console);
  await using some = await browser.signIn(world.console, { user: "bert" });
  await all.open("#/events", "Events");
  await some.open("#/events?plugin=Cmdb&kind=deletion", "Events");
  await all.page.getByText("web-29").waitFor();
  await some.page.getByText("No event is like this").waitFor();
  const server = serverOf(2000);
  await world.publish(created(server), deleted(server));
  const row = (page: typeof all) => page.page.getByRole("row").filter({ hasText: "web-2000" });
  await until(async () => await row(all).count() === 2, LONG_MS);
  await until(async () => await row(some).count() === 1, LONG_MS);
  await row(some).getByText("server deleted").waitFor();
  await row(all).getByText("Billing dead letter").first().waitFor();
  all.assertClean();
  some.assertClean();
});

Deno.test("a list that is scrolled does not move when events come: it offers them", async () => {
  await using page = await browser.signIn(world.console);
  await page.open("#/events", "Events");
  await page.page.getByText("web-29").first().waitFor();
  await page.page.mouse.wheel(0, 600);
  await until(() => page.page.evaluate("scrollY > 300"), LONG_MS);
  await world.publish(created(serverOf(2100)));
  await page.button(/Show \d+ new deliver/).click();
  await page.page.getByText("web-2100").first().waitFor();
  await until(() => page.page.evaluate("scrollY === 0"), LONG_MS);
  page.assertClean();
});

Deno.test("a list that is not live stays as it is", async () => {
  await using page = await browser.signIn(world.console);
  await page.open("#/events?live=off", "Events");
  await page.page.getByText("web-29").first().waitFor();
  await using other = await browser.signIn(world.console);
  await other.open("#/events", "Events");
  await world.publish(created(serverOf(2200)));
  await other.page.getByText("web-2200").first().waitFor();
  assert.equal(await page.page.getByText("web-2200").count(), 0);
  await page.button("Live").click();
  await world.publish(created(serverOf(2201)));
  await page.page.getByText("web-2200").first().waitFor();
  page.assertClean();
  other.assertClean();
});

Deno.test("a restart of the service is told on an open page, which goes on by itself with nothing left out", async () => {
  await using page = await browser.signIn(world.console, { expected: AWAY });
  await page.open("#/events", "Events");
  await page.page.getByText("Connected").waitFor();
  await world.console.service.end("SIGTERM");
  await page.page.getByText("Connection lost, trying again").first().waitFor();
  await world.console.restart();
  await page.page.getByText("Connected").waitFor();
  await world.publish(created(serverOf(2300)));
  await page.page.getByText("web-2300").first().waitFor();
  page.assertClean();
});

Deno.test("a kill of the service under each screen is told there, and each goes on by itself when it is back", async () => {
  const { id } = serverOf(3);
  const screens = [
    ["#/", "Overview"],
    ["#/events?plugin=Cmdb", "Events"],
    [`#/event?key=server/${id}/creation`, /web-3/],
    [`#/server?id=${id}`, /web-3/],
    ["#/dead-letters", "Dead letters"],
    ["#/plugins", "Plugins"],
    ["#/plugins/Billing", /Billing/],
    ["#/drift", "Drift"],
    ["#/cluster", "Cluster"],
    ["#/try", "Try"],
    ["#/audit-log", "Audit log"],
  ] as const;
  await using stack = new AsyncDisposableStack();
  const pages: Awaited<ReturnType<Browser["signIn"]>>[] = [];
  for (const [hash, heading] of screens) {
    const page = stack.use(await browser.signIn(world.console, { expected: AWAY }));
    await page.open(hash, heading);
    await page.page.getByText("Connected").waitFor();
    pages.push(page);
  }
  await world.console.service.end("SIGKILL");
  for (const page of pages) await page.page.getByText("Connection lost, trying again").first().waitFor();
  // What was written is not lost.
  await pages[9]!.page.getByLabel("Notification or recording").fill("half a notification");
  await world.console.restart();
  for (const [index, page] of pages.entries()) {
    await page.page.getByText("Connected").waitFor();
    await page.page.locator("main .loading").waitFor({ state: "detached" });
    await until(async () => await page.page.getByRole("alert").count() === 0, LONG_MS);
    await page.heading(screens[index]![1]);
    page.assertClean();
  }
  assert.equal(await pages[9]!.page.getByLabel("Notification or recording").inputValue(), "half a notification");
});

Deno.test("who has too many pages open is told so, and the page goes on when one is closed", async () => {
  await using page = await browser.signIn(world.console, { expected: /429/ });
  const [cookie] = await page.context.cookies();
  const headers = { cookie: `${cookie?.name}=${cookie?.value}` };
  await page.page.getByText("Connected").waitFor();
  const stop = new AbortController();
  const open = async () => {
    const response = await fetch(`${world.console.url}/api/v1/stream`, { headers, signal: stop.signal });
    if (response.status !== 200) await response.body?.cancel();
    return response.status;
  };
  for (let others = 0; others < 15; others++) assert.equal(await open(), 200);
  assert.equal(await open(), 429);
  await page.page.goto("about:blank");
  await until(async () => await open() === 200, LONG_MS);
  await page.page.goBack();
  await page.page.getByRole("alert").filter({ hasText: "you have 16 pages open, as many as you may. Close one" })
    .waitFor();
  await page.page.getByText("Not renewed").waitFor();
  await assertAccessible(page, "a page that is not renewed");
  stop.abort();
  await page.page.getByText("Connected").waitFor();
  await page.page.getByRole("alert").waitFor({ state: "detached" });
  await page.page.getByRole("heading", { name: "Plugins" }).waitFor();
});

Deno.test("who signs out, or whose session ends, is told how to sign in, and goes on where he was", async () => {
  await using page = await browser.signIn(world.console, { expected: /401/ });
  await page.open("#/plugins/Cmdb", /Cmdb/);
  const cookies = await page.context.cookies();
  await page.context.clearCookies();
  await page.link("Events").first().click();
  await page.heading("Sign in");
  await page.page.getByText("oss-watcher console").first().waitFor();
  await page.context.addCookies(cookies);
  await page.button("Try again").click();
  await page.heading("Events");
  await page.button("Sign out").click();
  await page.heading("Sign in");
  await page.button("Try again").click();
  await page.heading("Sign in");
  page.assertClean();
});

Deno.test("the keyboard: search, rows, screens, help, and its switch", async () => {
  await using page = await browser.signIn(world.console);
  const { keyboard } = page.page;
  await page.page.keyboard.press("Tab");
  assert.match(String(await page.page.evaluate("document.activeElement.textContent")), /Skip to the content/);
  await keyboard.press("Enter");
  assert.equal(await page.page.evaluate("document.activeElement.id"), "main");
  await keyboard.press("/");
  assert.equal(await page.page.evaluate("document.activeElement.id"), "search");
  await keyboard.type("web-3");
  await keyboard.press("Enter");
  await page.heading("Events");
  await page.page.getByRole("row").filter({ hasText: "web-3" }).first().waitFor();
  await keyboard.press("Escape");
  await keyboard.press("j");
  await keyboard.press("Enter");
  await page.heading(/web-3/);
  await keyboard.press("g");
  await keyboard.press("p");
  await page.heading("Plugins");
  await keyboard.press("?");
  await page.page.getByRole("dialog").getByText("These keys").waitFor();
  await page.page.getByLabel("Keys of one letter are on").uncheck();
  await keyboard.press("Escape");
  await page.page.getByRole("dialog").waitFor({ state: "detached" });
  await keyboard.press("g");
  await keyboard.press("e");
  await page.heading("Plugins");
  page.assertClean();
});
