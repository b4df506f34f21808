// What a tenant and a target may write is bounded: docs/OPERATIONS.md, "Limits". A text of 16,384
// characters is kept whole, a longer one counts as not said, a message of more than 1 MiB is refused,
// and of a target's answer the beginning is quoted. This is what the screens show of each.
import assert from "node:assert/strict";
import { MAX_BODY_BYTES } from "../../../src/intake/plain_bytes.ts";
import { MAX_TEXT } from "../../../src/model/bounds.ts";
import type { OverviewAnswer } from "../../../src/console/api.ts";
import { until } from "../../support/until.ts";
import { LONG_MS } from "../consoles.ts";
import { Browser, type WatchedPage } from "./browser.ts";
import { ConsoleWorld } from "./console_world.ts";
import { created, serverOf, textOf } from "./stories.ts";

/** Kept whole. */
const LONGEST = serverOf(1, { name: "W".repeat(MAX_TEXT) });
/** A name that is not kept: with both of its copies a message of a megabyte. */
const NAMELESS = serverOf(2, { name: "V".repeat(500_000) });
/** A megabyte in one value of its metadata, which is not kept. */
const HUGE = serverOf(3, { name: "huge", metadata: { description: "U".repeat(1_000_000), owner: "anna" } });
/** A message that is refused. */
const REFUSED = serverOf(4, { metadata: { description: "T".repeat(MAX_BODY_BYTES) } });
/** What the target `Billing` answers. */
const ANSWER = "S".repeat(1_000_000);

let world: ConsoleWorld;
let browser: Browser;

Deno.test.beforeAll(async () => {
  world = await ConsoleWorld.start({ refusal: () => new Response(ANSWER, { status: 422 }) });
  browser = await Browser.open();
  await world.publish(created(LONGEST), created(NAMELESS), created(HUGE));
  await world.send(created(REFUSED));
  await world.settled("plugin=Billing&state=dead", 3);
  await until(async () => (await world.session.get<OverviewAnswer>("overview")).messages.rejected === 1, LONG_MS);
});

Deno.test.afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** The longest run of a letter that a screen shows; 0: there are but words of ours. */
async function longest(page: WatchedPage, letter: string): Promise<number> {
  const runs = (await page.main().textContent() ?? "").match(new RegExp(`${letter}{3,}`, "g")) ?? [];
  return Math.max(0, ...runs.map(({ length }) => length));
}

async function openEvent(page: WatchedPage, { id }: { readonly id: string }, heading: string | RegExp): Promise<void> {
  await page.open(`#/event?key=server/${id}/creation`, heading);
  await page.page.getByRole("heading", { name: "Detail" }).waitFor();
}

Deno.test("the longest text is shown in parts, whole when asked for, and its beginning in lists", async () => {
  await using page = await browser.signIn(world.console);
  for (const width of [360, 1280]) {
    await page.page.setViewportSize({ width, height: 800 });
    await openEvent(page, LONGEST, /server created/);
    assert.equal(await page.main().locator("h1").getByText("show all of this text (16,384 characters)").count(), 1);
    assert.equal(await longest(page, "W"), 300);
    const value = page.page.locator(".tree-leaf", { hasText: "FQDN" }).first();
    await value.getByRole("button", { name: "show all of this text (16,384 characters)" }).click();
    await until(async () => await longest(page, "W") === MAX_TEXT, LONG_MS);
    assert.ok(await page.overflow() <= 0, `the event, ${width} px`);
    await page.open(`#/server?id=${LONGEST.id}`, /Server/);
    await page.page.getByRole("heading", { name: "Its life" }).waitFor();
    assert.match(
      await page.page.locator("h1").textContent() ?? "",
      /^Server\s*W{120}… show all of this text \(16,384 characters\)$/,
    );
    // A label has 100 characters, with the mark that more follow.
    for (const hash of ["#/events", "#/dead-letters"]) {
      await page.open(hash, hash === "#/events" ? "Events" : "Dead letters");
      await page.page.getByRole("row").filter({ hasText: "WWW" }).waitFor();
      assert.equal(await longest(page, "W"), 99);
      assert.ok(await page.overflow() <= 0, `${hash}, ${width} px`);
    }
  }
  page.assertClean();
});

Deno.test("a name of half a megabyte counts as not said: lists say so, and headings have the id", async () => {
  await using page = await browser.signIn(world.console);
  await openEvent(page, NAMELESS, new RegExp(`server created.*${NAMELESS.id}`, "s"));
  await page.page.locator(".tree-leaf", { hasText: "FQDN" }).getByText("null").waitFor();
  await page.page.locator(".tree-leaf", { hasText: "display_name" }).getByText("null").waitFor();
  await page.open(`#/server?id=${NAMELESS.id}`, `Server ${NAMELESS.id}`);
  for (const [hash, heading] of [["#/events", "Events"], ["#/dead-letters", "Dead letters"]] as const) {
    await page.open(hash, heading);
    await page.page.getByRole("row").filter({ hasText: "no name" }).getByText(NAMELESS.address).waitFor();
    assert.equal(await longest(page, "V"), 0);
  }
  assert.match(world.console.service.log, /WARNING .*a text of more than 16384 characters/);
  page.assertClean();
});

Deno.test("a text of a megabyte in the metadata counts as not said, and all beside it is shown, on every screen", async () => {
  await using page = await browser.signIn(world.console);
  await openEvent(page, HUGE, /server created.*huge/s);
  const section = (name: string) => page.page.locator("section", { has: page.page.getByRole("heading", { name }) });
  const [told, notified] = [section("Detail").locator("details"), section("Notification").locator("details")];
  await page.openAll();
  await told.filter({ hasText: "Metadata1 key" }).locator(".tree-leaf").getByText("anna").waitFor();
  await notified.filter({ hasText: "metadata2 keys" }).last().locator(".tree-leaf", { hasText: "descriptionnull" })
    .waitFor();
  for (
    const [hash, heading] of [
      [`#/event?key=server/${HUGE.id}/creation`, /server created/],
      [`#/server?id=${HUGE.id}`, /Server huge/],
      ["#/", "Overview"],
      ["#/events", "Events"],
      ["#/dead-letters", "Dead letters"],
      ["#/plugins", "Plugins"],
      ["#/plugins/Billing", /Billing/],
      ["#/drift", "Drift"],
      ["#/cluster", "Cluster"],
      ["#/audit-log", "Audit log"],
    ] as const
  ) {
    await page.open(hash, heading);
    await page.page.locator("main .loading").waitFor({ state: "detached" });
    assert.equal(await longest(page, "U"), 0, hash);
  }
  page.assertClean();
});

Deno.test("a message of more than 1 MiB is refused: there is no event of it, and the overview counts it", async () => {
  await using page = await browser.signIn(world.console);
  const tile = page.page.locator(".tile", { has: page.page.getByRole("heading", { name: "Messages" }) });
  await tile.getByText("3 recorded, 0 ignored, 1 rejected since the start").waitFor();
  await tile.getByText("oss-watcher events --state rejected").waitFor();
  await page.search(REFUSED.id);
  await page.page.getByText("No event is like this.").waitFor();
  page.assertClean();
});

Deno.test("of a target's answer of a megabyte the beginning is quoted, on every screen that tells of it", async () => {
  await using page = await browser.signIn(world.console);
  await openEvent(page, HUGE, /huge/);
  const billing = page.page.getByRole("article").filter({ hasText: "Billing" });
  await billing.getByText(/^Cannot POST .*: 422 Unprocessable Entity: "S{199}…"$/).waitFor();
  await page.open("#/dead-letters", "Dead letters");
  await page.page.locator(".sample").getByText(/S{100}/).waitFor();
  for (
    const [hash, heading] of [["#/events", "Events"], ["#/", "Overview"], ["#/plugins/Billing", /Billing/]] as const
  ) {
    await page.open(hash, heading);
    await page.page.locator("main .loading").waitFor({ state: "detached" });
    assert.ok(await longest(page, "S") <= 200, hash);
  }
  page.assertClean();
});

Deno.test("Try says of such notifications what the service does with them", async () => {
  await using page = await browser.signIn(world.console);
  await page.open("#/try", "Try");
  const attempt = async (text: string) => {
    await page.page.getByLabel("Notification or recording").fill(text);
    await page.page.locator("main form button.primary").click();
    await page.page.getByText("Trying …").waitFor({ state: "detached" });
  };
  await attempt(textOf(created(HUGE)));
  await page.page.getByRole("heading", { name: "1 notification, 1 event" }).waitFor();
  assert.equal(await longest(page, "U"), 0);
  // As it came, with its bytes: what is pasted without them may have been longer or shorter.
  await attempt(JSON.stringify({ body: textOf(created(REFUSED)) }));
  await page.page.getByText(/line 1: \d+ bytes, more than 1048576/).waitFor();
  page.assertClean();
});

Deno.test("a search for a text of a megabyte says that it is too long, and the page goes on", async () => {
  await using page = await browser.signIn(world.console, { expected: /400/ });
  for (
    const [length, says] of [[1_000_000, /the text is too long/], [
      600,
      /text must have at most 512 characters/,
    ]] as const
  ) {
    await page.open(`#/events?text=${"R".repeat(length)}`, "Events");
    await page.page.getByRole("alert").getByText(says).waitFor();
    assert.ok(await longest(page, "R") <= 300);
    assert.ok(await page.overflow() <= 0);
  }
  await page.link("all events").click();
  await page.page.getByRole("table").waitFor();
  page.assertClean();
});
