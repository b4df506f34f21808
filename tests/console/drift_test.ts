import assert from "node:assert/strict";
import type * as api from "../../src/console/api.ts";
import { makeLink } from "../../src/console/sign_in/links.ts";
import { consoleSecret } from "../../src/console/sign_in/secret.ts";
import { freePorts } from "../../tools/free_ports.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { listening } from "../e2e/listening.ts";
import { SERVER, Stage } from "../e2e/reconcile_stage.ts";
import { until } from "../support/until.ts";
import { ApiChecker } from "./api_schema_checker.ts";
import { LONG_MS, Session, signInAt } from "./consoles.ts";

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => void (rabbit = await startRabbit()));
Deno.test.afterAll(() => rabbit.stop());

/** The comparison that the console has begun, when it is over. */
async function ended(session: Session): Promise<api.DriftRun> {
  return await until(async () => {
    const { running } = await session.get<api.DriftAnswer>("drift");
    return running === null || running.state === "running" ? null : running;
  }, LONG_MS);
}

Deno.test("a comparison shows what differs, can be stopped, and tells it when it is applied", async () => {
  await using stage = await Stage.open(rabbit, "drift", { everyHours: false });
  const [port = 0] = freePorts(1);
  const config = Deno.readTextFileSync(stage.dir.path("config.ts"));
  stage.dir.write("config.ts", config.replace("metrics: { port: 0 },", `metrics: false, console: { port: ${port} },`));
  await using service = await listening(stage.dir);
  await until(() => service.log.includes("nothing is sent for them"), LONG_MS);
  const token = makeLink({ user: "anna", role: "operator" }, {
    secret: await consoleSecret(stage.dir.path()),
    now: Date.now(),
  });
  const session = await signInAt(`http://127.0.0.1:${port}`, token);
  const checker = new ApiChecker(await session.get("openapi.json"));
  const ask = async <T>(method: string, path: string, body?: unknown) => {
    const answer = await session.json<T>(method, path, body);
    checker.check(`${method} /${path}`, { status: 200, body: answer });
    return answer;
  };
  stage.create(20);
  stage.cloud.remove("servers", SERVER(1));

  const begun = await ask<api.DriftRun>("POST", "drift/compare", { apply: false });
  assert.deepEqual([begun.state, begun.by, begun.apply], ["running", "anna (console)", false]);
  const second = await session.fetch("POST", "drift/compare", { body: { apply: true } });
  assert.deepEqual([second.status, await second.json()], [409, {
    error: "Cannot begin a comparison: one runs. Wait, or stop it",
  }]);
  await ask("DELETE", "drift/compare");
  assert.equal((await ended(session)).state, "stopped");

  await ask("POST", "drift/compare", { apply: false });
  const planned = await ended(session);
  assert.deepEqual([planned.state, planned.report?.outcome, planned.error], ["done", "planned", null]);
  assert.deepEqual(planned.report?.differences.map(({ change, id }) => [change, id]).sort(), [
    ["gone", SERVER(1)],
    ["untold", SERVER(20)],
  ]);
  assert.equal(stage.receiver.requests.length, 0);

  await ask("POST", "drift/compare", { apply: true });
  assert.equal((await ended(session)).report?.outcome, "applied");
  await until(() => stage.receiver.requests.length === 2, LONG_MS);
  const { last } = await ask<api.DriftAnswer>("GET", "drift");
  assert.equal(last?.outcome, "applied");
  assert.equal(last?.differences.length, 2);
  const { records } = await session.get<api.AuditLogAnswer>("audit-log");
  assert.deepEqual(records.map(({ action, what, details }) => [action, what, details]), [
    ["reconcile", "what differs from OpenStack", { apply: true, force: false }],
    ["sign-in", "as operator", { address: "127.0.0.1" }],
  ]);
  assert.equal((await service.end("SIGTERM")).code, 0);
});
