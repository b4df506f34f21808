import assert from "node:assert/strict";
import type { Asked } from "../../src/detail/enrich.ts";
import { RetryingSource } from "../../src/detail/retrying_source.ts";
import { UserError } from "../../src/model/errors.ts";
import type { OpenStackApi } from "../../src/openstack/api.ts";
import { OpenStackUnavailable } from "../../src/openstack/errors.ts";
import type { ServiceName } from "../../src/openstack/services.ts";
import { KeptLog } from "../support/loggers.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const HOUR_MS = 3_600_000;

/** A cloud that fails as a test says, time, and the questions that got through. */
class Cloud {
  readonly clock = new VirtualClock();
  readonly log = new KeptLog();
  readonly asked: string[] = [];
  readonly source: RetryingSource;
  /** What the next questions meet. */
  failure: Partial<Record<Asked, () => Error>> = {};
  /** What a question about one thing meets. */
  fails: (id: string) => Error | undefined = () => undefined;

  constructor(maxWaitMs = HOUR_MS) {
    const answer = (what: Asked) => (id: string) => {
      this.asked.push(`${what} ${id}`);
      const failure = this.failure[what]?.() ?? this.fails(id);
      return failure === undefined ? Promise.resolve("absent" as const) : Promise.reject(failure);
    };
    const api = {
      server: answer("server"),
      portsOfServer: answer("portsOfServer"),
      image: answer("image"),
      project: answer("project"),
      user: answer("user"),
    } as Pick<OpenStackApi, Asked>;
    this.source = new RetryingSource({ api, clock: this.clock, random: () => 1, log: this.log, maxWaitMs });
  }
}

function down(service: ServiceName, retryAfterMs?: number): () => OpenStackUnavailable {
  const details = { service, reason: "connection" as const, retryAfterMs };
  return () => new OpenStackUnavailable(`Cannot ask ${service}: connection refused`, details);
}

function answered(status: number): OpenStackUnavailable {
  return new OpenStackUnavailable(`Cannot ask Nova: ${status}`, { service: "Nova", reason: "server_error", status });
}

/** What a question has come to so far. */
function watched(question: Promise<unknown>): { state: unknown } {
  const seen: { state: unknown } = { state: "waiting" };
  question.then((answer) => seen.state = answer, (error) => seen.state = error);
  return seen;
}

Deno.test("RetryingSource tries one question again and again, longer and longer apart, and all others wait for it", async () => {
  const cloud = new Cloud();
  cloud.failure = { server: down("Nova") };
  const first = watched(cloud.source.server("a"));
  const second = watched(cloud.source.server("b"));
  await cloud.clock.advance(999);
  assert.deepEqual(cloud.asked.splice(0), ["server a", "server b"]);
  await cloud.clock.advance(6001);
  // After 1, 2 and 4 s.
  assert.deepEqual(cloud.asked.splice(0), ["server a", "server a", "server a"]);
  const late = watched(cloud.source.server("c"));
  cloud.failure = {};
  await cloud.clock.advance(7999);
  assert.deepEqual([first.state, second.state, late.state], ["waiting", "waiting", "waiting"]);
  await cloud.clock.advance(1);
  assert.deepEqual([first.state, second.state, late.state], ["absent", "absent", "absent"]);
  assert.deepEqual(cloud.asked, ["server a", "server b", "server c"]);
  assert.deepEqual(cloud.log.lines.filter((line) => !line.startsWith("debug")), [
    "warn Cannot ask Nova: connection refused. Details that need it wait for up to 3600 s",
    "info Nova answers again, after 15 s",
  ]);
});

Deno.test("RetryingSource leaves a service alone for as long as it asks, and the others answer", async () => {
  const cloud = new Cloud();
  cloud.failure = { portsOfServer: down("Neutron", 90_000) };
  const ports = watched(cloud.source.portsOfServer("a"));
  await cloud.clock.advance(89_000);
  assert.equal(await cloud.source.server("a"), "absent");
  assert.deepEqual(cloud.asked.splice(0), ["portsOfServer a", "server a"]);
  cloud.failure = {};
  await cloud.clock.advance(2000);
  assert.equal(ports.state, "absent");
});

Deno.test("RetryingSource does not let all wait for one question that a service which answers others fails at", async () => {
  const cloud = new Cloud();
  const { clock, source, log } = cloud;
  const broken = new Set(["bad"]);
  cloud.fails = (id) => broken.has(id) ? answered(500) : undefined;
  const bad = watched(source.server("bad"));
  const others = ["b", "c"].map((id) => watched(source.server(id)));
  await clock.advance(5000);

  assert.deepEqual(others.map(({ state }) => state), ["absent", "absent"]);
  assert.deepEqual(bad.state, "waiting");
  const third = watched(source.server("d"));
  await clock.settle();
  assert.equal(third.state, "absent");

  broken.clear();
  await clock.advance(60_000);
  assert.equal(bad.state, "absent");
  assert.deepEqual(log.lines, [
    "warn Cannot ask Nova: 500. Details that need it wait for up to 3600 s",
    "info Nova answers again, after 1 s",
    "warn Cannot ask Nova: 500. It answers other requests; events that need this one wait for up to 3600 s",
  ]);
});

Deno.test("RetryingSource gives one question up that fails for too long while others are answered", async () => {
  const cloud = new Cloud();
  const { clock, source } = cloud;
  cloud.fails = (id) => id === "bad" ? answered(500) : undefined;
  const bad = watched(source.server("bad"));
  void source.server("b");
  await clock.advance(HOUR_MS - 1);
  assert.equal(bad.state, "waiting");
  await clock.advance(1);
  assert.equal(bad.state, "silent");
  // At most once a minute.
  assert.ok(cloud.asked.filter((line) => line === "server bad").length < 150);
});

Deno.test("RetryingSource gives up when OpenStack has been silent for too long, and then asks now and then", async () => {
  const cloud = new Cloud();
  cloud.failure = { server: down("Nova"), portsOfServer: down("Neutron") };
  const server = watched(cloud.source.server("a"));
  await cloud.clock.advance(HOUR_MS - 1000);
  const late = watched(cloud.source.server("b"));
  const ports = watched(cloud.source.portsOfServer("a"));
  await cloud.clock.advance(999);
  assert.deepEqual([server.state, late.state, ports.state], ["waiting", "waiting", "waiting"]);
  await cloud.clock.advance(1);
  // Neutron failed a second ago, and OpenStack an hour ago.
  assert.deepEqual([server.state, late.state, ports.state], ["silent", "silent", "silent"]);

  cloud.asked.splice(0);
  await cloud.clock.advance(60_000);
  assert.deepEqual(await Promise.all(["c", "d"].map((id) => cloud.source.server(id))), ["silent", "silent"]);
  assert.deepEqual(await cloud.source.server("e"), "silent");
  assert.deepEqual(cloud.asked.splice(0), ["server c"]);
  cloud.failure = {};
  await cloud.clock.advance(60_000);
  assert.equal(await cloud.source.server("f"), "absent");
  assert.equal(await cloud.source.portsOfServer("f"), "absent");
  assert.deepEqual(cloud.log.lines.filter((line) => !line.startsWith("debug")), [
    "warn Cannot ask Nova: connection refused. Details that need it wait for up to 3600 s",
    "warn Cannot ask Neutron: connection refused. Details that need it wait for up to 3600 s",
    "warn OpenStack has been silent for 3600 s: details are made without it until it answers",
    "info Nova answers again, after 3720 s",
    "info Neutron answers again, after 3720 s",
  ]);
});

Deno.test("RetryingSource tells a Keystone that keeps all services from answering once", async () => {
  const cloud = new Cloud();
  const keystone = down("Keystone");
  cloud.failure = { server: keystone, portsOfServer: keystone, project: keystone };
  const { source } = cloud;
  const waiting = [source.server("a"), source.portsOfServer("a"), source.project("p")].map(watched);
  await cloud.clock.advance(10_000);
  cloud.failure = {};
  await cloud.clock.advance(10_000);
  assert.deepEqual(waiting.map(({ state }) => state), ["absent", "absent", "absent"]);
  assert.deepEqual(cloud.log.lines.filter((line) => !line.startsWith("debug")), [
    "warn Cannot ask Keystone: connection refused. Details that need it wait for up to 3600 s",
    "info Keystone answers again, after 15 s",
  ]);
});

Deno.test("RetryingSource takes a refusal for silence, tells it once, and goes on when it is mended", async () => {
  const cloud = new Cloud();
  cloud.failure = { server: () => new UserError("Cannot log in at Keystone: 401") };
  const server = watched(cloud.source.server("a"));
  await cloud.clock.advance(100_000);
  assert.equal(server.state, "waiting");
  cloud.failure = {};
  await cloud.clock.advance(60_000);
  assert.equal(server.state, "absent");
  assert.deepEqual(cloud.log.lines.filter((line) => !line.startsWith("debug")), [
    "error Cannot log in at Keystone: 401. Details that need it wait for up to 3600 s",
    "info OpenStack answers again, after 123 s",
  ]);
});

Deno.test("RetryingSource without patience asks once and gives up", async () => {
  const cloud = new Cloud(0);
  cloud.failure = { server: down("Nova") };
  assert.equal(await cloud.source.server("a"), "silent");
  assert.equal(await cloud.source.server("b"), "silent");
  assert.deepEqual(cloud.asked, ["server a"]);
  assert.equal(await cloud.source.image("i"), "absent");
});

Deno.test("RetryingSource ends all waiting at once when the signal aborts", async () => {
  const cloud = new Cloud();
  cloud.failure = { server: down("Nova") };
  const stop = new AbortController();
  const waiting = ["a", "b", "c"].map((id) => watched(cloud.source.server(id, stop.signal)));
  await cloud.clock.advance(5000);
  const reason = new Error("stopped");
  stop.abort(reason);
  await cloud.clock.settle();
  assert.deepEqual(waiting.map(({ state }) => state), [reason, reason, reason]);
  assert.equal(cloud.clock.sleeping, 0);
});

Deno.test("RetryingSource passes on what is no failure of OpenStack's", async () => {
  const cloud = new Cloud();
  cloud.failure = { server: () => new TypeError("a mistake") };
  await assert.rejects(cloud.source.server("a"), TypeError);
});
