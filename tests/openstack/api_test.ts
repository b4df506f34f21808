import assert from "node:assert/strict";
import { closedPort } from "../wire/server.ts";
import { RECORDED } from "../support/openstack_server.ts";
import { all, Opened, unavailable, userError } from "./opened.ts";

const NO_ID = "00000000-0000-0000-0000-000000000000";

Deno.test("server() gives what Nova says of one in its newest known form", async () => {
  await using opened = new Opened();

  assert.deepEqual(await opened.api.server(RECORDED.server), {
    id: RECORDED.server,
    name: "beam-ctl-01",
    hostname: "beam-ctl-01",
    description: "Beam control, room 4",
    status: "ACTIVE",
    projectId: RECORDED.project,
    userId: RECORDED.user,
    imageId: RECORDED.image,
    storageGb: 20,
    ramGib: 2,
    vcpus: 1,
    createdAt: "2026-11-21T19:13:08.000Z",
    launchedAt: "2026-11-21T19:13:11.000Z",
    metadata: {
      owner: "alice-191249",
      additional_users: "bob-191249,carol-191249",
      application_name: "Beam Control",
      environment_ci: "CI-4711",
      description: "control room front end",
      serviceNowId: "SN0001234",
    },
    addresses: [{
      address: "10.11.0.21",
      mac: "fa:16:3e:81:26:0e",
      type: "fixed",
      network: "physics-191249-net-a",
      version: 4,
    }],
    zone: "zone-1",
    // Nova shows it to administrators alone: the recorded answer has none.
    host: undefined,
    flavor: "m1.small",
  });
});

Deno.test("server() leaves null what an old Nova does not say", async () => {
  await using opened = new Opened();
  opened.server.intercept = ({ path }) =>
    path === "/v2.1/"
      ? opened.server.recorded("discovery-nova-v2.1", (body) => body.replace(`"2.93"`, `""`))
      : undefined;

  const server = await opened.api.server(RECORDED.server);

  assert(typeof server === "object");
  const { description, storageGb, ramGib, vcpus, hostname, createdAt } = server;
  assert.deepEqual([description, storageGb, ramGib, vcpus, hostname], [null, null, null, null, null]);
  assert.equal(createdAt, "2026-11-21T19:13:08.000Z");
});

Deno.test("server() gives every address, floating ones and those of several networks too", async () => {
  await using opened = new Opened();

  const withFloating = await opened.api.server(RECORDED.withFloatingIp);
  const twoNics = await opened.api.server(RECORDED.twoNics);

  assert(typeof withFloating === "object" && typeof twoNics === "object");
  assert.deepEqual(withFloating.addresses.map(({ address, type }) => [address, type]), [
    ["10.11.0.79", "fixed"],
    ["203.0.113.173", "floating"],
  ]);
  assert.deepEqual(twoNics.addresses.map(({ mac, network, version }) => [mac, network, version]), [
    ["fa:16:3e:81:66:a8", "physics-191249-net-a", 4],
    ["fa:16:3e:b6:ce:56", "physics-191249-net-b", 4],
    ["fa:16:3e:b6:ce:56", "physics-191249-net-b", 6],
  ]);
});

Deno.test("portsOfServer() gives its ports with revision, and none once the server is gone", async () => {
  await using opened = new Opened();

  const ports = await opened.api.portsOfServer(RECORDED.twoNics);

  assert(Array.isArray(ports));
  assert.deepEqual(ports[0], {
    id: "08d6369f-9e45-4b36-a017-e4d4707f28fe",
    mac: "fa:16:3e:b6:ce:56",
    fixedAddresses: ["10.12.0.41", "2001:db8:12::ff"],
    dnsAssignments: [],
    deviceId: RECORDED.twoNics,
    deviceOwner: "compute:zone-1",
    serverId: RECORDED.twoNics,
    networkId: "91d1ca9b-5f8b-4087-a7b6-f6855917e0a0",
    projectId: RECORDED.project,
    revision: 4,
    updatedAt: "2026-11-21T19:13:16.000Z",
  });
  assert.deepEqual(await opened.api.portsOfServer(NO_ID), []);
});

Deno.test("portsOfServer() gives the names of Neutron's DNS integration without the dot at their end", async () => {
  await using opened = new Opened();
  const dns = { hostname: "web-1", ip_address: "10.12.0.41", fqdn: "web-1.cloud.example.com." };
  opened.server.intercept = ({ service, path }) =>
    service === "network" && path !== "/" ? Response.json({ ports: [{ id: "p", dns_assignment: [dns] }] }) : undefined;

  const ports = await opened.api.portsOfServer("s");

  assert(Array.isArray(ports));
  assert.deepEqual(ports[0].dnsAssignments, [
    { address: "10.12.0.41", hostname: "web-1", fqdn: "web-1.cloud.example.com" },
  ]);
});

Deno.test("image(), project() and user() give names, and the image its operating system", async () => {
  await using opened = new Opened();

  assert.deepEqual(await opened.api.image(RECORDED.image), {
    id: RECORDED.image,
    name: "debian-12",
    os: null,
    osDistro: "debian",
    osVersion: "12",
  });
  assert.deepEqual(await opened.api.project(RECORDED.project), { id: RECORDED.project, name: "physics-191249" });
  assert.deepEqual(await opened.api.user(RECORDED.user), { id: RECORDED.user, name: "alice-191249" });
});

Deno.test("project() does not ask for our own project, whose name came with the token", async () => {
  await using opened = new Opened();

  assert.deepEqual(await opened.api.project(RECORDED.adminProject), { id: RECORDED.adminProject, name: "admin" });
  assert.deepEqual(opened.server.taken(), ["identity POST /v3/auth/tokens"]);
});

Deno.test("a 404 is the answer absent, whatever is asked for", async () => {
  await using opened = new Opened();
  const { api } = opened;

  const answers = await Promise.all([api.server(NO_ID), api.image(NO_ID), api.project(NO_ID), api.user(NO_ID)]);

  assert.deepEqual(answers, ["absent", "absent", "absent", "absent"]);
});

Deno.test("an id cannot lead a request to another path", async () => {
  await using opened = new Opened();
  const { api, server } = opened;

  const answers = [];
  for (const id of ["..", ".", "", "../../auth", "a?b=c&d", "x".repeat(256)]) answers.push(await api.server(id));
  await api.portsOfServer("a&device_id=b");

  assert.deepEqual(new Set(answers), new Set(["absent"]));
  assert.deepEqual(server.taken().filter((line) => /servers|ports/.test(line)), [
    "compute GET /v2.1/servers/..%2F..%2Fauth",
    "compute GET /v2.1/servers/a%3Fb%3Dc%26d",
    "network GET /v2.0/ports?device_id=a%26device_id%3Db",
  ]);
});

Deno.test("a creation costs two requests when caches are warm", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  const enrich = () =>
    Promise.all([
      api.server(RECORDED.twoNics),
      api.portsOfServer(RECORDED.twoNics),
      api.image(RECORDED.image),
      api.project(RECORDED.project),
      api.user(RECORDED.user),
    ]);
  await enrich();
  server.taken();

  await enrich();

  assert.deepEqual(server.taken().sort(), [
    `compute GET /v2.1/servers/${RECORDED.twoNics}`,
    `network GET /v2.0/ports?device_id=${RECORDED.twoNics}`,
  ]);
});

Deno.test("equal questions that are under way are one request, with one login before them", async () => {
  await using opened = new Opened();
  const { api, server } = opened;

  await Promise.all(Array.from({ length: 20 }, () => [api.server(RECORDED.server), api.image(RECORDED.image)]).flat());

  assert.deepEqual(server.taken().sort(), [
    "compute GET /v2.1/",
    `compute GET /v2.1/servers/${RECORDED.server}`,
    "identity POST /v3/auth/tokens",
    "image GET /",
    `image GET /v2/images/${RECORDED.image}`,
  ]);
});

Deno.test("a name is asked for again after ten minutes, a missing one after one", async () => {
  await using opened = new Opened();
  const { api, server, clock } = opened;
  const ask = async () => {
    await api.project(RECORDED.project);
    await api.project(NO_ID);
    return server.taken().filter((line) => line.includes("projects")).map((line) => line.slice(-4));
  };

  assert.deepEqual(await ask(), ["3d29", "0000"]);
  assert.deepEqual(await ask(), []);
  clock.jump(60_000);
  assert.deepEqual(await ask(), ["0000"]);
  clock.jump(540_000);
  assert.deepEqual(await ask(), ["3d29", "0000"]);
});

Deno.test("no more requests run side by side than allowed", async () => {
  await using opened = new Opened({}, { concurrency: 3 });
  const { api, server } = opened;
  await api.check();
  let running = 0;
  let most = 0;
  server.intercept = async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running--;
    return undefined;
  };

  await Promise.all(Array.from({ length: 12 }, (_, index) => api.server(`server-${index}`)));

  assert.equal(most, 3);
});

Deno.test("a request that fails frees its place, and the waiting ones run in order", async () => {
  await using opened = new Opened({}, { concurrency: 1 });
  const { api, server } = opened;
  await api.check();
  server.taken();
  server.intercept = ({ path }) => path.endsWith("/first") ? new Response("{}", { status: 500 }) : undefined;

  const ends = await Promise.allSettled(["first", "second", "third"].map((id) => api.server(id)));

  assert.deepEqual(ends.map(({ status }) => status), ["rejected", "fulfilled", "fulfilled"]);
  assert.deepEqual(server.taken().map((line) => line.split("/").at(-1)), ["first", "second", "third"]);
});

Deno.test("who stands in line when a service fails shares the failure: nobody is kept waiting by a crowd", async () => {
  await using opened = new Opened({}, { concurrency: 2, timeoutSeconds: 0.2 });
  const { api, server } = opened;
  await api.check();
  server.taken();
  const late = Promise.withResolvers<void>();
  server.intercept = ({ service }) => service === "compute" ? late.promise.then(() => json("{}")) : undefined;
  const ask = (count: number) =>
    Promise.allSettled(Array.from({ length: count }, (_, index) => api.server(`server-${index}`)));

  const [ends, image] = await Promise.all([ask(40), api.image(RECORDED.image)]);
  await ask(1);

  assert.deepEqual(ends.filter(({ status }) => status === "fulfilled"), []);
  assert(typeof image === "object");
  assert.equal(server.taken().filter((line) => line.startsWith("compute")).length, 3);
  late.resolve();
});

Deno.test("what the account may not do is said once with the missing role, and not asked again for an hour", async () => {
  await using opened = new Opened();
  const { api, server, clock, log } = opened;
  server.login = "auth-password-member";
  server.intercept = ({ path }) =>
    path.startsWith("/v3/projects/")
      ? server.recorded("project-as-member-403")
      : path.startsWith("/v3/users/")
      ? server.recorded("user-as-member-403")
      : undefined;
  const ask = async () => {
    const answers = await Promise.all([api.project("other"), api.user("other"), api.server(RECORDED.server)]);
    return answers.map((answer) => typeof answer === "string" ? answer : "found");
  };

  assert.deepEqual(await ask(), ["forbidden", "forbidden", "found"]);
  server.taken();
  assert.deepEqual(await ask(), ["forbidden", "forbidden", "found"]);
  assert.deepEqual(server.taken(), [`compute GET /v2.1/servers/${RECORDED.server}`]);
  clock.jump(3_600_000);
  await ask();
  assert.equal(server.taken().filter((line) => /projects|users/.test(line)).length, 2);

  assert.deepEqual(log.lines.filter((line) => line.startsWith("warn")).sort(), [
    `warn Keystone does not let our account show other projects (403: You are not authorized to perform the requested ` +
    `action: identity:get_project): ProjectName stays null. The account has "member", "reader"; give it the role "admin", or ` +
    `"reader" on the system. Asked again in an hour`,
    `warn Keystone does not let our account show other users (403: You are not authorized to perform the requested ` +
    `action: identity:get_user): UserName stays null. The account has "member", "reader"; give it the role "admin", or "reader" ` +
    `on the system. Asked again in an hour`,
  ]);
});

Deno.test("a login for the whole system that Nova refuses is told by its cause, not by a role that it has", async () => {
  await using opened = new Opened({ scope: { kind: "system" } });
  const { api, server, log } = opened;
  loggedInForTheSystem(server);

  const abilities = await api.abilities();
  assert.deepEqual(abilities.filter(({ allowed }) => allowed).map(({ what }) => what), [
    "show other projects",
    "show other users",
  ]);
  const remedy =
    "it is logged in without a project, and newer releases of Nova, Neutron and Glance return nothing to such " +
    'an account. Name a project in which it has the role "admin", in place of systemScope or a domain';
  assert.equal(abilities.find(({ what }) => what === "show a server")?.remedy, remedy);

  await all(api.servers()).catch(() => []);
  assert.deepEqual(log.lines.filter((line) => line.startsWith("warn")), [
    `warn Nova does not let our account list the servers of all projects (403: Policy doesn't allow ` +
    `os_compute_api:servers:detail to be performed): only servers of its own project are read. The account has "admin", "member", "reader"; ` +
    `${remedy}. Asked again in an hour`,
  ]);
});

Deno.test("a login for the whole system that Nova takes lacks nothing", async () => {
  await using opened = new Opened({ scope: { kind: "system" } });
  loggedInForTheSystem(opened.server);
  opened.server.intercept = () => undefined;
  assert.deepEqual((await opened.api.abilities()).filter(({ allowed }) => !allowed), []);
});

/** As Nova and Neutron of 2025.1 answer an administrator of the whole system. */
function loggedInForTheSystem(server: Opened["server"]): void {
  server.login = "auth-password-system-scope";
  const message = "Policy doesn't allow os_compute_api:servers:detail to be performed.";
  server.intercept = ({ service, path }) =>
    path.includes("/servers/detail")
      ? Response.json({ forbidden: { code: 403, message } }, { status: 403 })
      : service === "network" && path.startsWith("/v2.0/")
      ? Response.json({ ports: [], floatingips: [] })
      : undefined;
}

Deno.test("servers() gives all pages in order, and goes on behind any of them", async () => {
  await using opened = new Opened();
  const pages = [];
  for await (const page of opened.api.servers()) pages.push(page);

  assert.deepEqual(pages.map(({ records, allProjects }) => [records.length, allProjects]), [
    [3, true],
    [3, true],
    [3, true],
    [1, true],
  ]);
  assert.deepEqual(pages.map(({ next }) => next?.slice(0, 8)), ["a83abd8f", "501cc37c", "efac951b", undefined]);
  const rest = await all(opened.api.servers({ after: pages[1]?.next ?? null }));
  assert.deepEqual(rest.map(({ id }) => id), pages.slice(2).flatMap(({ records }) => records.map(({ id }) => id)));
});

Deno.test("servers() gives our own project's when all projects are forbidden, and says so once", async () => {
  await using opened = new Opened();
  const { api, server, log } = opened;
  server.intercept = ({ path }) =>
    path.includes("all_tenants") ? server.recorded("servers-all-tenants-as-member") : undefined;

  for (let i = 0; i < 2; i++) {
    const pages = [];
    for await (const page of api.servers()) pages.push(page.allProjects);
    assert.deepEqual(pages, [false, false, false, false]);
  }

  assert.equal(server.taken().filter((line) => line.includes("all_tenants")).length, 1);
  assert.deepEqual(log.lines.map((line) => line.slice(0, 72)), [
    "warn Nova does not let our account list the servers of all projects (403",
  ]);
});

Deno.test("servers() goes on behind an earlier server when the last of a page is deleted meanwhile", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  const gone = "a83abd8f-7931-4021-bbfa-78faafe4d414";
  server.intercept = ({ path }) => {
    if (path.includes(`marker=${gone}`)) return markerNotFound(gone);
    return path.includes("marker=6f340301") ? server.recorded("servers-detail-all-tenants-page-2") : undefined;
  };

  assert.equal((await all(api.servers())).length, 10);
});

Deno.test("floatingIps() is unavailable when no marker is found: what was read is not all", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  const more = { floatingips: [{ id: "a", floating_ip_address: "192.0.2.1" }], floatingips_links: [{ rel: "next" }] };
  server.intercept = ({ path }) => {
    if (!path.startsWith("/v2.0/floatingips")) return undefined;
    return path.includes("marker=") ? Response.json({ NeutronError: "gone" }, { status: 404 }) : Response.json(more);
  };

  const error = await unavailable(all(api.floatingIps({ after: "gone" })));

  assert.equal(error.status, 404);
});

Deno.test("project() that is forbidden for one is asked for another, as a domain's reader may", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  server.intercept = ({ path }) =>
    path === "/v3/projects/foreign" ? server.recorded("project-as-member-403") : undefined;
  const ask = (id: string) => api.project(id).then((answer) => typeof answer === "string" ? answer : "found");

  assert.equal(await ask("foreign"), "forbidden");
  assert.equal(await ask(RECORDED.project), "found");
  server.taken();
  assert.equal(await ask("foreign"), "forbidden");
  assert.deepEqual(server.taken(), []);
});

Deno.test("servers() begins again, but not for ever, when no marker is found", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  server.intercept = ({ path }) => path.includes("marker=") ? markerNotFound("x") : undefined;

  const error = await unavailable(all(api.servers({ after: "gone" })));

  assert.equal(error.status, 400);
  assert.match(error.message, /marker \[x\] not found/);
});

for (
  const [what, answer] of [
    ["gives the same page for ever", "servers-detail-all-tenants-page-1"],
    ["promises more behind nothing", "nothing"],
  ] as const
) {
  Deno.test(`servers() is unavailable when Nova ${what}: what was read is not all`, async () => {
    await using opened = new Opened();
    const { api, server } = opened;
    const nothing = { servers: [], servers_links: [{ rel: "next", href: "http://here/servers" }] };
    server.intercept = ({ path }) => {
      if (!path.includes("marker=")) return undefined;
      return answer === "nothing" ? Response.json(nothing) : server.recorded(answer);
    };

    const error = await unavailable(all(api.servers()));

    assert.match(
      error.message,
      /^Cannot ask Nova at \S+\/servers\/detail: 200, but the list "servers" does not continue/,
    );
  });
}

Deno.test("ports() and floatingIps() give all with their revisions", async () => {
  await using opened = new Opened();

  const ports = await all(opened.api.ports());
  const floatingIps = await all(opened.api.floatingIps());

  assert.deepEqual(ports.map(({ deviceOwner, serverId, revision }) => [deviceOwner, serverId, revision]), [
    ["network:router_interface", null, 2],
    ["compute:zone-1", RECORDED.twoNics, 4],
    ["compute:zone-1", RECORDED.twoNics, 4],
  ]);
  assert.deepEqual(floatingIps[1], {
    id: "518cb779-b01b-49b1-8c79-cad03f549574",
    address: "203.0.113.173",
    projectId: RECORDED.project,
    portId: "693a8274-3e2e-4186-b470-251c0328769c",
    fixedAddress: "10.11.0.200",
    port: { serverId: "3ab7c61d-c4f1-40d3-8254-f03a0b93215c", mac: "fa:16:3e:af:17:89" },
    revision: 3,
    updatedAt: "2026-11-21T19:16:54.000Z",
  });
  assert.deepEqual([floatingIps[0]?.port, floatingIps[0]?.portId], [null, null]);
});

Deno.test("servers() is unavailable when Nova does not know the list: none would be a lie", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  server.intercept = ({ path }) =>
    path.includes("/detail") ? Response.json({ message: "no" }, { status: 404 }) : undefined;

  assert.equal((await unavailable(all(api.servers()))).status, 404);
});

Deno.test("floatingIps() gives none when the cloud has no routers", async () => {
  await using opened = new Opened();
  opened.server.intercept = ({ path }) =>
    path.startsWith("/v2.0/floatingips")
      ? Response.json({ message: "The resource could not be found." }, { status: 404 })
      : undefined;

  assert.deepEqual(await all(opened.api.floatingIps()), []);
});

const unreadable: readonly (readonly [what: string, answer: () => Response, state: RegExp])[] = [
  ["is cut off", () => json(`{"server": {"id": "4818`), /200, but the answer is truncated or not JSON/],
  ["is a proxy's 403", () => new Response("<html>", { status: 403 }), /403, but the answer is not JSON \(text/],
  ["is a proxy's 404", () => new Response("<html>", { status: 404 }), /404, but .* \(.*Check the catalog's URL$/],
  ["is HTML", () => new Response("<html>", { headers: { "content-type": "text/html" } }), /not JSON \(text\/html\)/],
  ["is a list", () => json("[]"), /200, but the answer is not a JSON object/],
  ["has no server", () => json("{}"), /200: the answer lacks what was asked for/],
  ["has no id", () => json(`{"server": {"name": "x"}}`), /200: the answer lacks what was asked for/],
  [
    "leads elsewhere",
    () => new Response(null, { status: 302, headers: { location: "http://x/" } }),
    /302, but the answer is not JSON .*Check/,
  ],
  [
    "is 500",
    () => json(`{"computeFault": {"message": "Unexpected API Error."}}`, 500),
    /500: "Unexpected API Error"\. See/,
  ],
  ["is a proxy's 502", () => new Response("<html>", { status: 502 }), /: 502\. See its own log/],
];

for (const [what, answer, state] of unreadable) {
  Deno.test(`server() is unavailable when the answer ${what}`, async () => {
    await using opened = new Opened();
    opened.server.intercept = ({ path }) => path.startsWith("/v2.1/servers/") ? answer() : undefined;

    const { message, service } = await unavailable(opened.api.server(RECORDED.server));

    assert.equal(service, "Nova");
    assert.match(message, state);
    const url = `${opened.server.origin("compute")}/v2.1/servers/${RECORDED.server}`;
    assert(message.startsWith(`Cannot ask Nova at ${url}: `), message);
  });
}

Deno.test("server() reads what is there when optional fields are not, or are of another kind", async () => {
  await using opened = new Opened();
  opened.server.intercept = ({ path }) =>
    path.startsWith("/v2.1/servers/")
      ? json(
        `{"server": {"id": "x", "flavor": [], "image": "", "metadata": {"a": 1, "b": "2"}, "addresses": {"n": [{}, 7]}}}`,
      )
      : undefined;

  const server = await opened.api.server("x");

  assert(typeof server === "object");
  assert.deepEqual([server.imageId, server.ramGib, server.metadata, server.addresses], [null, null, { b: "2" }, []]);
});

Deno.test("server() is unavailable when the answer takes too long", async () => {
  await using opened = new Opened({}, { timeoutSeconds: 0.2 });
  const { api, server } = opened;
  await api.check();
  const late = Promise.withResolvers<Response>();
  server.intercept = () => late.promise;

  const error = await unavailable(api.server(RECORDED.server));

  assert.equal(error.reason, "timeout");
  assert.match(error.message, /no answer within 0\.2 s\. Check its load/);
  late.resolve(json("{}"));
});

Deno.test("server() is unavailable when the connection breaks within an answer", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  server.editLogin = (body) => body.replaceAll(server.origin("compute"), `http://127.0.0.1:${listener.addr.port}`);
  const answered = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
    await connection.write(new TextEncoder().encode(`${head}{"version": `));
  })();

  const { reason, message } = await unavailable(api.server(RECORDED.server));

  assert.equal(reason, "connection");
  assert.match(message, /^Cannot ask Nova at http:\/\/127\.0\.0\.1:\d+\/v2\.1\/: .*Check that it runs/);
  await answered;
});

Deno.test("server() stops waiting when the signal aborts, and others that wait for the same go on", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  await api.check();
  const late = Promise.withResolvers<undefined>();
  server.intercept = () => late.promise;
  const stop = new AbortController();

  const stopped = api.server(RECORDED.server, stop.signal);
  const going = api.server(RECORDED.server);
  stop.abort(new Error("stopped"));

  await assert.rejects(stopped, /stopped/);
  late.resolve(undefined);
  assert.notEqual(await going, "absent");
});

for (const [status, reason] of [[429, "rate_limited"], [503, "server_error"]] as const) {
  Deno.test(`${status} with Retry-After leaves that service alone for so long, and no other`, async () => {
    await using opened = new Opened();
    const { api, server, clock } = opened;
    await api.check();
    server.intercept = ({ service }) =>
      service === "compute" ? new Response(null, { status, headers: { "retry-after": "30" } }) : undefined;

    const first = await unavailable(api.server(RECORDED.server));
    clock.jump(10_000);
    server.taken();
    const second = await unavailable(api.server(RECORDED.server));
    await api.image(RECORDED.image);

    assert.deepEqual([first.reason, first.status, first.retryAfterMs], [reason, status, 30_000]);
    assert.deepEqual([second.reason, second.status, second.retryAfterMs], [reason, status, 20_000]);
    assert.deepEqual(server.taken(), [`image GET /v2/images/${RECORDED.image}`]);
    clock.jump(20_000);
    server.intercept = () => undefined;
    assert.equal(typeof await api.server(RECORDED.server), "object");
  });
}

Deno.test("a token that is refused is renewed once", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  await api.server(RECORDED.server);
  server.revokeTokens();
  server.taken();

  const answers = await Promise.all([api.server(RECORDED.server), api.image(RECORDED.image)]);

  assert.equal(answers.every((answer) => typeof answer === "object"), true);
  assert.equal(server.taken().filter((line) => line.startsWith("identity POST")).length, 1);
});

Deno.test("a token that is refused although it is new makes the service unavailable", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  server.intercept = ({ path }) => path.includes("/servers/") ? server.recorded("nova-expired-token-401") : undefined;

  const error = await unavailable(api.server(RECORDED.server));

  assert.deepEqual([error.reason, error.status], ["unauthorized", 401]);
  assert.match(error.message, /It refuses the token that Keystone just gave/);
  assert.equal(server.taken().filter((line) => line.startsWith("identity POST")).length, 2);
});

Deno.test("an unreachable service is named with its URL", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  const port = closedPort();
  server.editLogin = (body) => body.replaceAll(server.origin("compute"), `http://127.0.0.1:${port}`);

  const { message, reason } = await unavailable(api.server(RECORDED.server));

  assert.equal(reason, "connection");
  assert.match(
    message,
    new RegExp(`^Cannot ask Nova at http://127.0.0.1:${port}/v2.1/: .*refused.*Check that it runs`),
  );
});

Deno.test("onRequest hears of every request, without secrets", async () => {
  const heard: string[] = [];
  await using opened = new Opened({}, {
    onRequest: ({ service, method, url, status }) =>
      heard.push(`${service} ${method} ${new URL(url).pathname} ${status}`),
  });

  await opened.api.server(NO_ID);

  assert.deepEqual(heard, [
    "Keystone POST /v3/auth/tokens 201",
    "Nova GET /v2.1/ 200",
    `Nova GET /v2.1/servers/${NO_ID} 404`,
  ]);
});

Deno.test("check() finds the services, or says what stands in the way", async () => {
  await using opened = new Opened();
  await opened.api.check();
  assert.deepEqual(opened.server.taken(), [
    "identity POST /v3/auth/tokens",
    "compute GET /v2.1/",
    "network GET /",
    "image GET /",
  ]);

  await using unscoped = new Opened();
  unscoped.server.login = "auth-unscoped";
  assert.match(
    await userError(unscoped.api.check()),
    /^Cannot find Nova \(compute\) .* the catalog is empty\. Name a project/,
  );
});

function markerNotFound(marker: string): Response {
  return Response.json({ badRequest: { code: 400, message: `marker [${marker}] not found` } }, { status: 400 });
}

function json(body: string, status = 200): Response {
  return new Response(body, { status, headers: { "content-type": "application/json" } });
}
