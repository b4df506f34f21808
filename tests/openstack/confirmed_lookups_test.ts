import assert from "node:assert/strict";
import type { OpenStackApi } from "../../src/openstack/api.ts";
import { RECORDED } from "../support/openstack_server.ts";
import { Opened, unavailable } from "./opened.ts";

const NO_ID = "00000000-0000-0000-0000-000000000000";

Deno.test("confirmedServer(), port() and floatingIp() give the recorded resources", async () => {
  await using opened = new Opened();
  const { api } = opened;

  const server = await api.confirmedServer(RECORDED.server);
  assert(typeof server === "object");
  const { id, status, launchedAt, projectId } = server;
  assert.deepEqual([id, status, launchedAt, projectId], [
    RECORDED.server,
    "ACTIVE",
    "2026-11-21T19:13:11.000Z",
    RECORDED.project,
  ]);
  assert.deepEqual(await api.port(RECORDED.port), {
    id: RECORDED.port,
    mac: "fa:16:3e:81:66:a8",
    fixedAddresses: ["10.11.0.77"],
    dnsAssignments: [],
    deviceId: RECORDED.twoNics,
    deviceOwner: "compute:zone-1",
    serverId: RECORDED.twoNics,
    networkId: "9666bb36-7e7a-469e-823a-cba02597d4ca",
    projectId: RECORDED.project,
    revision: 5,
    updatedAt: "2026-11-21T19:17:03.000Z",
  });
  const floatingIp = await api.floatingIp(RECORDED.floatingIp);
  assert(typeof floatingIp === "object");
  assert.deepEqual([floatingIp.address, floatingIp.projectId], ["203.0.113.237", RECORDED.project]);
});

Deno.test("confirmedServer(), port() and floatingIp() are not cached", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  const ask = () => Promise.all([api.confirmedServer(NO_ID), api.port(NO_ID), api.floatingIp(NO_ID)]);
  await ask();
  server.taken();

  assert.deepEqual(await ask(), ["absent", "absent", "absent"]);

  assert.deepEqual(server.taken().map((line) => line.split("?")[0]).sort(), [
    `compute GET /v2.1/servers/${NO_ID}`,
    `network GET /v2.0/floatingips/${NO_ID}`,
    `network GET /v2.0/ports/${NO_ID}`,
  ]);
});

Deno.test("port() asks for the time of the last change, which ports() does too", async () => {
  await using opened = new Opened();
  await opened.api.port(RECORDED.port);
  for await (const _page of opened.api.ports()) break;
  const ports = opened.server.requests.filter(({ path }) => path.includes("/ports"));
  assert.deepEqual(ports.map(({ path }) => path.includes("&fields=updated_at")), [true, true]);
});

type Kind = "confirmedServer" | "port" | "floatingIp";

const SERVICE_PATHS: Readonly<Record<Kind, string>> = {
  confirmedServer: "/v2.1/servers/",
  port: "/v2.0/ports/",
  floatingIp: "/v2.0/floatingips/",
};

/** Asks for one resource, when the service gives a certain answer. */
async function asked<T>(
  kind: Kind,
  answer: () => Response,
  check: (asked: Promise<unknown>) => Promise<T>,
): Promise<T> {
  await using opened = new Opened();
  opened.server.intercept = ({ path }) => path.startsWith(SERVICE_PATHS[kind]) ? answer() : undefined;
  const api: Pick<OpenStackApi, Kind> = opened.api;
  return await check(api[kind](NO_ID));
}

function said(status: number, body: unknown) {
  return () => Response.json(body, { status });
}

/**
 * As the controllers of Neutron answer where there is no such path, or a policy hides the resource.
 */
const NO_PATH = { type: "HTTPNotFound", message: "The resource could not be found.", detail: "" };
const OTHER_ID = "11111111-1111-1111-1111-111111111111";

const unclear: readonly (readonly [Kind, what: string, answer: () => Response])[] = [
  [
    "confirmedServer",
    "a path that Nova lacks",
    said(404, {
      itemNotFound: { code: 404, message: "The resource could not be found." },
    }),
  ],
  [
    "confirmedServer",
    "another server",
    said(404, {
      itemNotFound: { code: 404, message: `Instance ${OTHER_ID} could not be found.` },
    }),
  ],
  ["confirmedServer", "another error", said(404, { error: { code: 404, message: `No route to /servers/${NO_ID}` } })],
  [
    "confirmedServer",
    "a resource that is gone",
    said(410, {
      itemNotFound: { code: 410, message: `Instance ${NO_ID} could not be found.` },
    }),
  ],
  ["confirmedServer", "an empty object", said(404, {})],
  ["confirmedServer", "HTML", () => new Response("<html>", { status: 404 })],
  ["confirmedServer", "no body", () => new Response(null, { status: 404 })],
  ["confirmedServer", "a bad request", said(400, { badRequest: { code: 400, message: `Instance ${NO_ID}` } })],
  ["port", "a path that Neutron lacks", said(404, { NeutronError: NO_PATH })],
  ["port", "a resource that a policy hides", said(404, NO_PATH)],
  [
    "port",
    "another kind",
    said(404, {
      NeutronError: { type: "NetworkNotFound", message: `Network ${NO_ID} could not be found.`, detail: "" },
    }),
  ],
  [
    "port",
    "another port",
    said(404, {
      NeutronError: { type: "PortNotFound", message: `Port ${OTHER_ID} could not be found.`, detail: "" },
    }),
  ],
  ["floatingIp", "Neutron without the router extension", said(404, { NeutronError: NO_PATH })],
  ["floatingIp", "an old Neutron without it", () => {
    const headers = { "content-type": "text/plain; charset=UTF-8" };
    return new Response("404 Not Found\n\nThe resource could not be found.", { status: 404, headers });
  }],
  ["floatingIp", "a text", said(404, { NeutronError: `Floating IP ${NO_ID} could not be found` })],
];

for (const [kind, what, answer] of unclear) {
  Deno.test(`${kind}() does not take ${what} (${answer().status}) for absent`, async () => {
    const { status, message } = await asked(kind, answer, unavailable);
    assert.equal(status, answer().status);
    assert.match(message, /^Cannot ask (?:Nova|Neutron) at http:\S+: /);
  });
}

for (
  const [kind, key] of [["confirmedServer", "server"], ["port", "port"], ["floatingIp", "floatingip"]] as const
) {
  Deno.test(`${kind}() does not take an answer about another id, or none, for found`, async () => {
    for (const one of [{ id: OTHER_ID, floating_ip_address: "192.0.2.1" }, { floating_ip_address: "192.0.2.1" }, []]) {
      const { message } = await asked(kind, said(200, { [key]: one }), unavailable);
      assert.match(message, new RegExp(`: 200, but the answer is not about ${NO_ID}\\. Check that the URL is right$`));
    }
  });

  Deno.test(`${kind}() is forbidden at 403, each time anew and without a word`, async () => {
    await using opened = new Opened();
    const { api, server, log } = opened;
    let status = 403;
    server.intercept = ({ path }) =>
      path.startsWith(SERVICE_PATHS[kind]) && status === 403
        ? Response.json({ forbidden: { code: 403, message: "no" } }, { status })
        : undefined;
    assert.deepEqual([await api[kind](NO_ID), await api[kind](NO_ID)], ["forbidden", "forbidden"]);
    status = 200;
    assert.equal(await api[kind](NO_ID), "absent");
    assert.deepEqual(log.lines, []);
  });

  for (const status of [401, 429, 500, 502, 503, 504]) {
    Deno.test(`${kind}() is unavailable at ${status}`, async () => {
      const body = { itemNotFound: { code: 404, message: `Instance ${NO_ID} could not be found.` } };
      assert.equal((await asked(kind, said(status, body), unavailable)).status, status);
    });
  }

  Deno.test(`${kind}() takes an id that no service gives for absent, and asks nobody`, async () => {
    await using opened = new Opened();
    for (const id of ["", "..", "a/b", "a?b", "x".repeat(256), "é", "a b"]) {
      assert.equal(await opened.api[kind](id), "absent");
    }
    assert.deepEqual(opened.server.taken(), []);
  });
}

Deno.test("confirmedServer() reads a server in a cell that does not answer", async () => {
  // As Nova makes it, from microversion 2.69 on: nova/api/openstack/compute/views/servers.py.
  const minimal = {
    id: NO_ID,
    status: "UNKNOWN",
    tenant_id: RECORDED.project,
    created: "2026-11-21T19:13:08Z",
    links: [],
    image: { id: RECORDED.image, links: [] },
    flavor: { original_name: "m1.small", vcpus: 1, ram: 2048, disk: 20, ephemeral: 0, swap: 0, extra_specs: {} },
    "OS-EXT-AZ:availability_zone": "UNKNOWN",
    "OS-EXT-STS:power_state": 0,
    user_id: "UNKNOWN",
    server_groups: [],
  };
  const server = await asked("confirmedServer", said(200, { server: minimal }), (answer) => answer);
  assert.deepEqual(server, {
    id: NO_ID,
    name: null,
    hostname: null,
    description: null,
    status: "UNKNOWN",
    projectId: RECORDED.project,
    userId: null,
    imageId: RECORDED.image,
    storageGb: 20,
    ramGib: 2,
    vcpus: 1,
    createdAt: "2026-11-21T19:13:08.000Z",
    launchedAt: null,
    metadata: null,
    addresses: [],
    zone: null,
    host: undefined,
    flavor: "m1.small",
  });
});

Deno.test("confirmedServer() says of a server that is being built that it was never launched", async () => {
  await using opened = new Opened();
  const { api, server } = opened;
  const building = "3de4fac7-673b-4eba-a2f2-9210cdeaf975";
  server.intercept = ({ path }) => path.endsWith(building) ? server.recorded("server-building") : undefined;
  const found = await api.confirmedServer(building);
  assert(typeof found === "object");
  assert.deepEqual([found.status, found.launchedAt], ["BUILD", null]);
});
