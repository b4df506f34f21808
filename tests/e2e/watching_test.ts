import assert from "node:assert/strict";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import { Service } from "../../tools/service.ts";
import { EXPECTED } from "../facts/expected_events.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { NotifySocket } from "../support/notify_socket.ts";
import { ProgramDirectory } from "../support/program.ts";
import { promtool, samplesOf } from "../support/promtool.ts";
import { until } from "../support/until.ts";

const LONG_MS = 120_000;
const PASSWORD = "hush-4711";

/** All that leads to events, and some of what does not. */
const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"))
  .filter(({ routing_key }) => routing_key.endsWith(".info"))
  .filter(({ body }, index) =>
    /(instance\.(create|delete)|floatingip\.\w+|port\.(update|delete))\.end/.test(body) || index % 20 === 0
  );

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => void (rabbit = await startRabbit()));

Deno.test.afterAll(() => rabbit.stop());

Deno.test("service tells systemd when it is ready, that it lives, and that it stops", async () => {
  await using receiver = new Receiver();
  using dir = directory({ targets: { Cmdb: receiver } });
  await using socket = await NotifySocket.open(dir.path("notify"));
  const env = { NOTIFY_SOCKET: socket.address, WATCHDOG_USEC: "1000000" };
  await using service = new Service(dir.path(), [], env);
  await until(() => socket.texts.filter((text) => text === "WATCHDOG=1\n").length > 3, LONG_MS);
  await until(() => socket.texts.includes("READY=1\nSTATUS=Consuming\n"), LONG_MS);
  assert.equal((await service.end("SIGTERM")).code, 0);
  await until(() => socket.texts.at(-1)?.startsWith("STOPPING=1\n"), LONG_MS);
  assert.deepEqual([...new Set(socket.received.map(({ pid }) => pid))], [service.pid]);
  assert.ok(!service.log.includes("systemd"), service.log);
});

Deno.test("service shows Prometheus what it does, and says when it cannot do it", async () => {
  await using good = new Receiver();
  await using bad = new Receiver();
  bad.answer = () => new Response(PASSWORD, { status: 503 });
  using dir = directory({ targets: { Cmdb: good, Dns: bad } });
  await using publisher = new CloudPublisher(rabbit.url);
  await publisher.declareExchange("nova", { durable: true });
  await using service = new Service(dir.path());
  const get = await asking(service);
  await until(async () => (await get("readyz")).status === 200, LONG_MS);

  for (const { routing_key: routingKey, body } of RUN) await publisher.publish({ exchange: "nova", routingKey, body });
  await publisher.publish({ exchange: "nova", routingKey: "notifications.info", body: "[]" });
  const samples = async () => samplesOf((await get("metrics")).body);
  const sum = async (...names: readonly string[]) => {
    const values = await samples();
    return names.reduce((total, name) => total + (values.get(`oss_watcher_${name}`) ?? NaN), 0);
  };
  await until(async () => await sum(`deliveries_delivered_total{plugin="Cmdb"}`) === EXPECTED.length, LONG_MS);
  await until(async () => await sum(`attempts_retried_total{plugin="Dns"}`) > 0, LONG_MS);

  await until(async () => await sum("messages_received_total") === RUN.length + 1, LONG_MS);
  assert.equal(await sum("messages_rejected_total"), 1);
  assert.equal(
    await sum("messages_ignored_total", "messages_rejected_total", "notifications_recorded_total"),
    RUN.length + 1,
  );
  const outcomes = ["event", "remembered", "repeated", "superseded"];
  const decided = outcomes.map((outcome) => `notifications_decided_total{outcome="${outcome}"}`);
  await until(async () => await sum(...decided) === await sum("notifications_recorded_total"), LONG_MS);
  assert.equal(await sum(`attempt_duration_seconds_count{plugin="Cmdb"}`), EXPECTED.length);
  const waiting = ["new", "blocked", "ready"].map((state) => `deliveries_waiting{plugin="Dns",state="${state}"}`);
  await until(async () => await sum(...waiting) === EXPECTED.length, LONG_MS);
  await until(async () => await sum(`breaker_open{plugin="Dns"}`) === 1, LONG_MS);
  assert.ok(await sum(`attempts_failed_total{plugin="Dns",reason="server_error"}`) >= 5);
  await until(async () => await sum(`oldest_waiting_delivery_age_seconds{plugin="Dns"}`) > 0, LONG_MS);
  await until(async () => await sum(`oldest_waiting_delivery_age_seconds{plugin="Cmdb"}`) === 0, LONG_MS);
  assert.ok(await sum("last_message_age_seconds") < 120);

  const { body } = await get("metrics");
  assert.deepEqual(await promtool(["check", "metrics"], body), { code: 0, said: "" });
  assert.ok(!body.includes("4711"));
  assert.equal((await get("readyz")).status, 200, "a target that is down is its own affair");

  await rabbit.kill();
  await until(async () => (await get("readyz")).status === 503, LONG_MS);
  assert.deepEqual(await get("readyz"), { status: 503, body: "source 0: not connected\n" });
  assert.equal((await get("healthz")).status, 200);
  assert.equal(await sum(`source_connected{source="0"}`, `source_consuming{source="0"}`), 0);
  assert.equal((await service.end("SIGTERM")).code, 0);
});

/** A directory with a configuration that watches itself on a free port. */
function directory({ targets }: {
  readonly targets: Readonly<Record<string, Receiver>>;
}): ProgramDirectory {
  const plugins = Object.entries(targets).map(([name, { port }]) => {
    const options = { name, host: "http://127.0.0.1", port, user: "watcher", password: PASSWORD };
    return `new RestNotify(${JSON.stringify({ ...options, urlCreation: "/created", urlDeletion: "/deleted" })})`;
  });
  return new ProgramDirectory({
    "config.ts": `import { RestNotify } from "oss-watcher/plugins";
      export default {
        events: {
          creation: ["compute.instance.create.end", "floatingip.update.end"],
          deletion: ["compute.instance.delete.end", "floatingip.update.end"],
        },
        plugins: [${plugins.join(", ")}],
        rabbit: { url: ${
      JSON.stringify(rabbit.url)
    }, queue: { name: "watched", exchanges: ["nova"], type: "classic" } },
        retry: { firstDelaySeconds: 0.1, maxDelaySeconds: 0.5 },
        ledger: { file: "./ledger.db", keepDays: 36500 },
        metrics: { port: 0 },
      };`,
  });
}

/** Asks the service over HTTP, where its log says that it answers. */
async function asking(service: Service): Promise<(path: string) => Promise<{ status: number; body: string }>> {
  const [, url] = await until(() => /Metrics and health at (\S+)\n/.exec(service.log), LONG_MS);
  return async (path) => {
    const response = await fetch(`${url}${path}`);
    return { status: response.status, body: await response.text() };
  };
}
