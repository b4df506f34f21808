import assert from "node:assert/strict";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { Notification } from "../../src/model/notification.ts";
import { CloudReader } from "../../src/runtime/cloud_reader.ts";
import { FactsStage } from "../../src/runtime/facts_stage.ts";
import { Priming } from "../../src/runtime/priming.ts";
import { Opened } from "../openstack/opened.ts";
import { KeptLog } from "../support/loggers.ts";
import { idOf, MadeCloud } from "../support/made_cloud.ts";
import { EVERYTHING } from "../support/rules.ts";
import { came, floatingIpIs, portGone, went } from "../support/stories.ts";
import { TemporaryLedger } from "../support/temporary_ledger.ts";
import { until } from "../support/until.ts";

const HOUR_MS = 3_600_000;
const [FIRST, LAST] = [idOf("5e", 0), idOf("5e", 6)];

/** A service without RabbitMQ and plugins: priming and stage 2, between a ledger in a file and a cloud of seven servers over HTTP. */
class World extends Opened {
  readonly file = new TemporaryLedger();
  readonly said = new KeptLog();
  readonly opened = Promise.withResolvers<void>();
  readonly stop = new AbortController();
  cloud!: MadeCloud;
  priming!: Priming;
  facts!: FactsStage;

  static async open(options: { readonly maxWaitMs?: number; readonly floatingIps?: number } = {}) {
    const world = new World();
    world.cloud = await MadeCloud.behind(world.server, { servers: 7, floatingIps: options.floatingIps ?? 4 });
    const { api, clock, file: { ledger }, said: log, stop: { signal } } = world;
    world.priming = new Priming({
      reader: new CloudReader({ api, clock, random: () => 0, log }),
      ledger,
      rules: EVERYTHING,
      clock,
      log,
      maxWaitMs: options.maxWaitMs ?? HOUR_MS,
      onOpen: world.opened.resolve,
    });
    world.facts = new FactsStage({
      ledger,
      rules: () => EVERYTHING,
      mayDecide: () => world.priming.isOpen,
      nova: null,
      log,
      signal,
      onAnswered: () => {},
    });
    return world;
  }

  run(): Promise<void> {
    return this.priming.run(Promise.resolve(), this.stop.signal);
  }

  /** Lets time pass until it has ended. */
  async runThrough(): Promise<void> {
    let hasEnded = false;
    const run = this.run().finally(() => hasEnded = true);
    await until(async () => {
      await this.clock.advance(1000);
      return hasEnded;
    });
    await run;
  }

  async record(...notifications: readonly Notification[]): Promise<void> {
    await this.file.ledger.record(notifications.map((notification) => ({ receivedAt: 0, notification })));
  }

  async decided(): Promise<readonly WatcherEvent[]> {
    while (await this.facts.step(50));
    return (await this.file.ledger.undetailed(99)).map(({ event }) => event);
  }

  lists(): string[] {
    return this.server.taken().filter((line) => /\/(?:detail|ports|floatingips)\?/.test(line))
      .map((line) => line.replace(/^\w+ GET \/v2\.[01]/, ""));
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    await super[Symbol.asyncDispose]();
    this.file[Symbol.dispose]();
  }
}

Deno.test("Priming reads floating IPs, then ports, then servers, page by page, and announces nothing", async () => {
  await using world = await World.open();

  await world.run();

  assert.deepEqual(world.lists(), [
    "/floatingips?limit=3",
    `/floatingips?limit=3&marker=${idOf("f1", 2)}`,
    // Nothing is behind the last, which is still behind an earlier one.
    `/floatingips?limit=3&marker=${idOf("f1", 3)}`,
    `/floatingips?limit=3&marker=${idOf("f1", 2)}`,
    "/ports?limit=3",
    "/ports?limit=3",
    "/ports?limit=3",
    "/ports?limit=3",
    "/ports?limit=3",
    "/servers/detail?limit=3&all_tenants=1",
    `/servers/detail?limit=3&all_tenants=1&marker=${idOf("5e", 2)}`,
    `/servers/detail?limit=3&all_tenants=1&marker=${idOf("5e", 5)}`,
    `/servers/detail?limit=3&all_tenants=1&marker=${idOf("5e", 6)}`,
    `/servers/detail?limit=3&all_tenants=1&marker=${idOf("5e", 5)}`,
  ]);
  assert.deepEqual(world.said.lines, [
    "info Reading the floating IPs, ports and servers that are there; messages are recorded, and wait",
    "info Remembered 4 floating IPs, 7 ports, 7 servers, after 0 s; nothing is sent for them",
  ]);
  assert.deepEqual(await world.decided(), []);
  assert.ok(world.priming.isOpen);
});

Deno.test("Priming is done once", async () => {
  await using world = await World.open();
  await world.run();
  world.server.taken();

  await world.run();

  assert.deepEqual(world.server.taken(), []);
});

Deno.test("a deletion after Priming carries what its creation would have carried", async () => {
  await using world = await World.open();
  await world.run();
  await world.record(went(FIRST, { hostname: "renamed" }));

  const [end, deletion, ...others] = await world.decided();

  assert.equal(others.length, 0);
  assert.equal(end?.key, `floatingip/${idOf("f1", 0)}/3/deletion`);
  assert.deepEqual(end.floatingIp, {
    id: idOf("f1", 0),
    address: "203.0.0.0",
    fixedAddress: "10.0.0.0",
    mac: "fa:16:3e:00:00:00",
  });
  assert.equal(deletion?.key, `server/${FIRST}/deletion`);
  assert.equal(deletion.creationSeen, false);
  const { hostname, dnsName, projectName, userName, imageName, metadata, addresses } = deletion.server;
  assert.deepEqual({ hostname, dnsName, projectName, userName, imageName, metadata, addresses }, {
    hostname: "web-0",
    dnsName: "web-0.cloud.example.com",
    projectName: "name of project-0",
    userName: "name of user-of-project-0",
    imageName: "debian-12",
    metadata: { owner: "owner-0" },
    addresses: [{ address: "10.0.0.0", mac: "fa:16:3e:00:00:00", type: "fixed", network: "net", version: 4 }],
  });
});

Deno.test("nothing is decided before Priming has ended; what was recorded meanwhile is announced then", async () => {
  await using world = await World.open();
  await world.record(came(FIRST), floatingIpIs(idOf("f1", 6), { port: idOf("b0", 6), server: LAST, revision: 9 }));
  await world.record(portGone(idOf("b0", 1), { server: idOf("5e", 1), revision: 4 }), went(idOf("5e", 1)));
  assert.deepEqual(await world.decided(), []);

  await world.run();

  assert.deepEqual((await world.decided()).map(({ key }) => key), [
    `server/${FIRST}/creation`,
    `floatingip/${idOf("f1", 6)}/1/creation`,
    `floatingip/${idOf("f1", 1)}/3/deletion`,
    `server/${idOf("5e", 1)}/deletion`,
  ]);
});

Deno.test("Priming goes on where it was stopped", async () => {
  await using world = await World.open();
  const { cloud, server } = world;
  server.intercept = (request) => {
    if (request.path.includes(`marker=${idOf("b0", 2)}`)) world.stop.abort();
    return cloud.intercept(request);
  };
  await world.run();
  assert.ok(!world.priming.isOpen);
  server.intercept = cloud.intercept;
  server.taken();
  world.file.reopen();
  await using next = await World.open();
  const again = new Priming({
    reader: new CloudReader({ api: world.api, clock: world.clock, random: () => 0, log: next.said }),
    ledger: world.file.ledger,
    rules: EVERYTHING,
    clock: world.clock,
    log: next.said,
    maxWaitMs: HOUR_MS,
    onOpen: () => {},
  });

  await again.run(Promise.resolve(), next.stop.signal);

  assert.deepEqual(world.server.requests.map(({ path }) => path).filter((path) => path.includes("ports")).map(marker), [
    idOf("b0", 2),
    idOf("b0", 5),
    idOf("b0", 6),
    idOf("b0", 5),
  ]);
  assert.deepEqual(world.lists().filter((path) => path.includes("floatingips")), []);
  assert.match(next.said.lines.at(-1)!, /Remembered 4 floating IPs, 7 ports, 7 servers/);
});

Deno.test("Priming leaves nothing out when what it would go on behind is deleted meanwhile", async () => {
  for (const [kind, id] of [["servers", "5e"], ["ports", "b0"], ["floatingips", "f1"]] as const) {
    await using world = await World.open();
    const { cloud, server, file } = world;
    server.intercept = (request) => {
      const isBehind = marker(request.path) === idOf(id, 2);
      if (isBehind && cloud.lists[kind].some((one) => one["id"] === idOf(id, 2))) cloud.remove(kind, idOf(id, 2));
      return cloud.intercept(request);
    };

    await world.runThrough();

    const table = { servers: "server", ports: "port", floatingips: "floatingip" }[kind];
    assert.equal(
      file.database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"],
      kind === "floatingips" ? 4 : 7,
    );
  }
});

Deno.test("Priming ends with what goes on being deleted under it", async () => {
  await using world = await World.open({ floatingIps: 7 });
  const { cloud, server } = world;
  let vanishing = 9;
  server.intercept = (request) => {
    const isNext = request.path.includes("floatingips") && marker(request.path) !== null;
    if (!isNext || --vanishing < 0) return cloud.intercept(request);
    // Each floating IP that it would go on behind is gone just then.
    const { floatingips } = cloud.lists;
    const all = [...floatingips];
    cloud.remove("floatingips", marker(request.path)!);
    const answer = cloud.intercept(request);
    floatingips.splice(0, 9, ...all);
    return answer;
  };

  await world.runThrough();

  assert.match(world.said.lines.join("\n"), /warn .*the list "floatingips" restarts again and again/);
  assert.match(world.said.lines.at(-1)!, /7 floating IPs, 7 ports, 7 servers/);
});

Deno.test("Priming reads its own project's alone where more is forbidden, and says so once", async () => {
  await using world = await World.open();
  world.cloud.isMember = true;

  await world.run();

  assert.match(world.said.lines.at(-1)!, /Remembered 1 floating IPs, 2 ports, 2 servers/);
  assert.deepEqual(world.log.lines.filter((line) => line.startsWith("warn")).length, 1);
  assert.match(
    world.log.lines[0]!,
    /does not let our account list the servers of all projects \(403.*only servers of its own project are read/,
  );
});

Deno.test("Priming tries again what is refused for a while, and tells it once", async () => {
  await using world = await World.open();
  const { cloud, server, clock, said } = world;
  const began = clock.passedMs();
  const refusals = [
    new Response(null, { status: 429, headers: { "retry-after": "30" } }),
    new Response(null, { status: 503 }),
    Response.json({ servers: null }),
  ];
  server.intercept = (request) =>
    (request.path.includes("/servers/detail") ? refusals.shift() : undefined) ?? cloud.intercept(request);

  await world.runThrough();

  assert.match(said.lines.at(-1)!, /4 floating IPs, 7 ports, 7 servers/);
  assert.equal(said.lines.filter((line) => line.startsWith("warn")).length, 1);
  assert.match(said.lines[1]!, /^warn Cannot ask Nova at .*: 429 \(in 30 s again\).*Retrying until it works$/);
  assert.ok(clock.passedMs() - began >= 31_000);
});

Deno.test("messages are decided without it when Priming takes too long, and it goes on", async () => {
  await using world = await World.open({ maxWaitMs: 60_000 });
  const { cloud, server, clock, said } = world;
  let isDown = true;
  server.intercept = (request) =>
    isDown && request.path.includes("/ports") ? new Response(null, { status: 503 }) : cloud.intercept(request);
  const run = world.run();
  await until(() => said.lines.length === 2);
  await world.record(came("new"));
  await clock.advance(59_000);
  assert.deepEqual(await world.decided(), []);
  await clock.advance(2000);
  await world.opened.promise;
  assert.deepEqual((await world.decided()).map(({ key }) => key), ["server/new/creation"]);
  assert.match(
    said.lines.at(-1)!,
    /Priming did not finish within 60 s: messages are decided without the rest. It continues/,
  );
  isDown = false;
  await until(async () => {
    await clock.advance(60_000);
    return said.lines.at(-1)!.includes("7 servers");
  });
  await run;
});

Deno.test("Priming waits until the queues are bound", async () => {
  await using world = await World.open();
  const bound = Promise.withResolvers<void>();
  const run = world.priming.run(bound.promise, world.stop.signal);
  await world.clock.settle();
  assert.deepEqual(world.server.taken(), []);
  bound.resolve();
  await run;
  assert.ok(world.priming.isOpen);
});

function marker(path: string): string | null {
  return new URL(path, "http://here").searchParams.get("marker");
}
