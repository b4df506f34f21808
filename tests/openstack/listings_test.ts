import assert from "node:assert/strict";
import { UserError } from "../../src/model/errors.ts";
import type { OpenStackApi, Page, PageOptions } from "../../src/openstack/api.ts";
import { KeptLog } from "../support/loggers.ts";
import { idOf, type Kind, MadeCloud } from "../support/made_cloud.ts";
import { RECORDED } from "../support/openstack_server.ts";
import { all, Opened, unavailable, userError } from "./opened.ts";

type Method = "servers" | "ports" | "floatingIps";

const KINDS = [["servers", "servers"], ["ports", "ports"], ["floatingIps", "floatingips"]] as const;

const EVENING = "2026-11-21T20:00:00Z";

/** A made cloud, and clients that read pages of three. */
class World extends Opened {
  cloud!: MadeCloud;

  static async open(servers = 8, options: { readonly pageSize?: number; readonly ownProject?: string } = {}) {
    const world = new World({}, options);
    world.cloud = await MadeCloud.behind(world.server, { servers, floatingIps: servers, ...options });
    return world;
  }

  /** The requests of lists since the last call: their queries without fields. */
  asked(): string[] {
    return this.server.taken().filter((line) => line.includes("limit=")).map((line) => line.split("?")[1]!);
  }
}

async function pagesOf<T>(pages: AsyncIterable<Page<T>>): Promise<Page<T>[]> {
  const found: Page<T>[] = [];
  for await (const page of pages) found.push(page);
  return found;
}

function idsOf(api: OpenStackApi, method: Method, options: PageOptions = {}): Promise<string[]> {
  return all<{ id: string }>(api[method](options)).then((records) => records.map(({ id }) => id));
}

function ids(kind: Kind, count: number, from = 0): string[] {
  const prefix = { servers: "5e", ports: "b0", floatingips: "f1" } as const;
  return Array.from({ length: count }, (_, number) => idOf(prefix[kind], from + number));
}

for (const [method, kind] of KINDS) {
  Deno.test(`${method}() asks what is behind the last, and whether that is behind an earlier one`, async () => {
    for (const [count, requests] of [[0, 1], [1, 3], [2, 3], [3, 3], [4, 4], [6, 4], [8, 5]] as const) {
      await using world = await World.open(count);
      assert.deepEqual(await idsOf(world.api, method), ids(kind, count));
      assert.equal(world.asked().length, requests, `${count}`);
    }
  });

  Deno.test(`${method}() gives all where something drops the links`, async () => {
    for (const count of [1, 2, 3, 4, 6, 7]) {
      await using world = await World.open(count);
      world.cloud.dropsLinks = true;
      assert.deepEqual(await idsOf(world.api, method), ids(kind, count));
    }
  });

  Deno.test(`${method}() gives all where pages are smaller than asked for, and without links`, async () => {
    for (const [maxLimit, dropsLinks] of [[1, false], [2, false], [2, true], [1, true]] as const) {
      await using world = await World.open(7);
      Object.assign(world.cloud, { maxLimit, dropsLinks });
      assert.deepEqual(await idsOf(world.api, method), ids(kind, 7));
    }
  });

  Deno.test(`${method}() goes on behind next, of any page`, async () => {
    await using world = await World.open(8);
    const pages = await pagesOf<{ id: string }>(world.api[method]());
    assert.deepEqual(pages.map(({ records, next }) => [records.length, next]), [
      [3, ids(kind, 3)[2]],
      [3, ids(kind, 6)[5]],
      [2, null],
    ]);
    for (const { next } of pages.slice(0, 2)) {
      const before = ids(kind, 8).indexOf(next!) + 1;
      assert.deepEqual(await idsOf(world.api, method, { after: next }), ids(kind, 8 - before, before));
    }
  });

  for (const [status, what] of [[403, "forbidden"], [404, "not there"]] as const) {
    for (const request of [2, 3, 4, 5]) {
      Deno.test(`${method}() is an error when request ${request} is ${what}: what was read is not all`, async () => {
        await using world = await World.open(8);
        const { api, cloud, log } = world;
        let requests = 0;
        cloud.before = () => {
          if (++requests < request) return;
          if (status === 403) cloud.refused.add(kind);
          else cloud.hasRouters = false;
        };
        if (status === 404 && method !== "floatingIps") return;

        const work = all<unknown>(api[method]());

        if (status === 403) {
          const lists = { servers: "the servers of all projects", ports: "ports", floatingIps: "floating IPs" }[method];
          assert.match(
            await userError(work),
            new RegExp(
              `^Cannot list ${lists} to the end: (?:Nova|Neutron) at http:\\S+ allowed the first pages, and then ` +
                `answered 403: ".*", so rights were taken away while listing\\. The account has .*; give it the role`,
            ),
          );
        } else assert.equal((await unavailable(work)).status, 404);
        assert.deepEqual(log.lines, []);
      });
    }
  }

  Deno.test(`${method}() is an error when it is forbidden to go on with the list`, async () => {
    await using world = await World.open(8);
    const { api, cloud } = world;
    const [first] = await pagesOf<unknown>(api[method]());
    cloud.refused.add(kind);

    const { next, allProjects } = first!;

    assert.match(await userError(all<unknown>(api[method]({ after: next, allProjects }))), /rights were taken away/);
  });
}

Deno.test("servers() does not go on with our own project's when all projects' are forbidden meanwhile", async () => {
  await using world = await World.open(8);
  const { api, cloud } = world;
  const flags: (boolean | null)[] = [];

  await assert.rejects(async () => {
    for await (const { allProjects } of api.servers()) {
      flags.push(allProjects);
      cloud.isMember = true;
    }
  }, UserError);

  assert.deepEqual(flags, [true]);
  // The next list begins with what is allowed.
  const pages = await pagesOf(api.servers());
  assert.deepEqual(pages.map(({ allProjects }) => allProjects), [false]);
});

Deno.test("servers() goes on with our own project's when it began so, though all are allowed meanwhile", async () => {
  await using world = await World.open(20);
  const { api, cloud, clock } = world;
  cloud.isMember = true;
  const [first] = await pagesOf(api.servers());
  cloud.isMember = false;
  clock.jump(3_600_000);

  const rest = await pagesOf(api.servers({ after: first!.next, allProjects: first!.allProjects }));

  assert.deepEqual(rest.map(({ allProjects }) => allProjects), [false]);
  assert.deepEqual(rest.flatMap(({ records }) => records.map(({ id }) => id)), [idOf("5e", 15)]);
});

Deno.test("servers() of an earlier run goes on with our own project's when more is forbidden", async () => {
  await using world = await World.open(20);
  world.cloud.isMember = true;
  const rest = await pagesOf(world.api.servers({ after: idOf("5e", 10) }));
  assert.deepEqual(rest.map(({ allProjects }) => allProjects), [false]);
});

Deno.test("ports() and floatingIps() give no page when they are forbidden, and say so once", async () => {
  await using world = await World.open(8);
  const { api, cloud, log } = world;
  cloud.refused.add("ports").add("floatingips");
  for (let again = 0; again < 2; again++) {
    assert.deepEqual(await pagesOf(api.ports()), []);
    assert.deepEqual(await pagesOf(api.floatingIps()), []);
  }
  assert.deepEqual(log.lines.filter((line) => line.startsWith("warn")).length, 2);
});

Deno.test("floatingIps() gives no page where Neutron has no routers, and one where there are none", async () => {
  await using world = await World.open(0);
  assert.deepEqual(await pagesOf(world.api.floatingIps()), [{ records: [], next: null, allProjects: null }]);
  world.cloud.hasRouters = false;
  assert.deepEqual(await pagesOf(world.api.floatingIps()), []);
});

Deno.test("ports() gives all behind a page from which a policy hid some, which announces no other", async () => {
  await using world = await World.open(12);
  const { api, cloud } = world;
  for (const number of [1, 3, 8]) cloud.hidden.add(idOf("b0", number));
  const shown = ids("ports", 12).filter((id) => !cloud.hidden.has(id));
  assert.deepEqual([...new Set(await idsOf(api, "ports"))], shown);
});

Deno.test("servers() gives all behind a page that lost a duplicate, which announces no other", async () => {
  // A server that is being built may be in Nova's database twice for a moment: nova/compute/api.py, get_all.
  await using world = await World.open(8);
  const { api, server, cloud } = world;
  server.intercept = async (request) => {
    const answer = await cloud.intercept(request);
    if (answer === undefined || !request.path.includes("/detail") || request.path.includes("marker=")) return answer;
    const { servers } = await answer.json();
    return Response.json({ servers: servers.slice(0, 2) });
  };
  assert.deepEqual(await idsOf(api, "servers"), ids("servers", 8));
});

Deno.test("ports() gives all where a marker that is gone gives an empty page", async () => {
  for (const last of [2, 5, 7]) {
    await using world = await World.open(8);
    const { api, cloud } = world;
    cloud.emulatesPages = true;
    const gone = idOf("b0", last);
    cloud.before = ({ path }) => {
      const isThere = cloud.lists.ports.some(({ id }) => id === gone);
      if (isThere && path.includes(`marker=${gone}`)) cloud.remove("ports", gone);
    };
    const found = await idsOf(api, "ports");
    assert.deepEqual(ids("ports", 8).filter((id) => id !== gone && !found.includes(id)), []);
  }
});

Deno.test("ports() goes on behind what an earlier run has read, though that is gone and gives an empty page", async () => {
  await using world = await World.open(8);
  world.cloud.emulatesPages = true;
  world.cloud.remove("ports", idOf("b0", 4));
  const found = await idsOf(world.api, "ports", { after: idOf("b0", 4) });
  assert.deepEqual(ids("ports", 3, 5).filter((id) => !found.includes(id)), []);
});

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

Deno.test("servers() leaves out those in a cell that is down, which are there by their ids", async () => {
  await using world = await World.open(4);
  const { api, cloud } = world;
  cloud.inDownCell.add(idOf("5e", 1));
  assert.deepEqual(await idsOf(api, "servers"), [0, 2, 3].map((number) => idOf("5e", number)));
  const found = await api.confirmedServer(idOf("5e", 1));
  assert(typeof found === "object");
  assert.deepEqual([found.status, found.projectId, found.launchedAt], ["UNKNOWN", "project-1", null]);
});

Deno.test("every record of a list has its project", async () => {
  await using world = await World.open(4, { ownProject: RECORDED.adminProject });
  const expected = [RECORDED.adminProject, "project-1", "project-2", "project-3"];
  for (const [method] of KINDS) {
    const records = await all<{ projectId: string | null }>(world.api[method]());
    assert.deepEqual(records.map(({ projectId }) => projectId), expected);
  }
});
