// The ten questions of docs/CONSOLE.md, asked as an operator does: at most three clicks each.
import assert from "node:assert/strict";
import { until } from "../../support/until.ts";
import { LONG_MS } from "../consoles.ts";
import { Browser, type WatchedPage } from "./browser.ts";
import { ConsoleWorld } from "./console_world.ts";
import { created, deleted, serverOf, textOf } from "./stories.ts";

const SERVER = serverOf(7, { name: "shop-web-01", address: "10.0.0.7" });

let world: ConsoleWorld;
let browser: Browser;

Deno.test.beforeAll(async () => {
  world = await ConsoleWorld.start();
  browser = await Browser.open();
  await world.publish(created(SERVER), ...[1, 2, 3].map((number) => created(serverOf(100 + number))), deleted(SERVER));
  await world.settled("plugin=Billing&state=dead", 5);
  await world.settled("plugin=Monitoring&state=retrying", 1);
});

Deno.test.afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** A row of the table in docs/CONSOLE.md, and how it is answered. */
interface Question {
  readonly question: string;
  readonly clicks: number;
  readonly answer: (page: WatchedPage) => Promise<void>;
}

const QUESTIONS: readonly Question[] = [
  {
    question: "Is everything well, and if not, what mends it?",
    clicks: 0,
    answer: async (page) => await page.page.getByText("oss-watcher plugins try Monitoring").waitFor(),
  },
  {
    question: "Which target has not heard of 10.0.0.7's deletion?",
    clicks: 0,
    answer: async (page) => {
      await page.search("10.0.0.7");
      const row = page.page.getByRole("row").filter({ hasText: "server deleted" });
      await row.getByText("Billing dead letter").waitFor();
      await row.getByText(/Monitoring (waiting|retrying)/).waitFor();
    },
  },
  {
    question: "Why has it not heard of it, and when is it tried again?",
    clicks: 1,
    answer: async (page) => {
      await page.search("10.0.0.7");
      await page.click(page.link(/server deleted/));
      await page.page.getByText("no such owner").first().waitFor();
      await page.page.getByText("It waits for earlier events of the same resource").waitFor();
    },
  },
  {
    question: "What waits for a target?",
    clicks: 1,
    answer: async (page) => {
      await page.click(page.link(/\d+ deliveries of Monitoring wait/));
      await page.page.getByText("shop-web-01").first().waitFor();
    },
  },
  {
    question: "What became of this server, and what was each target last told?",
    clicks: 2,
    answer: async (page) => {
      await page.search("shop-web-01");
      await page.click(page.link(/server deleted/));
      await page.click(page.link("Life of the server"));
      await page.page.getByRole("table", { name: "What each target was last told" }).getByText("heard of everything")
        .first()
        .waitFor();
    },
  },
  {
    question: "What would be sent now?",
    clicks: 2,
    answer: async (page) => {
      await page.search("shop-web-01");
      await page.click(page.link(/server created/));
      await page.click(page.button("Show"));
      await until(async () => /What would be sent now[^]*Cmdb[^]*notify/.test(await page.main().innerText()), LONG_MS);
    },
  },
  {
    question: "How do I send a target's dead letters again?",
    clicks: 3,
    answer: async (page) => {
      await page.click(page.link(/\d+ dead letters of Billing/));
      await page.click(page.button(/^Replay \d+ dead letters of Billing/));
      await page.click(page.page.getByRole("dialog").getByRole("button", { name: /^Replay/ }));
      await page.page.getByText(/^Replayed \d+ deliver/).first().waitFor();
    },
  },
  {
    question: "How do I hold a target's deliveries back while it is being mended?",
    clicks: 3,
    answer: async (page) => {
      await page.click(page.page.getByRole("table").getByRole("link", { name: "Monitoring", exact: true }));
      await page.click(page.button("Pause …"));
      await page.click(page.page.getByRole("dialog").getByRole("button", { name: "Pause" }));
      await page.button("Resume").waitFor();
    },
  },
  {
    question: "What would come of this notification?",
    clicks: 2,
    answer: async (page) => {
      await page.click(page.page.getByRole("link", { name: "Try", exact: true }));
      await page.page.getByLabel("Notification or recording").fill(textOf(created(serverOf(900))));
      await page.click(page.page.locator("main form button.primary"));
      await page.page.getByRole("heading", { name: "1 notification, 1 event" }).waitFor();
    },
  },
  {
    question: "Who did what, and when?",
    clicks: 1,
    answer: async (page) => {
      await page.click(page.link("Audit log"));
      await page.page.getByText("anna (console)").first().waitFor();
    },
  },
];

for (const { question, clicks, answer } of QUESTIONS) {
  Deno.test(`${question} It is answered with ${clicks} clicks`, async () => {
    await using page = await browser.signIn(world.console);
    await answer(page);
    assert.equal(page.clicks, clicks);
    assert.ok(page.clicks <= 3);
    page.assertClean();
  });
}

Deno.test("docs/CONSOLE.md has these questions with these clicks", async () => {
  const text = await Deno.readTextFile(new URL("../../../docs/CONSOLE.md", import.meta.url));
  for (const { question, clicks } of QUESTIONS) {
    assert.match(
      text,
      new RegExp(`\\| ${question.replaceAll("?", "\\?").replaceAll(".", "\\.")} \\|[^\\n]*\\| ${clicks} \\|`),
    );
  }
});
