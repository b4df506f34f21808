// A cloud has lost servers unheard: the plan is shown, nothing is done; then it is applied, and targets hear of it.
import assert from "node:assert/strict";
import { idOf } from "../../support/made_cloud.ts";
import { until } from "../../support/until.ts";
import { LONG_MS } from "../consoles.ts";
import { Browser } from "./browser.ts";
import { ConsoleWorld } from "./console_world.ts";

Deno.test("a plan shows what is gone and was never told to be; applied, the target hears of it", async () => {
  await using world = await ConsoleWorld.start({ isWhole: true });
  await using browser = await Browser.open();
  for (const number of [3, 4]) world.cloud?.remove("servers", idOf("5e", number));
  await using page = await browser.signIn(world.console);
  await page.open("#/drift", "Drift");
  await page.button("Plan").click();
  await page.page.getByRole("heading", { name: "Plan: done" }).waitFor();
  const table = page.page.getByRole("table", { name: "Differences" }).first();
  for (const number of [3, 4]) await table.getByText(idOf("5e", number)).first().waitFor();
  assert.equal(world.good.requests.length, 0);
  await page.button("Compare and apply …").click();
  await page.page.getByRole("dialog").getByRole("button", { name: "Compare and apply" }).click();
  await page.page.getByRole("heading", { name: "Comparison with application: done" }).waitFor();
  await until(() => world.good.requests.length >= 2, LONG_MS);
  assert.deepEqual(world.good.requests.map(({ path }) => path).sort(), ["/deleted", "/deleted"]);
  await page.open("#/audit-log", "Audit log");
  await page.page.getByRole("cell", { name: "reconcile" }).first().waitFor();
  page.assertClean();
});
