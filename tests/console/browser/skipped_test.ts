// What a filter skips, on the pages of a real service.
import assert from "node:assert/strict";
import type { EventAnswer, PreviewAnswer } from "../../../src/console/api.ts";
import { Browser } from "./browser.ts";
import { ConsoleWorld } from "./console_world.ts";
import { created, serverOf } from "./stories.ts";

Deno.test("what was skipped is shown, found and told by an operator", async () => {
  await using world = await ConsoleWorld.start({ when: `{ match: ({ FQDN }) => FQDN === "never" }` });
  const server = serverOf(1);
  await world.publish(created(server));
  const [row] = await world.settled("plugin=Monitoring&state=skipped", 1);
  assert.deepEqual([row?.state, row?.attempts, row?.reason], ["skipped", 0, null]);
  const key = `server/${server.id}/creation`;
  const { plugins } = await world.session.get<PreviewAnswer>(`preview?key=${encodeURIComponent(key)}`);
  assert.deepEqual(plugins.find(({ name }) => name === "Monitoring"), {
    name: "Monitoring",
    method: "none",
    preview: null,
    error: null,
  });
  await using browser = await Browser.open();
  await using page = await browser.signIn(world.console);
  await page.open(`#/event?key=${key}`, /web-1/);
  const delivery = page.page.getByRole("article").filter({ hasText: "Monitoring" });
  await delivery.getByText("skipped").waitFor();
  await page.button("Replay, Monitoring").click();
  await page.page.getByRole("dialog").getByText("1 delivery will be attempted again").waitFor();
  await page.page.getByRole("dialog").getByRole("button", { name: /^Replay/ }).click();
  await page.page.getByText("Replayed 1 delivery.").first().waitFor();
  // Its target is down: it is retried, though the filter does not match.
  await world.settled("plugin=Monitoring&state=retrying", 1);
  const { deliveries } = await world.session.get<EventAnswer>(`event?key=${encodeURIComponent(key)}`);
  assert.equal(deliveries.find(({ plugin }) => plugin === "Monitoring")?.state, "retrying");
  await page.open("#/plugins/Monitoring", "Monitoring");
  await page.page.getByText("Skipped", { exact: true }).waitFor();
  page.assertClean();
});
