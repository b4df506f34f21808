// Each action of the page on a real service, and what the service did of it.
import assert from "node:assert/strict";
import { until } from "../../support/until.ts";
import type { AuditLogAnswer } from "../../../src/console/api.ts";
import { LONG_MS } from "../consoles.ts";
import { assertAccessible } from "./accessibility.ts";
import { Browser, type WatchedPage } from "./browser.ts";
import { ConsoleWorld } from "./console_world.ts";
import { created, serverOf, textOf } from "./stories.ts";

let world: ConsoleWorld;
let browser: Browser;

Deno.test.beforeAll(async () => {
  world = await ConsoleWorld.start();
  browser = await Browser.open();
});

Deno.test.afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** Servers of their own for each test, whose creations Billing has refused. */
async function refusedServers(first: number, count: number) {
  const servers = Array.from({ length: count }, (_, number) => serverOf(first + number));
  await world.publish(...servers.map(created));
  for (const { id } of servers) await world.settled(`plugin=Billing&state=dead&text=${id}`, 1);
  return servers;
}

/** What the operators' trail says last. */
async function lastEntry(): Promise<AuditLogAnswer["records"][number] | undefined> {
  return (await world.session.get<AuditLogAnswer>("audit-log?limit=1")).records[0];
}

async function confirm(page: WatchedPage, name: RegExp): Promise<void> {
  const dialog = page.page.getByRole("dialog");
  await dialog.getByRole("button", { name }).click();
}

Deno.test("one dead letter is replayed from its event, and its target hears of it", async () => {
  const [server] = await refusedServers(1000, 1);
  await using page = await browser.signIn(world.console);
  await page.open(`#/event?key=server/${server?.id}/creation`, /web-1000/);
  world.refusing.answer = () => new Response(null, { status: 204 });
  try {
    await page.button("Replay, Billing").click();
    await page.page.getByRole("dialog").getByText("1 delivery will be attempted again").waitFor();
    await confirm(page, /^Replay/);
    await page.page.getByText("Replayed 1 delivery.").first().waitFor();
    await world.settled(`plugin=Billing&state=done&text=${server?.id}`, 1);
    await page.page.getByRole("article").filter({ hasText: "Billing" }).getByText("done").waitFor();
  } finally {
    world.refusing.answer = () => new Response("no such owner", { status: 422 });
  }
  const entry = await lastEntry();
  assert.deepEqual([entry?.action, entry?.who], ["replay", "anna (console)"]);
  page.assertClean();
});

Deno.test("a selection of dead letters is dropped, the others stay", async () => {
  const [first, second, third] = await refusedServers(1100, 3);
  await using page = await browser.signIn(world.console);
  await page.open("#/dead-letters?plugin=Billing", "Dead letters");
  for (const server of [first, second]) {
    await page.page.getByRole("checkbox", { name: new RegExp(`for server/${server?.id}`) }).check();
  }
  const selection = page.page.getByRole("region", { name: "Chosen dead letters" });
  await selection.getByRole("button", { name: "Drop these …" }).click();
  await page.page.getByRole("dialog").getByText("2 deliveries will be given up").waitFor();
  await confirm(page, /^Drop for good/);
  await page.page.getByText("Dropped 2 deliveries.").first().waitFor();
  for (const server of [first, second]) await world.settled(`plugin=Billing&state=dropped&text=${server?.id}`, 1);
  assert.equal((await world.events(`plugin=Billing&state=dead&text=${third?.id}`)).rows.length, 1);
  page.assertClean();
});

Deno.test("a group of dead letters is replayed: its number is said before, and what is refused again is dead again", async () => {
  await refusedServers(1200, 4);
  await using page = await browser.signIn(world.console);
  await page.open("#/dead-letters?plugin=Billing", "Dead letters");
  await page.button(/^Replay \d+ dead letters? of Billing/).click();
  const dialog = page.page.getByRole("dialog");
  await dialog.getByText(/deliver(y|ies) will be attempted again/).waitFor();
  assert.match(await dialog.getByRole("heading").innerText(), /^Replay \d+ dead letters of Billing/);
  await confirm(page, /^Replay/);
  await page.page.getByText(/^Replayed \d+ deliver/).first().waitFor();
  await world.settled("plugin=Billing&state=dead", 4);
  page.assertClean();
});

Deno.test("a dialog is closed by Escape and by Cancel, and nothing is done", async () => {
  const [server] = await refusedServers(1300, 1);
  const before = await lastEntry();
  await using page = await browser.signIn(world.console);
  await page.open(`#/event?key=server/${server?.id}/creation`, /web-1300/);
  const opener = page.button("Drop, Billing");
  await opener.click();
  await page.page.getByRole("dialog").getByText("will be given up").waitFor();
  await page.page.keyboard.press("Escape");
  await page.page.getByRole("dialog").waitFor({ state: "detached" });
  assert.ok(await opener.evaluate((element) => element === element.ownerDocument.activeElement), "the focus went back");
  await opener.click();
  await page.page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await page.page.getByRole("dialog").waitFor({ state: "detached" });
  // Signing in is an entry as well.
  assert.ok(["sign-in", before?.action].includes((await lastEntry())?.action));
  page.assertClean();
});

Deno.test("a plugin is paused, which a second browser sees, and resumed", async () => {
  await using page = await browser.signIn(world.console);
  await using other = await browser.signIn(world.console, { user: "bert" });
  await other.open("#/plugins/Cmdb", /Cmdb/);
  await page.open("#/plugins/Cmdb", /Cmdb/);
  await page.button("Pause …").click();
  await confirm(page, /^Pause/);
  await page.page.getByText("Its deliveries wait, in order, until it is resumed").waitFor();
  await other.page.getByText(/Paused .* by anna/).waitFor();
  await other.button("Resume").click();
  await page.page.getByText("Its deliveries wait, in order, until it is resumed").waitFor({ state: "detached" });
  assert.deepEqual([(await lastEntry())?.action, (await lastEntry())?.who], ["resume", "bert (console)"]);
  page.assertClean();
  other.assertClean();
});

Deno.test("retries of a target that is down are made due at once", async () => {
  await refusedServers(1400, 1);
  await using page = await browser.signIn(world.console);
  await page.open("#/plugins/Monitoring", /Monitoring/);
  await page.button("Try now").click();
  await page.page.getByText(/due at once/).first().waitFor();
  assert.equal((await lastEntry())?.action, "try");
  page.assertClean();
});

Deno.test("the target of a plugin is checked: one that answers, one that is down, and nothing is sent to either", async () => {
  const requests = world.good.requests.length;
  await using page = await browser.signIn(world.console);
  await page.open("#/plugins/Cmdb", /Cmdb/);
  await page.button("Check the target").click();
  await page.page.getByText(/^The target answers as it should, in \d+ (ms|s)\.$/).waitFor();
  await page.open("#/plugins/Monitoring", /Monitoring/);
  await page.button("Check the target").click();
  await page.page.getByText(/^The check failed after \d+ (ms|s)\.$/).waitFor();
  await page.page.locator("main .note.bad").filter({ hasText: "The check failed" }).getByText(/refused/i).waitFor();
  assert.equal(world.good.requests.length, requests);
  assert.ok(!(await page.main().innerText()).includes("hush-4711"));
  await assertAccessible(page, "a check that failed");
  page.assertClean();
});

Deno.test("a notification that is pasted, and a recording that is chosen, are tried without being sent", async () => {
  const requests = world.good.requests.length;
  const text = textOf(created(serverOf(1500)));
  await using page = await browser.signIn(world.console);
  await page.open("#/try", "Try");
  await page.page.getByLabel("Notification or recording").fill(text);
  await page.page.locator("main form button.primary").click();
  await page.page.getByRole("heading", { name: "1 notification, 1 event" }).waitFor();
  await page.page.getByText("web-1500").first().waitFor({ state: "attached" });
  assert.match(await page.main().innerText(), /Cmdb[^]*notify[^]*POST/);
  const buffer = new TextEncoder().encode(`${textOf(created(serverOf(1501)))}\nnot a notification\n`);
  await page.page.locator("input[type=file]").setInputFiles({
    name: "recording.jsonl",
    mimeType: "application/jsonl",
    // deno-lint-ignore no-explicit-any
    buffer: (await import("node:buffer")).Buffer.from(buffer) as any,
  });
  await page.page.getByText("From recording.jsonl").waitFor();
  await page.page.locator("main form button.primary").click();
  await page.page.getByText("1 line could not be read").waitFor();
  assert.equal(world.good.requests.length, requests);
  page.assertClean();
});

Deno.test("what would be sent now is shown for each plugin, without being sent", async () => {
  const [server] = await refusedServers(1600, 1);
  const requests = world.good.requests.length;
  await using page = await browser.signIn(world.console);
  await page.open(`#/event?key=server/${server?.id}/creation`, /web-1600/);
  await page.button("Show").click();
  await until(async () => /What would be sent now[^]*Cmdb[^]*notify/.test(await page.main().innerText()), LONG_MS);
  assert.equal(world.good.requests.length, requests);
  page.assertClean();
});

Deno.test("a viewer sees why actions are not for him, and the service refuses what he posts all the same", async () => {
  const [server] = await refusedServers(1700, 1);
  await using page = await browser.signIn(world.console, { role: "viewer", user: "vera", expected: /403/ });
  await page.open(`#/event?key=server/${server?.id}/creation`, /web-1700/);
  const button = page.button("Replay, Billing");
  assert.ok(await button.isDisabled());
  assert.match(String(await button.getAttribute("title")), /Needs the role operator/);
  await page.page.getByText("actions need the role operator").waitFor();
  for (const [hash, heading] of [["#/plugins/Cmdb", /Cmdb/], ["#/dead-letters", /Dead letters/]] as const) {
    await page.open(hash, heading);
    await page.main().locator("button").first().waitFor();
    for (const name of ["Pause …", "Try now", "Check the target", "Replay …", "Drop …"]) {
      for (const each of await page.main().getByText(name, { exact: true }).all()) {
        assert.ok(await each.isDisabled(), name);
      }
    }
  }
  const status = await page.page.evaluate(
    `fetch("api/v1/session").then((answer) => answer.json()).then(({ csrf }) => fetch("api/v1/plugins/pause", {
       method: "POST", headers: { "content-type": "application/json", "x-csrf-token": csrf },
       body: JSON.stringify({ name: "Cmdb" }) })).then((answer) => answer.status)`,
  );
  assert.equal(status, 403);
  page.assertClean();
});
