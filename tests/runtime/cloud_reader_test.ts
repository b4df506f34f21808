import assert from "node:assert/strict";
import { UserError } from "../../src/model/errors.ts";
import { CloudReader } from "../../src/runtime/cloud_reader.ts";
import type { ListedPage } from "../../src/facts/prime.ts";
import type { Listing } from "../../src/model/ledger.ts";
import { Opened } from "../openstack/opened.ts";
import { KeptLog } from "../support/loggers.ts";
import { MadeCloud } from "../support/made_cloud.ts";
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
    const pages: ListedPage[] = [];
    for await (const { found } of this.reader.read(listing, { after: null, signal: NEVER })) pages.push(found);
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
