import assert from "node:assert/strict";
import { idOf } from "../support/made_cloud.ts";
import { ids, idsOf, KINDS, World } from "./made_world.ts";
import { all, Opened } from "./opened.ts";

const EVENING = "2026-11-21T20:00:00Z";

Deno.test("servers() that changed: those of all projects, with deleted and soft-deleted ones", async () => {
  await using world = await World.open(8);
  const { api, cloud } = world;
  cloud.keepsDeleted = true;
  cloud.now = EVENING;
  cloud.change("servers", idOf("5e", 1), { name: "renamed" });
  cloud.change("servers", idOf("5e", 2), { status: "SOFT_DELETED" });
  cloud.remove("servers", idOf("5e", 3));
  cloud.remove("servers", idOf("5e", 7));

  const found = await all(api.servers({ changesSince: "2026-11-21T19:59:59.999Z" }));

  assert.deepEqual(found.map(({ id, status, name, addresses }) => [id, status, name, addresses.length]), [
    [idOf("5e", 1), "ACTIVE", "renamed", 2],
    [idOf("5e", 2), "SOFT_DELETED", "web-2", 2],
    [idOf("5e", 3), "DELETED", "web-3", 0],
    [idOf("5e", 7), "DELETED", "web-7", 0],
  ]);
  const since = "limit=3&changes-since=2026-11-21T19%3A59%3A59Z&all_tenants=1";
  assert.deepEqual(world.asked(), [
    since,
    `${since}&marker=${idOf("5e", 3)}`,
    `${since}&marker=${idOf("5e", 7)}`,
    `${since}&marker=${idOf("5e", 3)}`,
  ]);
  // Neither is in a list of all, and only one is there by its id.
  const listed = await idsOf(api, "servers");
  assert.deepEqual(listed, [0, 1, 4, 5, 6].map((number) => idOf("5e", number)));
  const byId = await Promise.all([2, 3].map((number) => api.confirmedServer(idOf("5e", number))));
  assert.deepEqual(byId.map((one) => typeof one === "string" ? one : one.status), ["SOFT_DELETED", "absent"]);
});

Deno.test("servers() that changed, of a plain member: deleted ones of its own project, too", async () => {
  await using world = await World.open(8);
  const { api, cloud } = world;
  Object.assign(cloud, { keepsDeleted: true, isMember: true, now: EVENING });
  cloud.remove("servers", idOf("5e", 3));
  cloud.remove("servers", idOf("5e", 5));
  assert.deepEqual(await idsOf(api, "servers", { changesSince: EVENING }), [idOf("5e", 5)]);
});

Deno.test("servers() that changed, as recorded: each with its status and times", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  server.intercept = ({ path }) =>
    !path.includes("changes-since")
      ? undefined
      : path.includes("marker=")
      ? Response.json({ servers: [] })
      : server.recorded("servers-detail-changes-since");
  const pages = api.servers({ changesSince: "2020-01-01T00:00:00Z" });
  const { value } = await pages.next();
  assert.deepEqual(value?.records.map(({ status, launchedAt, createdAt }) => [status, launchedAt, createdAt]), [
    ["ACTIVE", "2026-11-21T19:17:46.000Z", "2026-11-21T19:17:41.000Z"],
    ["ACTIVE", "2026-11-21T19:17:46.000Z", "2026-11-21T19:17:41.000Z"],
    ["ACTIVE", "2026-11-21T19:17:44.000Z", "2026-11-21T19:17:41.000Z"],
    ["DELETED", "2026-11-21T19:17:17.000Z", "2026-11-21T19:17:16.000Z"],
    ["DELETED", "2026-11-21T19:16:27.000Z", "2026-11-21T19:16:26.000Z"],
  ]);
});

for (const [method, kind, id] of [["ports", "ports", "b0"], ["floatingIps", "floatingips", "f1"]] as const) {
  Deno.test(`${method}() that changed: those, or all where Neutron lacks the filter`, async () => {
    await using world = await World.open(8);
    const { api, cloud } = world;
    cloud.now = EVENING;
    cloud.change(kind, idOf(id, 6), { description: "changed" });
    cloud.remove(kind, idOf(id, 7));
    const changed = () => idsOf(api, method, { changesSince: EVENING });

    assert.deepEqual(await changed(), [idOf(id, 6)]);
    cloud.changedSince = "ignored";
    assert.deepEqual(await changed(), ids(kind, 7));
    cloud.changedSince = "refused";
    assert.deepEqual(await changed(), ids(kind, 7));
  });
}

Deno.test("servers(), ports() and floatingIps() refuse a time that is none, before any request", async () => {
  await using world = await World.open(1);
  for (const [method] of KINDS) {
    await assert.rejects(idsOf(world.api, method, { changesSince: "yesterday" }), {
      name: "RangeError",
      message: 'Cannot list what changed since "yesterday": it is not an ISO 8601 time',
    });
  }
  assert.deepEqual(world.server.taken(), []);
});
