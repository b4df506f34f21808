import assert from "node:assert/strict";
import { freePorts } from "../../tools/free_ports.ts";
import { CloudBus } from "../support/bus.ts";
import { type CaptureLine, readCapture } from "../support/captures.ts";
import { ProgramDirectory, type ProgramEnd, startProgram } from "../support/program.ts";
import { matchesSnapshot } from "../support/snapshot.ts";
import { until } from "../support/until.ts";

const LONG_MS = 120_000;
const PERMISSIONS = ["--allow-net", "--allow-read", "--allow-write", "--allow-env"];

/** A little of everything, of Nova and of Neutron. */
const TRAFFIC = ["unversioned.jsonl", "versioned.jsonl"].flatMap((name) => {
  const lines = readCapture(name).filter(({ routing_key }) => routing_key.endsWith(".info"));
  return ["nova", "neutron"].flatMap((service) => lines.filter(({ exchange }) => exchange === service).slice(0, 20));
});
const QUEUES = ["notifications.info", "versioned_notifications.info", "monitoring.info", "oss-watcher"];

let bus: CloudBus;

Deno.test.beforeAll(async () => {
  bus = await CloudBus.open({ management: true });
  await bus.rabbit.ctl("set_user_tags", "watcher", "monitoring");
});

Deno.test.afterAll(() => bus[Symbol.asyncDispose]());

Deno.test.beforeEach(() => bus.deleteQueues(...QUEUES));

for (const management of [true, false]) {
  const how = management ? "with the management API" : "by AMQP alone";

  Deno.test(`doctor finds the missing driver ${how}, and shows the lines for it`, async () => {
    using dir = directory();
    const { code, out } = await doctor(dir, { management });
    assert.equal(code, 1);
    assert.match(
      flat(out),
      /\d\. error: Exchange "nova" has brought no notification: its service has no driver for them/,
    );
    assert.match(
      flat(out),
      /\d\. error: Exchange "neutron" has brought no notification: its service has no driver for them/,
    );
    assert.match(out, /In nova\.conf [^]*\[oslo_messaging_notifications\]\n {5}driver = messagingv2\n/);
    assert.match(out, /In neutron\.conf [^]*With Kolla the same lines in \/etc\/kolla\/config\/neutron\.conf, then:\n/);
    await looksAs(out, `no_driver_${management ? "management" : "amqp"}`);
  });

  Deno.test(`doctor finds the wrong topic ${how}, and shows both ways out`, async () => {
    await bus.declareTopic("nova", "monitoring");
    await bus.declareTopic("neutron", "monitoring");
    using dir = directory();
    const { code, out } = await doctor(dir, { management, lines: TRAFFIC.map(toMonitoring) });
    assert.equal(code, 1);
    assert.match(flat(out), /Exchange "nova" brings monitoring\.info, and oss-watcher waits for notifications\.info, /);
    assert.match(
      out,
      /routingKeys: \[\n +"notifications\.info",\n +"versioned_notifications\.info",\n +"monitoring\.info",\n +\],/,
    );
    assert.match(out, /^ +topics = notifications,monitoring$/m);
    assert.match(flat(out), / \d+ {2}monitoring\.info: does not reach oss-watcher, \d+ of use, driver messagingv2/);
    await looksAs(out, `wrong_topic_${management ? "management" : "amqp"}`);
  });

  Deno.test(`doctor finds that the own queue is not bound ${how}`, async () => {
    await bus.declareTopic("nova", "notifications");
    await bus.declareTopic("neutron", "notifications");
    using dir = directory();
    await declareOwnQueue(dir);
    await bus.unbind("oss-watcher", "nova", ["notifications.info", "versioned_notifications.info"]);
    if (!management) await bus.unbind("oss-watcher", "neutron", ["notifications.info", "versioned_notifications.info"]);
    const { code, out } = await doctor(dir, { management, lines: TRAFFIC });
    assert.equal(code, 1);
    assert.match(flat(out), /error: Queue "oss-watcher" is not bound to exchange "nova": /);
    assert.equal(/is not bound to exchange "neutron"/.test(flat(out)), !management);
    assert.match(flat(out), /error: Queue "oss-watcher" has no consumer: /);
    await looksAs(out, `unbound_${management ? "management" : "amqp"}`);
  });
}

Deno.test("doctor finds that a watchQueue is not bound to one of the exchanges", async () => {
  await bus.declareTopic("nova", "monitoring");
  using dir = directory({ watchQueue: "monitoring.info" });
  const { code, out } = await doctor(dir, { management: true, lines: TRAFFIC.map(toMonitoring) });
  assert.equal(code, 1);
  assert.match(flat(out), /Queue "monitoring\.info" is not bound to exchange "neutron": /);
  assert.match(out, /topics = notifications,monitoring/);
  assert.match(
    out,
    /rabbitmqadmin -V \/ declare binding source=neutron \\\n +destination=monitoring\.info routing_key=monitoring\.info/,
  );
});

Deno.test("doctor finds nothing in the way of a service that runs, takes nothing from it, and warns of queues that grow", async () => {
  await bus.declareTopic("nova", "notifications");
  using dir = directory();
  await using service = startProgram({ dir: dir.path(), args: [], permissions: PERMISSIONS });
  await until(() => service.err.includes("Listening on queue"), LONG_MS);
  const { code, out } = await doctor(dir, { management: true, lines: TRAFFIC });
  assert.equal(code, 0, out);
  assert.match(out, /^Notifications come and reach oss-watcher\.$/m);
  await looksAs(out, "well");
  assert.match(flat(out), / \d+ {2}notifications\.info: reaches oss-watcher, \d+ of use, driver messagingv2,/);
  assert.match(out, /^queue notifications\.info: \d+ messages \(\d+ more\), 0 consumers$/m);
  assert.match(out, /warning: Nobody reads notifications\.info \(\d+\): [^]*rabbitmqctl set_policy --apply-to queues/);
  assert.match(out, /^exchange nova, not durable: \d+ notifications in [\d.]+ s$/m);
});

Deno.test("doctor of a quiet cloud says what to do, with exit code 3", async () => {
  await bus.declareTopic("nova", "notifications");
  await bus.declareTopic("neutron", "notifications");
  using dir = directory();
  await using service = startProgram({ dir: dir.path(), args: [], permissions: PERMISSIONS });
  await until(() => service.err.includes("Listening on queue"), LONG_MS);
  const { code, out } = await doctor(dir, { management: true });
  assert.equal(code, 3, out);
  assert.match(flat(out), /No problem was found, but nothing came in [\d.]+ s\. /);
});

Deno.test("doctor without the rights to listen shows the line that gives them", async () => {
  using dir = directory({ queue: { name: "watcher's" } });
  const { code, out } = await doctor(dir, { management: false });
  assert.equal(code, 1);
  assert.match(out, /rabbitmqctl set_permissions -p \/ watcher \\\n +'\^watcher'\\''s' '\^watcher'\\''s' \\\n/);
});

Deno.test("doctor without the right to look at the services' queues says so, and goes on", async () => {
  await bus.declareTopic("nova", "notifications");
  await bus.permit("^(oss-watcher.*|nova|neutron)$");
  try {
    using dir = directory();
    const { code, out } = await doctor(dir, { management: false, lines: TRAFFIC });
    assert.equal(code, 1);
    assert.match(flat(out), /error: Queue "oss-watcher" is not there: /);
    const refused =
      /^Not examined, since our user has no right to read them: notifications\.info, notifications\.error, /m;
    assert.equal(refused.test(flat(out)), await bus.rabbit.release() >= 4.3);
  } finally {
    await bus.restorePermissions();
  }
});

Deno.test("doctor --json gives a program the same", async () => {
  await bus.declareTopic("nova", "notifications");
  using dir = directory();
  const { code, out } = await doctor(dir, { management: true, lines: TRAFFIC, json: true });
  const { flows, problems, exchanges, queue } = JSON.parse(out);
  assert.equal(code, 1);
  assert.deepEqual(exchanges.slice(0, 2), [{ name: "nova", there: true }, { name: "neutron", there: true }]);
  const nova = flows.find((flow: { readonly exchange: string }) => flow.exchange === "nova");
  assert.deepEqual(nova.drivers, ["messagingv2"]);
  assert.equal(nova.bound, false);
  assert.equal(queue.before, null);
  assert.match(problems[0].text, /^Queue "oss-watcher" is not there: /);
});

/** Runs it, publishes once it listens, and ends the listening when all of that was heard. */
async function doctor(
  dir: ProgramDirectory,
  { management, lines = [], json = false }: {
    readonly management: boolean;
    readonly lines?: readonly CaptureLine[];
    readonly json?: boolean;
  },
): Promise<ProgramEnd> {
  // Where nobody answers.
  const port = management ? bus.rabbit.managementPort : freePorts(1)[0];
  const args = ["doctor", "--seconds", "600", "--management", `http://127.0.0.1:${port}`, ...(json ? ["--json"] : [])];
  await using program = startProgram({ dir: dir.path(), args, permissions: PERMISSIONS });
  const ended = program.ended();
  let over = false;
  ended.then(() => over = true);
  await until(() => /^Listening at/m.test(program.err) || over, LONG_MS);
  await bus.replay(lines);
  await until(async () => over || await isDrained(), LONG_MS);
  if (management) await until(async () => over || await isCounted(), LONG_MS);
  if (!over) await program.end("SIGINT");
  const { code } = await ended;
  return { code, out: program.out, err: program.err };
}

/** Whether the temporary queue holds nothing that was not read. */
async function isDrained(): Promise<boolean> {
  const queues = await bus.rabbit.ctl("list_queues", "name", "messages");
  return queues.split("\n").every((line) => !/\.doctor\./.test(line) || /\t0$/.test(line));
}

/** Whether the management API knows of all queues. */
async function isCounted(): Promise<boolean> {
  const headers = { authorization: `Basic ${btoa("guest:guest")}` };
  const url = `http://127.0.0.1:${bus.rabbit.managementPort}/api/queues/%2F`;
  const queues: readonly { readonly messages?: number }[] = await (await fetch(url, { headers })).json();
  return queues.every(({ messages }) => messages !== undefined);
}

/** As the service leaves it when it has run. */
async function declareOwnQueue(dir: ProgramDirectory): Promise<void> {
  await using service = startProgram({ dir: dir.path(), args: [], permissions: PERMISSIONS });
  await until(() => service.err.includes("Listening on queue"), LONG_MS);
  await service.end("SIGTERM");
}

function toMonitoring(line: CaptureLine): CaptureLine {
  return { ...line, routing_key: "monitoring.info" };
}

/** Compares it with what was read and found good, numbers of the moment aside. */
async function looksAs(out: string, name: string): Promise<void> {
  const text = out.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:5672").replaceAll(/\b[\d.]+ s\b/g, "5 s");
  assert.deepEqual(text.split("\n").filter((line) => line.length > 80), []);
  await matchesSnapshot(text, new URL(`snapshots/doctor/${name}.txt`, import.meta.url));
}

/** Without the line breaks of the paragraphs. */
function flat(text: string): string {
  return text.replace(/\n +/g, " ");
}

function directory(more?: Readonly<Record<string, unknown>>): ProgramDirectory {
  return new ProgramDirectory({
    "config.ts": `export default {
  events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
  plugins: [{ name: "Silent", notify() {} }],
  rabbit: ${JSON.stringify(bus.source(more))},
  ledger: { file: "./ledger.db", keepDays: 36500 },
};
`,
  });
}
