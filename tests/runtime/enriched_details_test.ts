import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { RetryingSource } from "../../src/detail/retrying_source.ts";
import { decide } from "../../src/facts/decide.ts";
import type { DetailOptions } from "../../src/model/config.ts";
import type { Delivery } from "../../src/model/ledger.ts";
import type { JsonObject, Notification } from "../../src/model/notification.ts";
import { detailMaker } from "../../src/runtime/detail_stage.ts";
import { EnrichedDetails } from "../../src/runtime/enriched_details.ts";
import { Opened } from "../openstack/opened.ts";
import { KeptLog } from "../support/loggers.ts";
import { RECORDED, type RecordedService } from "../support/openstack_server.ts";
import { EVERYTHING } from "../support/rules.ts";
import { came, floatingIpIs, portIs, went } from "../support/stories.ts";
import { TemporaryLedger } from "../support/temporary_ledger.ts";
import { until } from "../support/until.ts";

const HOUR_MS = 3_600_000;
/** As Nova's messages of servers that the recorded cloud has: without names, and without a description. */
const PAYLOAD: JsonObject = {
  hostname: "beam-ctl-02",
  tenant_id: RECORDED.project,
  user_id: RECORDED.user,
  image_ref_url: `http://glance/images/${RECORDED.image}`,
  created_at: "2026-11-21 19:13:12+00:00",
  metadata: { Owner: "alice" },
  vcpus: 1,
};
const FIXED_IPS = [{ address: "10.12.0.41", type: "fixed", version: 4, label: "net-b", vif_mac: "fa:16:3e:b6:ce:56" }];

const creation = (id: string, more: JsonObject = {}) => came(id, { ...PAYLOAD, fixed_ips: FIXED_IPS, ...more });
const deletion = (id: string) => went(id, PAYLOAD);

/** Stage 3 between a ledger in a file and the recorded cloud, both real, with time that a test makes. */
class World extends Opened {
  readonly file = new TemporaryLedger();
  readonly said = new KeptLog();
  readonly #detail: DetailOptions | undefined;
  readonly #maxWaitMs: number;
  readonly #maxPending: number;
  stop = new AbortController();
  details!: EnrichedDetails;
  rooms = 0;

  constructor(
    { detail, maxWaitMs = HOUR_MS, maxPending = 99 }: {
      readonly detail?: DetailOptions;
      readonly maxWaitMs?: number;
      readonly maxPending?: number;
    } = {},
  ) {
    super();
    [this.#detail, this.#maxWaitMs, this.#maxPending] = [detail, maxWaitMs, maxPending];
    this.#start();
  }

  /** What a kill and a start do: nothing is left but the file. */
  async restart(): Promise<void> {
    this.stop.abort();
    this.file.reopen();
    this.stop = new AbortController();
    this.#start();
    await this.file.ledger.activate(["P"]);
  }

  /** Records and decides; stage 3 takes it up. */
  async tell(...notifications: readonly Notification[]): Promise<void> {
    const { ledger } = this.file;
    await ledger.activate(["P"]);
    await ledger.record(notifications.map((notification) => ({ receivedAt: 0, notification })));
    await ledger.decide(99, (notification, memory) => decide(notification, memory, EVERYTHING));
    await this.step();
  }

  async step(): Promise<void> {
    while (await this.details.step(50));
  }

  /** The deliveries that may be attempted, all settled at once so that those behind them follow. */
  async delivered(): Promise<Delivery[]> {
    const ready = await this.file.ledger.ready({ plugin: "P", now: 1, limit: 99 });
    const done = {
      plugin: "P",
      startedAt: 0,
      endedAt: 0,
      outcome: "done",
      failure: null,
      dueAt: 0,
      triedMs: 0,
    } as const;
    await this.file.ledger.settle(ready.map(({ seq }) => ({ seq, ...done })));
    return ready.length === 0 ? [] : [...ready, ...await this.delivered()];
  }

  async keys(): Promise<string[]> {
    return (await this.delivered()).map(({ event }) => event.key);
  }

  async undetailed(): Promise<string[]> {
    return (await this.file.ledger.undetailed(99)).map(({ event }) => event.key);
  }

  /** From now on a service gives this answer, or the recorded ones again. */
  answer(service: RecordedService, response?: () => Response | Promise<Response>): void {
    this.server.intercept = (request) => request.service === service && request.path !== "/" ? response?.() : undefined;
  }

  /** Questions that services were asked, without the search for their APIs. */
  questions(): string[] {
    return this.server.taken().filter((line) => /\/(servers|ports|images|projects|users)/.test(line)).sort();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    await this.details.idle();
    this.file[Symbol.dispose]();
    await super[Symbol.asyncDispose]();
  }

  #start(): void {
    const { api, clock, said: log } = this;
    const source = new RetryingSource({ api, clock, random: () => 1, log, maxWaitMs: this.#maxWaitMs });
    this.details = new EnrichedDetails({
      ledger: this.file.ledger,
      source,
      make: detailMaker(this.#detail, log),
      detail: this.#detail,
      log,
      signal: this.stop.signal,
      maxPending: this.#maxPending,
      onDetailed: () => {},
      onRoom: () => this.rooms++,
      onFailed: (error) => log.error(String(error)),
    });
  }
}

type Gate = PromiseWithResolvers<void>;

function unavailable(): Response {
  return new Response("{}", { status: 503, headers: { "Content-Type": "application/json" } });
}

/** Waits until a service has refused a question. */
async function refused(world: World): Promise<void> {
  await until(() => world.said.lines.some((line) => line.startsWith("warn Cannot ask")));
}

Deno.test("EnrichedDetails asks at most two questions for a creation once names and images are known", async () => {
  await using world = new World();
  await world.tell(creation(RECORDED.server));
  await world.details.idle();
  assert.deepEqual(world.questions(), [
    `compute GET /v2.1/servers/${RECORDED.server}`,
    `identity GET /v3/projects/${RECORDED.project}`,
    `identity GET /v3/users/${RECORDED.user}`,
    `image GET /v2/images/${RECORDED.image}`,
    `network GET /v2.0/ports?device_id=${RECORDED.server}`,
  ]);
  await world.tell(creation(RECORDED.twoNics));
  await world.details.idle();
  assert.deepEqual(world.server.taken(), [
    `compute GET /v2.1/servers/${RECORDED.twoNics}`,
    `network GET /v2.0/ports?device_id=${RECORDED.twoNics}`,
  ]);
  const [, second] = await world.delivered();
  const { OS, ProjectName, UserName } = second!.detail;
  assert.deepEqual([OS, ProjectName, UserName], ["debian 12", "physics-191249", "alice-191249"]);
  assert.deepEqual(second!.missing, []);
});

Deno.test("EnrichedDetails asks nothing for an association and a deletion, which carry what the creation carried", async () => {
  await using world = new World();
  await world.tell(creation(RECORDED.twoNics));
  await world.details.idle();
  world.server.taken();
  await world.tell(portIs("n1", { server: RECORDED.twoNics }), floatingIpIs("f", { port: "n1" }));
  await world.tell(deletion(RECORDED.twoNics));
  await world.details.idle();
  assert.deepEqual(world.server.taken(), []);
  const [came, begun, ended, gone, ...more] = await world.delivered();
  assert.deepEqual(more, []);
  assert.deepEqual(gone!.detail, came!.detail);
  for (const { detail } of [begun!, ended!]) {
    const { IP, IPType, MAC, FloatingIPs, ...server } = detail;
    const { IP: _ip, IPType: _type, MAC: _mac, FloatingIPs: _ips, ...created } = came!.detail;
    assert.deepEqual(server, created);
    assert.deepEqual([IP, IPType, MAC], ["203.0.113.7", "Public", "fa:16:3e:00:00:05"]);
    assert.equal(FloatingIPs.length, detail === begun!.detail ? 1 : 0);
  }
});

Deno.test("EnrichedDetails gives a deletion that was decided before its creation was completed the same names", async () => {
  await using world = new World();
  await world.tell(
    creation(RECORDED.twoNics),
    portIs("n1", { server: RECORDED.twoNics }),
    floatingIpIs("f", { port: "n1" }),
    deletion(RECORDED.twoNics),
  );
  await world.details.idle();
  const [came, begun, ended, gone] = (await world.delivered()).map(({ detail }) => detail);
  assert.equal(came!.ProjectName, "physics-191249");
  assert.equal(came!.OS, "debian 12");
  assert.deepEqual(gone, came);
  for (const { ProjectName, UserName, OS } of [begun!, ended!]) {
    assert.deepEqual([ProjectName, UserName, OS], ["physics-191249", "alice-191249", "debian 12"]);
  }
  assert.deepEqual(world.questions().filter((line) => line.startsWith("compute")).length, 1);
});

Deno.test("EnrichedDetails takes up a second message that came while it asked", async () => {
  await using world = new World();
  const asked = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  world.answer("network", async () => {
    asked.resolve();
    await go.promise;
    return Response.json({ ports: [] });
  });
  await world.tell(creation(RECORDED.twoNics, { vcpus: null }));
  await asked.promise;
  await world.tell(creation(RECORDED.twoNics, { vcpus: 4 }));
  go.resolve();
  await world.details.idle();
  const [came] = await world.delivered();
  assert.equal(came!.detail.CPU, 4);
});

Deno.test("EnrichedDetails takes up a second message that came while the detail waited to be stored", async () => {
  await using world = new World();
  const { ledger } = world.file;
  const store = ledger.storeDetails.bind(ledger);
  const [storing, go, answered] = [1, 2, 3].map(() => Promise.withResolvers<void>()) as [Gate, Gate, Gate];
  ledger.storeDetails = async (details) => {
    storing.resolve();
    await go.promise;
    await store(details);
  };
  await world.tell(creation(RECORDED.twoNics));
  await storing.promise;
  world.answer("network", () => {
    answered.resolve();
    return Response.json({ ports: [] });
  });
  await world.tell(creation("another", { vcpus: null }));
  await answered.promise;
  // Time for the answer to be read; whoever is slower passes, too.
  for (let turns = 0; turns < 5000; turns++) await setImmediate();
  await world.tell(creation("another", { vcpus: 4 }));
  go.resolve();
  await world.details.idle();
  const details = (await world.delivered()).map(({ detail }) => [detail.ID, detail.CPU]);
  assert.deepEqual(details, [[RECORDED.twoNics, 1], ["another", 4]]);
});

Deno.test("EnrichedDetails learns of an association's server from Nova, and remembers it", async () => {
  await using world = new World();
  await world.tell(floatingIpIs("f", { port: "n1", server: RECORDED.withFloatingIp }));
  await world.details.idle();
  assert.equal(world.questions().filter((line) => line.startsWith("compute")).length, 1);
  await world.tell(floatingIpIs("f"));
  await world.tell(went(RECORDED.withFloatingIp, { hostname: "beam-ctl-01", metadata: {} }));
  await world.details.idle();
  assert.deepEqual(world.questions().filter((line) => line.startsWith("compute")), []);
  const [begun, ended, gone] = (await world.delivered()).map(({ detail, event }) => ({ ...detail, ...event }));
  assert.deepEqual([begun!.key, ended!.key], ["floatingip/f/1/creation", "floatingip/f/2/deletion"]);
  const { CreationDate, Owner, ImageID, Addresses } = begun!;
  assert.deepEqual([CreationDate, Owner, ImageID], ["2026-11-21", "alice-193030", RECORDED.image]);
  // The floating one that Nova lists is not the server's own.
  assert.deepEqual(Addresses.map(({ address }) => address), ["10.0.0.5"]);
  assert.deepEqual([ended!.CreationDate, ended!.Owner], [CreationDate, Owner]);
  assert.deepEqual([gone!.creationSeen, gone!.CreationDate, gone!.Owner], [false, CreationDate, null]);
});

Deno.test("EnrichedDetails takes no answer (404) for an answer: the payload stands", async () => {
  await using world = new World();
  await world.tell(creation("gone-already", { tenant_id: "nobody", user_id: "nobody" }));
  await world.details.idle();
  const [came] = await world.delivered();
  assert.deepEqual([came!.detail.ProjectName, came!.detail.Description, came!.missing], [null, null, []]);
  assert.equal(came!.detail.IP, "10.12.0.41");
});

Deno.test("EnrichedDetails leaves null what is forbidden (403), and says so once", async () => {
  await using world = new World();
  world.server.intercept = ({ path }) =>
    path.startsWith("/v3/projects/")
      ? Response.json({ error: { code: 403, message: "You are not authorized" } }, { status: 403 })
      : undefined;
  await world.tell(creation(RECORDED.server), creation(RECORDED.twoNics));
  await world.details.idle();
  const details = await world.delivered();
  assert.deepEqual(details.map(({ detail }) => [detail.ProjectName, detail.UserName]), [
    [null, "alice-191249"],
    [null, "alice-191249"],
  ]);
  assert.deepEqual(details.map(({ missing }) => missing), [[], []]);
  assert.equal(world.log.lines.filter((line) => line.startsWith("warn")).length, 1);
});

Deno.test("EnrichedDetails waits while OpenStack is down, and lets pass what needs nothing", async () => {
  await using world = new World({ detail: { domain: "example.com" } });
  await world.tell(creation("known", { hostname: "known", fixed_ips: [], metadata: { description: "own" } }));
  await world.details.idle();
  await world.keys();
  world.answer("compute", unavailable);
  await world.tell(creation(RECORDED.server), deletion("known"), deletion(RECORDED.server));
  await refused(world);
  assert.deepEqual(await world.keys(), ["server/known/deletion"]);
  assert.deepEqual(await world.undetailed(), [
    `server/${RECORDED.server}/creation`,
    `server/${RECORDED.server}/deletion`,
  ]);
  // Others wait without a question of their own.
  world.server.taken();
  await world.tell(creation(RECORDED.twoNics));
  assert.deepEqual(world.server.taken(), []);

  world.answer("compute", undefined);
  await world.clock.advance(2000);
  await world.details.idle();
  assert.deepEqual(
    (await world.keys()).sort(),
    [
      `server/${RECORDED.server}/creation`,
      `server/${RECORDED.server}/deletion`,
      `server/${RECORDED.twoNics}/creation`,
    ].sort(),
  );
  const told = world.said.lines.filter((line) => !line.startsWith("debug"));
  assert.equal(told.length, 2, told.join("\n"));
  assert.match(told[0]!, /^warn Cannot ask Nova at http:\/\/127\.0\.0\.1:\d+\/v2\.1\/\S*: 503\. /);
  assert.match(told[1]!, /^info Nova answers again, after \d s$/);
});

Deno.test("EnrichedDetails makes details without OpenStack when it has been silent for too long, and names what lacks", async () => {
  await using world = new World({ maxWaitMs: 10_000 });
  world.answer("compute", unavailable);
  await world.tell(creation(RECORDED.server), deletion(RECORDED.server));
  await refused(world);
  await until(async () => {
    await world.clock.advance(1000);
    return (await world.undetailed()).length === 0;
  });
  const [came, gone] = await world.delivered();
  assert.deepEqual(came!.missing, ["Description"]);
  assert.deepEqual([came!.detail.Description, came!.detail.ProjectName], [null, "physics-191249"]);
  assert.deepEqual(gone!.detail, came!.detail);
});

Deno.test("EnrichedDetails takes a password that was changed for silence", async () => {
  await using world = new World();
  await world.api.check();
  world.server.revokeTokens();
  world.server.login = "auth-wrong-password";
  await world.tell(creation(RECORDED.twoNics));
  await until(() => world.said.lines.some((line) => line.startsWith("error Cannot log in at Keystone")));
  assert.deepEqual(await world.keys(), []);
  world.server.login = "auth-password-admin";
  await until(async () => {
    await world.clock.advance(30_000);
    return (await world.keys()).length === 1;
  });
  assert.equal(world.said.lines.filter((line) => line.startsWith("error")).length, 1, world.said.lines.join("\n"));
});

Deno.test("EnrichedDetails loses nothing when it is killed while it waits", async () => {
  await using world = new World();
  world.answer("compute", unavailable);
  await world.tell(creation(RECORDED.server), creation(RECORDED.twoNics), deletion(RECORDED.twoNics));
  await refused(world);
  assert.deepEqual(await world.keys(), []);
  await world.restart();
  world.answer("compute", undefined);
  await world.step();
  await world.details.idle();
  assert.deepEqual(await world.undetailed(), []);
  const details = await world.delivered();
  assert.equal(details.length, 3);
  assert.deepEqual(details.map(({ detail }) => detail.ProjectName), Array(3).fill("physics-191249"));
});

Deno.test("EnrichedDetails ends its waiting at once when it is stopped, and leaves events undetailed", async () => {
  await using world = new World();
  world.answer("compute", unavailable);
  await world.tell(creation(RECORDED.server), deletion(RECORDED.server));
  await refused(world);
  world.stop.abort();
  await world.details.idle();
  assert.equal((await world.undetailed()).length, 2);
  assert.equal(world.clock.sleeping, 0);
  assert.deepEqual(world.said.lines.filter((line) => line.startsWith("error")), []);
});

Deno.test("EnrichedDetails asks for names and images once when an association comes before the creation of its server", async () => {
  await using world = new World();
  await world.tell(floatingIpIs("f", { port: "n1", server: RECORDED.server }));
  await world.details.idle();
  await world.tell(creation(RECORDED.server));
  await world.details.idle();
  const services = world.questions().map((line) => line.split(" ")[0]);
  // Neutron is asked again: the ports have no name in the DNS.
  assert.deepEqual(services, ["compute", "identity", "identity", "image", "network", "network"]);
  const [begun, came] = (await world.delivered()).map(({ detail }) => detail);
  for (const { OS, ProjectName, UserName } of [begun!, came!]) {
    assert.deepEqual([OS, ProjectName, UserName], ["debian 12", "physics-191249", "alice-191249"]);
  }
  assert.deepEqual(came!.Addresses.map(({ address }) => address), ["10.12.0.41"]);
});

Deno.test("EnrichedDetails reads on when there is room again", async () => {
  await using world = new World({ maxPending: 2 });
  world.answer("compute", unavailable);
  await world.tell(creation("a"), creation("b"), creation("c"), creation("d"));
  await refused(world);
  assert.equal(world.rooms, 0);
  world.answer("compute", undefined);
  await world.clock.advance(2000);
  await world.details.idle();
  assert.equal((await world.undetailed()).length, 2);
  assert.ok(world.rooms > 0);
  await world.step();
  await world.details.idle();
  assert.deepEqual(await world.undetailed(), []);
});
