import assert from "node:assert/strict";
import { Designate } from "oss-watcher/plugins";
import { type SampleEvent, sampleEvent } from "oss-watcher/testing";
import { DesignateServer } from "../support/designate_server.ts";
import { designateAt } from "../support/designate_way.ts";
import { ZONES } from "../support/dns_server.ts";
import type { ProxiedRequest } from "../support/http_proxy.ts";

let server: DesignateServer;
let projects: readonly [string, string];
Deno.test.beforeAll(async () => {
  server = await DesignateServer.start();
  projects = [await server.designate.addProject("one"), await server.designate.addProject("two")];
  await server.addZone("one.cloud.example.net", projects[0]);
  await server.addZone("two.cloud.example.net", projects[1]);
});
Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());
Deno.test.beforeEach(() => server.clear());

const { signal } = new AbortController();

async function tell(plugin: Designate, { detail, created, context }: SampleEvent): Promise<void> {
  await plugin.notify(detail, created, context);
}

const plain = async () => (await server.records()).filter((line) => !line.startsWith("_oss-watcher."));

/** Has the front do something before it passes the first request on that is like this. */
function before(is: (request: ProxiedRequest) => boolean, act: () => Promise<unknown>): Disposable {
  const whole = server.handle;
  let isDone = false;
  server.handle = async (request) => {
    if (!isDone && is(request)) {
      isDone = true;
      await act();
    }
    return await whole(request);
  };
  return { [Symbol.dispose]: () => void (server.handle = whole) };
}

Deno.test("Designate: with projectZones a server has names in zones of its own project, and no other's", async () => {
  const plugin = designateAt(server, { zones: ["10.in-addr.arpa"], projectZones: true });
  await plugin.check(signal);
  const event = (FQDN: string, project: number, options: { created?: boolean } = {}) =>
    sampleEvent({ ...options, detail: { FQDN, ProjectID: projects[project] ?? null } });
  await tell(plugin, event("web-1.one.cloud.example.net", 0));
  const written = ["1.0.0.10.in-addr.arpa PTR web-1.one.cloud.example.net.", "web-1.one.cloud.example.net A 10.0.0.1"];
  assert.deepEqual(await plain(), written);
  for (const FQDN of ["other.one.cloud.example.net", "other.cloud.example.com"]) {
    await assert.rejects(tell(plugin, event(FQDN, 1)), { name: "PermanentError", message: /it is in no zone/ });
  }
  assert.deepEqual(await plain(), written);
  const { detail } = event("web-1.one.cloud.example.net", 0);
  const listed = await Array.fromAsync(plugin.list(signal));
  assert.deepEqual(listed, await plugin.expected([{ key: "k", subject: "server", created: true, detail }]));
  await tell(plugin, event("web-1.one.cloud.example.net", 0, { created: false }));
  assert.deepEqual(await server.records(), []);
});

Deno.test("Designate: zones are found whatever the case of their names in config.ts", async () => {
  const plugin = designateAt(server, { zones: ["Cloud.Example.COM", "10.IN-ADDR.ARPA"] });
  await plugin.check(signal);
  await tell(plugin, sampleEvent());
  assert.deepEqual(await plain(), [
    "1.0.0.10.in-addr.arpa PTR web-1.cloud.example.com.",
    "web-1.cloud.example.com A 10.0.0.1",
  ]);
  assert.equal((await Array.fromAsync(plugin.list(signal))).length, 1);
});

Deno.test("Designate: a project that has a zone of the same name in another pool gets nothing of zones", async () => {
  const whole = server.handle;
  const other = { id: "11111111-2222-4333-8444-555555555555", name: "cloud.example.com.", project_id: projects[1] };
  server.handle = async (request) => {
    const answer = await whole(request);
    if (answer === null || !/^\/v2\/zones\?limit/.test(request.path)) return answer;
    const { zones, ...more } = JSON.parse(answer.body);
    return { ...answer, body: JSON.stringify({ ...more, zones: [...zones, other] }) };
  };
  try {
    const plugin = designateAt(server, { projectZones: true, ptr: false });
    await plugin.check(signal);
    await tell(plugin, sampleEvent({ detail: { ProjectID: projects[1] } }));
    assert.deepEqual(await plain(), ["web-1.cloud.example.com A 10.0.0.1"]);
    assert.equal((await Array.fromAsync(plugin.list(signal))).length, 1);
  } finally {
    server.handle = whole;
  }
});

Deno.test("Designate: an event takes few requests, however many labels its names have", async () => {
  const whole = server.handle;
  let requests = 0;
  server.handle = (request) => (requests++, whole(request));
  try {
    const plugin = designateAt(server);
    await plugin.check(signal);
    const FQDN = `${"a.".repeat(100)}cloud.example.com`;
    const Addresses = [{ address: "2001:db8::1", mac: null, type: "fixed", network: "n", version: 6 }] as const;
    requests = 0;
    await tell(plugin, sampleEvent({ detail: { FQDN, Addresses } }));
    assert.equal((await plain()).length, 2);
    assert.ok(requests <= 12, `${requests} requests`);
  } finally {
    server.handle = whole;
  }
});

Deno.test("Designate: of two installations that want a free name at the same time, one gets it", async () => {
  const [one, two] = ["one", "two"].map((owner) => designateAt(server, { owner, ptr: false })) as [
    Designate,
    Designate,
  ];
  // Both have read that it is free, when the second one writes.
  using _race = before(
    ({ method, path }) => method === "POST" && path.startsWith("/v2"),
    () => tell(two, sampleEvent({ server: 2, detail: { FQDN: "web-1.cloud.example.com" } })),
  );
  await assert.rejects(tell(one, sampleEvent()), {
    name: "PermanentError",
    message: /it belongs to another installation, owner=two;/,
  });
  assert.deepEqual(await plain(), ["web-1.cloud.example.com A 10.0.0.2"]);
});

Deno.test("Designate: a name is given back when somebody was faster with one of its records", async () => {
  using _race = before(
    ({ method, body }) => method === "POST" && body.includes('"A"'),
    () => server.nsupdate(["zone cloud.example.com", "update add web-1.cloud.example.com. 60 A 10.9.9.9"]),
  );
  await assert.rejects(tell(designateAt(server), sampleEvent()), {
    name: "PermanentError",
    message: /^Cannot write "web-1\.cloud\.example\.com": it belongs to somebody else;/,
  });
  assert.deepEqual(await server.records(), ["web-1.cloud.example.com A 10.9.9.9"]);
});

Deno.test("Designate: an owner's record is read again, however many addresses it lists", async () => {
  const plugin = designateAt(server, { ptr: false });
  const Addresses = Array.from({ length: 12 }, (_, index) => ({
    ...{ address: `2001:db8:aaaa:bbbb:cccc:dddd:eeee:${index + 1}`, mac: null, network: "n", version: 6 } as const,
    type: "fixed" as const,
  }));
  for (let time = 0; time < 2; time++) await tell(plugin, sampleEvent({ detail: { Addresses } }));
  assert.equal((await plain()).length, 12);
  const changed = sampleEvent({ detail: { Addresses: Addresses.slice(3) } });
  await tell(plugin, changed);
  assert.equal((await plain()).length, 9);
  await tell(plugin, sampleEvent({ created: false, detail: { Addresses } }));
  assert.deepEqual(await server.records(), []);
});

Deno.test("Designate: a quota that is reached, and a zone that is missing, are told with what to do", async () => {
  const project = (await server.designate.admin()).projectId;
  await server.call("PATCH", `/quotas/${project}`, { zone_recordsets: 2 }, { "X-Auth-All-Projects": "true" });
  try {
    await assert.rejects(tell(designateAt(server), sampleEvent()), {
      name: "DeliveryError",
      reason: "client_error",
      message: /: 413: .*; raise the quota of the zone's project \(openstack dns quota set\)$/,
    });
  } finally {
    await server.call("PATCH", `/quotas/${project}`, { zone_recordsets: 500 }, { "X-Auth-All-Projects": "true" });
  }
  await tell(designateAt(server), sampleEvent());
  const lacking = designateAt(server, { zones: [...ZONES, "elsewhere.example.org"] });
  await assert.rejects(lacking.check(signal), {
    reason: "client_error",
    message:
      'Cannot find the zone "elsewhere.example.org" in Designate: the login\'s project has none; make it, or set zones',
  });
});

Deno.test("Designate: a login that is refused, or lacks something, is told and tried again", async () => {
  const openstack = server.login(server.frontPort);
  const wrong = new Designate({ openstack: { ...openstack, password: "wrong" }, zones: ZONES });
  await assert.rejects(tell(wrong, sampleEvent()), { reason: "unauthorized", message: /^Cannot log in at Keystone / });
  const elsewhere = new Designate({ openstack: { ...openstack, region: "nowhere" }, zones: ZONES });
  await assert.rejects(tell(elsewhere, sampleEvent()), {
    reason: "client_error",
    message: /^Cannot find Designate \(dns\) in the catalog of Keystone /,
  });
  const { authUrl: _authUrl, ...more } = openstack;
  await assert.rejects(tell(new Designate({ openstack: { ...more, cloud: "no-such" }, zones: ZONES }), sampleEvent()), {
    reason: "client_error",
  });
});
