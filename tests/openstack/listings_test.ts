import assert from "node:assert/strict";
import { UserError } from "../../src/model/errors.ts";
import { idOf } from "../support/made_cloud.ts";
import { RECORDED } from "../support/openstack_server.ts";
import { ids, idsOf, KINDS, pagesOf, World } from "./made_world.ts";
import { all, unavailable, userError } from "./opened.ts";

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
  // A server that is being built may be in Nova's database twice for a moment: nova/compute/api.py,
  // get_all.
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
