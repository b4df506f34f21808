// An action on thousands of deliveries, stopped while it runs: what the page says, and what was done.
import assert from "node:assert/strict";
import { until } from "../../support/until.ts";
import type { AuditLogAnswer, DeadLettersAnswer, EventsAnswer } from "../../../src/console/api.ts";
import { RunningConsole, type Session } from "../consoles.ts";
import { giveDeadLetters } from "../dead_letters.ts";
import { assertAccessible } from "./accessibility.ts";
import { Browser } from "./browser.ts";

const COUNT = 20_000;

async function deadOf(session: Session): Promise<number> {
  const { groups } = await session.get<DeadLettersAnswer>("dead-letters");
  return groups.reduce((sum, { count }) => sum + count, 0);
}

/** The first number of a text, as the page writes it. */
const numberIn = (text: string): number => Number(/[\d,]+/.exec(text)?.[0].replaceAll(",", ""));

Deno.test("a drop and a replay of a group are stopped: what is done stays done, and the page says how much that is", async () => {
  await using running = await RunningConsole.start();
  await giveDeadLetters(running, COUNT);
  await using browser = await Browser.open();
  const session = await running.signIn();
  await using page = await browser.signIn(running, { width: 360 });
  let before = COUNT;
  for (
    const { action, confirm, past, state } of [
      { action: "Drop", confirm: /^Drop for good/, past: "Dropped", state: "dropped" },
      { action: "Replay", confirm: /^Replay/, past: "Replayed", state: "retrying" },
    ]
  ) {
    await page.open("#/dead-letters", "Dead letters");
    await page.button(new RegExp(`^${action} [\\d,]+ dead letters of Old`)).click();
    await page.page.getByRole("dialog").getByText(/^[\d,]+ deliveries will be/).waitFor();
    await page.page.getByRole("dialog").getByRole("button", { name: confirm }).click();
    const tray = page.page.getByRole("region", { name: "Running action" });
    await tray.getByRole("progressbar").waitFor();
    assert.ok(await page.overflow() <= 0, "the running action is too wide");
    await tray.getByRole("button", { name: "Stop" }).click();
    const said = await tray.getByText(/^Stopped\. /).innerText();
    assert.match(said, new RegExp(`^Stopped\\. ${past} [\\d,]+ deliver(y|ies); the others are as they were\\.$`));
    const done = numberIn(said);
    assert.ok(done > 0 && done < before, said);
    await assertAccessible(page, "a stopped action");
    assert.equal(await deadOf(session), before - done);
    await page.button(new RegExp(`^Drop ${(before - done).toLocaleString("en")} dead letters of Old`)).waitFor();
    assert.equal((await session.get<EventsAnswer>(`events?state=${state}&limit=1`)).rows.length, 1);
    const { records } = await session.get<AuditLogAnswer>("audit-log?limit=1");
    assert.equal(records[0]?.what, `${before} dead letters of Old (other): stopped, ${done} changed, 0 refused`);
    await tray.getByRole("button", { name: "Put away" }).click();
    await tray.waitFor({ state: "detached" });
    before -= done;
  }
  page.assertClean();
});

Deno.test("an action goes on when its page is closed, and another page sees what it did", async () => {
  await using running = await RunningConsole.start();
  await giveDeadLetters(running, 2000);
  await using browser = await Browser.open();
  const session = await running.signIn();
  await using page = await browser.signIn(running);
  await page.open("#/dead-letters", "Dead letters");
  await page.button(/^Drop 2,000 dead letters of Old/).click();
  await page.page.getByRole("dialog").getByRole("button", { name: /^Drop for good/ }).click();
  await page.page.getByRole("region", { name: "Running action" }).waitFor();
  await page.page.close();
  await until(async () => await deadOf(session) === 0);
  await using other = await browser.signIn(running);
  await other.open("#/dead-letters", "Dead letters");
  await other.page.getByText("There is no dead letter.").waitFor();
  other.assertClean();
});
