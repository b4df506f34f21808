import assert from "node:assert/strict";
import { UserError } from "../../src/model/errors.ts";
import { CloudReader, type FoundPage } from "../../src/runtime/cloud_reader.ts";
import type { ListedPage } from "../../src/facts/prime.ts";
import type { Listing } from "../../src/model/ledger.ts";
import { Opened } from "../openstack/opened.ts";
import { KeptLog } from "../support/loggers.ts";
import { idOf, MadeCloud } from "../support/made_cloud.ts";
import { RECORDED } from "../support/openstack_server.ts";
import { until } from "../support/until.ts";

const NEVER = new AbortController().signal;

/** The recorded cloud behind HTTP, and a reader of it. */
class World extends Opened {
  readonly said = new KeptLog();
  readonly reader: CloudReader;

  constructor(maxSilenceMs?: number) {
    super();
    const { api, clock, said: log } = this;
    this.reader = new CloudReader({
      api,
      clock,
      random: () => 0,
      log,
      ...(maxSilenceMs === undefined ? {} : { maxSilenceMs }),
    });
  }

  async read(listing: Listing): Promise<readonly ListedPage[]> {
    return (await this.pages(listing)).map(({ found }) => found);
  }

  async pages(listing: Listing, changesSince: string | null = null): Promise<readonly FoundPage[]> {
    const pages: FoundPage[] = [];
    for await (const page of this.reader.read(listing, { after: null, changesSince, signal: NEVER })) pages.push(page);
    return pages;
  }

  /** Lets time pass until something has ended. */
  async through<T>(work: Promise<T>): Promise<T> {
    let hasEnded = false;
    work.catch(() => {}).finally(() => hasEnded = true);
    await until(async () => {
      await this.clock.advance(1000);
      return hasEnded;
    });
    return await work;
  }
}

Deno.test("CloudReader gives recorded servers as a creation would have, names and image included", async () => {
  await using world = new World();
  const [page] = await world.read("servers");
  assert(page?.listing === "servers" && page.records[0] !== undefined);
  const [first] = page.records;
  const { id, hostname, imageId, imageOsDistro, imageOsVersion, imageName, addresses, floatingAddress } = first;
  assert.deepEqual({ id, hostname, imageId, imageOsDistro, imageOsVersion, imageName, addresses, floatingAddress }, {
    id: "6b0ef9df-c02b-40bb-bf0c-c812bd84bf19",
    // The pages were recorded in Nova's oldest form, which does not say it.
    hostname: null,
    imageId: RECORDED.image,
    imageOsDistro: "debian",
    imageOsVersion: "12",
    imageName: "debian-12",
    addresses: [{
      address: "10.21.0.217",
      mac: "fa:16:3e:15:78:6c",
      type: "fixed",
      network: "webshop-191249-net-a",
      version: 4,
    }],
    floatingAddress: null,
  });
});

Deno.test("CloudReader leaves out floating addresses, which messages tell of", async () => {
  await using world = new World();
  await MadeCloud.behind(world.server, { servers: 1, floatingIps: 1 });
  const [page] = await world.read("servers");
  assert(page?.listing === "servers");
  assert.deepEqual(page.records[0]?.addresses.map(({ address }) => address), ["10.0.0.0"]);
});

Deno.test("CloudReader asks for each name once", async () => {
  await using world = new World();
  await MadeCloud.behind(world.server, { servers: 9, floatingIps: 0, projects: 2 });
  await world.read("servers");
  const named = world.server.taken().filter((line) => /projects|users|images/.test(line)).toSorted();
  assert.deepEqual(named, [
    "identity GET /v3/projects/project-0",
    "identity GET /v3/projects/project-1",
    "identity GET /v3/users/user-of-project-0",
    "identity GET /v3/users/user-of-project-1",
    `image GET /v2/images/${RECORDED.image}`,
  ]);
});

Deno.test("CloudReader goes on with the page that failed, and tells how long that took", async () => {
  await using world = new World();
  const cloud = await MadeCloud.behind(world.server, { servers: 5, floatingIps: 0 });
  let failures = 3;
  world.server.intercept = (request) =>
    request.path.includes("marker") && failures-- > 0 ? new Response(null, { status: 503 }) : cloud.intercept(request);
  const pages = await world.through(world.read("ports"));
  assert.deepEqual(pages.map(({ records }) => records.length), [3, 2]);
  assert.equal(world.server.taken().filter((line) => line.includes("/ports")).length, 7);
  assert.deepEqual(world.said.lines.map((line) => line.split(" ")[0]), ["warn", "debug", "debug", "info"]);
  assert.match(world.said.lines.at(-1)!, /^info OpenStack answers again, after \d+ s$/);
});

Deno.test("CloudReader gives up after the silence that it was told to bear", async () => {
  await using world = new World(60_000);
  world.server.intercept = ({ path }) => path.includes("/ports") ? new Response(null, { status: 503 }) : undefined;
  const began = world.clock.passedMs();
  await assert.rejects(world.through(world.read("ports")), (error) => {
    assert(error instanceof UserError);
    assert.match(error.message, /^Cannot ask Neutron at .*: 503\. See its own log$/);
    return true;
  });
  assert.ok(world.clock.passedMs() - began <= 62_000);
});

Deno.test("CloudReader takes a password that was changed for silence, and says so as an error", async () => {
  await using world = new World();
  world.server.login = "auth-wrong-password";
  const read = world.read("ports");
  await until(() => world.said.lines.length > 0);
  assert.match(world.said.lines[0]!, /^error Cannot log in at Keystone .*: 401.*Retrying until it works$/);
  world.server.login = "auth-password-admin";
  assert.equal((await world.through(read)).length, 2);
});

Deno.test("CloudReader gives the project of each resource, and a server's status and times", async () => {
  await using world = new World();
  const cloud = await MadeCloud.behind(world.server, { servers: 2, floatingIps: 2 });
  cloud.change("servers", idOf("5e", 1), { status: "BUILD", "OS-SRV-USG:launched_at": null });
  const facts = async (listing: Listing) => [...(await world.pages(listing))[0]!.facts];

  const launchedAt = "2026-11-21T19:17:46.000Z";
  assert.deepEqual(await facts("servers"), [
    [idOf("5e", 0), { projectId: "project-0", status: "ACTIVE", launchedAt }],
    [idOf("5e", 1), { projectId: "project-1", status: "BUILD", launchedAt: null }],
  ]);
  for (const [listing, id] of [["ports", "b0"], ["floatingIps", "f1"]] as const) {
    assert.deepEqual(await facts(listing), [
      [idOf(id, 0), { projectId: "project-0", status: null, launchedAt: null }],
      [idOf(id, 1), { projectId: "project-1", status: null, launchedAt: null }],
    ]);
  }
});

Deno.test("CloudReader reads what changed, deleted servers too", async () => {
  await using world = new World();
  const cloud = await MadeCloud.behind(world.server, { servers: 4, floatingIps: 4 });
  Object.assign(cloud, { keepsDeleted: true, now: "2026-11-21T20:00:00Z" });
  cloud.remove("servers", idOf("5e", 1));
  cloud.change("ports", idOf("b0", 2), {});

  const [servers] = await world.pages("servers", cloud.now);
  const [ports] = await world.pages("ports", cloud.now);

  assert(servers?.found.listing === "servers");
  assert.deepEqual([...servers.facts].map(([id, { status }]) => [id, status]), [[idOf("5e", 1), "DELETED"]]);
  const [{ projectName, addresses } = assert.fail()] = servers.found.records;
  assert.deepEqual([projectName, addresses], ["name of project-1", []]);
  assert.deepEqual(ports?.found.records.map(({ id }) => id), [idOf("b0", 2)]);
});

Deno.test("CloudReader finds by id what a listing has, and the same facts", async () => {
  await using world = new World();
  const cloud = await MadeCloud.behind(world.server, { servers: 2, floatingIps: 2 });
  const { reader } = world;
  const byId = {
    servers: await reader.readServer(idOf("5e", 1), NEVER),
    ports: await reader.readPort(idOf("b0", 1), NEVER),
    floatingIps: await reader.readFloatingIp(idOf("f1", 1), NEVER),
  };

  for (const listing of ["servers", "ports", "floatingIps"] as const) {
    const [page] = await world.pages(listing);
    const found = byId[listing];
    assert(typeof found === "object");
    assert.deepEqual(found.state, page!.found.records[1]);
    assert.deepEqual(found.facts, page!.facts.get(found.state.id!));
  }
  for (const [kind, id] of [["servers", "5e"], ["ports", "b0"], ["floatingips", "f1"]] as const) {
    cloud.remove(kind, idOf(id, 1));
  }
  const ask = () =>
    Promise.all([
      reader.readServer(idOf("5e", 1), NEVER),
      reader.readPort(idOf("b0", 1), NEVER),
      reader.readFloatingIp(idOf("f1", 1), NEVER),
    ]);
  assert.deepEqual(await ask(), ["absent", "absent", "absent"]);
  cloud.refused.add("servers").add("ports").add("floatingips");
  assert.deepEqual(await ask(), ["forbidden", "forbidden", "forbidden"]);
  assert.deepEqual(world.said.lines, []);
});

Deno.test("CloudReader finds a server in a cell that is down: it is there, and what else is not known", async () => {
  await using world = new World();
  const cloud = await MadeCloud.behind(world.server, { servers: 2, floatingIps: 0 });
  cloud.inDownCell.add(idOf("5e", 1));

  const found = await world.reader.readServer(idOf("5e", 1), NEVER);

  assert(typeof found === "object");
  assert.deepEqual(found.facts, { projectId: "project-1", status: "UNKNOWN", launchedAt: null });
  const { id, hostname, projectName, userName, imageName, metadata, addresses } = found.state;
  assert.deepEqual({ id, hostname, projectName, userName, imageName, metadata, addresses }, {
    id: idOf("5e", 1),
    hostname: null,
    projectName: "name of project-1",
    userName: null,
    imageName: "debian-12",
    metadata: null,
    addresses: [],
  });
});

Deno.test("CloudReader asks again by id while there is no usable answer, and others need not wait", async () => {
  await using world = new World();
  const cloud = await MadeCloud.behind(world.server, { servers: 9, floatingIps: 0 });
  let failures = 2;
  world.server.intercept = (request) =>
    request.path.endsWith(idOf("5e", 4)) && failures-- > 0
      ? Response.json({ itemNotFound: { code: 404, message: "The resource could not be found." } }, { status: 404 })
      : cloud.intercept(request);

  const slow = world.reader.readServer(idOf("5e", 4), NEVER);
  assert.equal(typeof await world.reader.readServer(idOf("5e", 5), NEVER), "object");
  assert.equal(typeof await world.through(slow), "object");

  assert.deepEqual(world.said.lines.map((line) => line.split(" ")[0]), ["warn", "debug", "info"]);
  assert.match(
    world.said.lines[0]!,
    /404: "The resource could not be found", which does not say whether 5e000000-\S+ exists/,
  );
});

Deno.test("CloudReader calls an answer by id unclear that is not usable three times, while others are", async () => {
  await using world = new World(60_000);
  const cloud = await MadeCloud.behind(world.server, { servers: 2, floatingIps: 0 });
  const isIt = ({ path }: { readonly path: string }) => path.includes(idOf("b0", 1));
  world.server.intercept = (request) => isIt(request) ? new Response(null, { status: 404 }) : cloud.intercept(request);
  assert.equal(await world.through(world.reader.readPort(idOf("b0", 1), NEVER)), "unclear");
  assert.equal(typeof await world.reader.readPort(idOf("b0", 0), NEVER), "object");
  assert.equal(world.server.requests.filter(isIt).length, 3);
});

Deno.test("CloudReader backs off once for requests that fail side by side, and tells it once", async () => {
  await using world = new World();
  const cloud = await MadeCloud.behind(world.server, { servers: 20, floatingIps: 0 });
  await world.api.check();
  let isDown = true;
  world.server.intercept = (request) => isDown ? new Response(null, { status: 503 }) : cloud.intercept(request);

  const began = world.clock.passedMs();
  const work = Promise.all(cloud.lists.ports.map(({ id }) => world.reader.readPort(String(id), NEVER)));
  await until(() => world.said.lines.length === 20);
  isDown = false;
  await world.through(work);

  assert.ok(world.clock.passedMs() - began <= 3000);
  assert.deepEqual(world.said.lines.filter((line) => !line.startsWith("debug")).map((line) => line.split(" ")[0]), [
    "warn",
    "info",
  ]);
});

Deno.test("CloudReader stops to ask by id when the signal aborts", async () => {
  await using world = new World();
  world.server.intercept = ({ path }) => path.includes("/ports") ? new Response(null, { status: 503 }) : undefined;
  const stop = new AbortController();
  const work = world.reader.readPort(idOf("b0", 0), stop.signal);
  await until(() => world.said.lines.length > 0);
  stop.abort(new Error("stopped"));
  await assert.rejects(work, /stopped/);
});

Deno.test("CloudReader goes on with all projects when rights that were taken away come back", async () => {
  await using world = new World();
  const cloud = await MadeCloud.behind(world.server, { servers: 7, floatingIps: 0 });
  cloud.before = ({ path }) => cloud.isMember ||= path.includes(`marker=${idOf("5e", 2)}`);

  const work = world.pages("servers");
  await until(() => world.said.lines.length > 0);
  cloud.before = () => {};
  cloud.isMember = false;
  const pages = await world.through(work);

  assert.deepEqual(pages.map(({ allProjects, found }) => [allProjects, found.records.length]), [
    [true, 3],
    [true, 3],
    [true, 1],
  ]);
  assert.match(
    world.said.lines[0]!,
    /^error Cannot list the servers of all projects to the end: Nova .* so rights were taken away while listing/,
  );
});

Deno.test("CloudReader does not take our own project's for all when rights are taken away", async () => {
  await using world = new World(60_000);
  const cloud = await MadeCloud.behind(world.server, { servers: 40, floatingIps: 0 });
  cloud.before = ({ path }) => cloud.isMember ||= path.includes(`marker=${idOf("5e", 2)}`);
  await assert.rejects(world.through(world.pages("servers")), {
    name: "UserError",
    message: /rights were taken away while listing/,
  });
});
