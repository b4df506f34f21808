import assert from "node:assert/strict";
import type * as api from "../../src/console/api.ts";
import { until } from "../support/until.ts";
import { LONG_MS, RunningConsole } from "./consoles.ts";
import { giveDeadLetters } from "./dead_letters.ts";

const COUNT = 5000;

Deno.test("an action on thousands of deliveries tells how far it is, and can be stopped", async () => {
  await using running = await RunningConsole.start();
  await giveDeadLetters(running, COUNT);
  const session = await running.signIn();
  const body = { action: "drop", target: { plugin: "Old" } };
  const plan = await session.json<api.ActionPlan>("POST", "actions/plan", body);
  assert.deepEqual(plan, { count: COUNT, refused: [], isComplete: false });

  const { id, total } = await session.json<api.ActionAnswer>("POST", "actions", body);
  assert.equal(total, COUNT);
  await until(async () => (await session.get<api.ActionAnswer>(`actions/${id}`)).done > 0, LONG_MS);
  await session.json("DELETE", `actions/${id}`);
  const stopped = await until(async () => {
    const answer = await session.get<api.ActionAnswer>(`actions/${id}`);
    return answer.state === "running" ? null : answer;
  }, LONG_MS);
  assert.equal(stopped.state, "stopped");
  assert.ok(stopped.done > 0 && stopped.done < COUNT, `${stopped.done}`);
  const { groups } = await session.get<api.DeadLettersAnswer>("dead-letters");
  assert.deepEqual(groups.map(({ plugin, count }) => [plugin, count]), [["Old", COUNT - stopped.done]]);
  const { records } = await session.get<api.AuditLogAnswer>("audit-log?limit=2");
  assert.deepEqual(records.map(({ action, what, who }) => [action, what, who]), [
    ["drop", `${COUNT} dead letters of Old: stopped, ${stopped.done} changed, 0 refused`, "anna (console)"],
    ["drop", `${COUNT} dead letters of Old`, "anna (console)"],
  ]);
});

Deno.test("what an action is refused is counted by its reason", async () => {
  await using running = await RunningConsole.start();
  await giveDeadLetters(running, COUNT);
  const session = await running.signIn();
  const keys = ["s1/1", "s2/1", "none/1"];
  const drop = { action: "drop", target: { keys } };
  await session.json("POST", "actions", drop);
  await until(async () => {
    const { refused } = await session.json<api.ActionPlan>("POST", "actions/plan", drop);
    return refused.length > 0;
  }, LONG_MS);
  assert.deepEqual(await session.json("POST", "actions/plan", drop), {
    count: 2,
    refused: [{ reason: "it is dropped already", count: 2, sampleKey: "s1/1" }],
    isComplete: true,
  });
  const replay = { action: "replay", target: { keys: ["s1/1"], plugin: "Old" } };
  assert.deepEqual((await session.json<api.ActionPlan>("POST", "actions/plan", replay)).refused, []);
});

Deno.test("an action on thousands of long keys is done, and the audit trail has their number and the first", async () => {
  await using running = await RunningConsole.start();
  const session = await running.signIn();
  const keys = Array.from({ length: 5000 }, (_, n) => `server/${String(n).padStart(193, "0")}`);
  const { id } = await session.json<api.ActionAnswer>("POST", "actions", { action: "drop", target: { keys } });
  await until(async () => (await session.get<api.ActionAnswer>(`actions/${id}`)).state === "done", LONG_MS);
  const { records } = await session.get<api.AuditLogAnswer>("audit-log?limit=2");
  assert.deepEqual(records.map(({ what }) => what), ["5000 events: done, 0 changed, 0 refused", "5000 events"]);
  const { target, count } = records[1]!.details as { target: { keys: string[]; keyCount: number }; count: number };
  assert.deepEqual([target.keys, target.keyCount, count], [keys.slice(0, 40), 5000, 5000]);
});

Deno.test("the largest action that the API takes is written to the audit trail", async () => {
  await using running = await RunningConsole.start();
  const session = await running.signIn();
  // Four bytes each, in UTF-8.
  const keys = Array.from({ length: 4000 }, (_, n) => `${n}/${"\u{1f5a5}".repeat(250)}`);
  await session.json("POST", "actions", { action: "replay", target: { keys, plugin: "p".repeat(512) } });
  const { records } = await session.get<api.AuditLogAnswer>("audit-log?limit=1");
  assert.match(records[0]!.what, /^4000 events for p+/);
});
