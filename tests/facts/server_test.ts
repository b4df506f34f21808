import assert from "node:assert/strict";
import type { JsonObject, Notification } from "../../src/model/notification.ts";
import { unknownServer } from "../../src/model/snapshot.ts";
import {
  ADDRESS,
  came,
  cameVersioned,
  floatingIpIs,
  MAC,
  NOBODY,
  notification,
  portGone,
  portIs,
  Story,
  went,
  wentVersioned,
} from "../support/stories.ts";

Deno.test("decide() announces that a server came", () => {
  const [event, ...others] = new Story().tell(came("a", { hostname: "alpha" }, { messageId: "m" })).events;
  assert.equal(others.length, 0);
  assert.equal(event?.key, "server/a/creation");
  assert.equal(event.subject, "server");
  assert.equal(event.created, true);
  assert.equal(event.creationSeen, true);
  assert.equal(event.messageId, "m");
  assert.equal(event.floatingIp, null);
  assert.deepEqual(event.floatingIps, []);
  assert.equal(event.server.hostname, "alpha");
});

Deno.test("decide() announces that a server went", () => {
  const story = new Story();
  story.tell(came("a"));
  const [event, ...others] = story.tell(went("a")).events;
  assert.equal(others.length, 0);
  assert.equal(event?.key, "server/a/deletion");
  assert.equal(event.created, false);
  assert.equal(event.creationSeen, true);
});

Deno.test("decide() gives an event without a readable time the beginning of 1970", () => {
  const [event] = new Story().tell(came("a", {}, { time: null })).events;
  assert.equal(event?.time, "1970-01-01T00:00:00.000Z");
});

Deno.test("decide() takes both formats of a creation for one fact, in any order", () => {
  for (const [first, second] of [[came("a"), cameVersioned("a")], [cameVersioned("a"), came("a")]] as const) {
    const story = new Story();
    assert.deepEqual(story.keys(first), ["server/a/creation"]);
    assert.equal(story.outcome(second), "repeated: another message of server/a/creation");
  }
});

Deno.test("decide() takes both formats of a deletion for one fact, in any order", () => {
  for (const [first, second] of [[went("a"), wentVersioned("a")], [wentVersioned("a"), went("a")]] as const) {
    const story = new Story();
    story.tell(came("a"));
    assert.deepEqual(story.keys(first), ["server/a/deletion"]);
    assert.equal(story.outcome(second), "repeated: another message of server/a/deletion");
  }
});

Deno.test("decide() announces a forced deletion of a server that no living host has, once", () => {
  const story = new Story();
  story.tell(came("a", { hostname: "alpha", fixed_ips: [{ address: "10.0.0.5", vif_mac: MAC }] }));
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  const forced = notification("compute.instance.force_delete.end", { instance_id: "a", state: "deleted" });
  const { events } = story.tell(forced);
  assert.deepEqual(events.map(({ key }) => key), ["floatingip/f/2/deletion", "server/a/deletion"]);
  assert.deepEqual(events[1]?.server.addresses.map(({ address }) => address), ["10.0.0.5"]);
  assert.equal(story.outcome(went("a")), "repeated: another message of server/a/deletion");
});

for (
  const [what, publisherId, host, keys] of [
    ["of the server's own host as nothing", "compute.host-1", "host-1", []],
    ["of the server's own host with a domain as nothing", "compute.host-1.example.org", "host-1.example.org", []],
    ["of the server's own host in other letters as nothing", "compute.Host-1", "host-1", []],
    ["without a publisher as nothing", "", "host-1", []],
    ["of a publisher that names no host as nothing", "compute", "host-1", []],
    ["that does not say which host has the server as nothing", "compute.host-1", undefined, []],
    ["of nova-api as a deletion (up to Pike)", "compute.ctl-1", "host-1", ["server/a/deletion"]],
    ["of nova-api for a server without a host as a deletion (up to Pike)", "compute.ctl-1", null, [
      "server/a/deletion",
    ]],
  ] as const
) {
  Deno.test(`decide() takes a soft deletion ${what}`, () => {
    const story = new Story();
    story.tell(came("a"));
    const payload = { instance_id: "a", ...(host === undefined ? {} : { host }) };
    const deletion = notification("compute.instance.soft_delete.end", payload, { publisherId });
    assert.deepEqual(story.keys(deletion), keys);
  });
}

const FAILED_BUILDS: Readonly<Record<string, Notification>> = {
  "with an exception": came("a", {
    exception: "UnexpectedDeletingTaskStateError()",
    message: "Build of instance aborted",
  }),
  "with an exception that is an object": came("a", { exception: { kwargs: {} }, state: "active" }),
  "with a message while it is still building": came("a", { message: "Build of instance aborted", state: "building" }),
  "with a fault in the versioned format": cameVersioned("a", {
    fault: { "nova_object.data": { exception: "Aborted" } },
  }),
};

for (const [what, message] of Object.entries(FAILED_BUILDS)) {
  Deno.test(`decide() takes a create.end ${what} for no creation`, () => {
    const story = new Story();
    assert.equal(story.outcome(message), "remembered: the build of the server failed");
    assert.deepEqual(story.keys(came("a", { message: "Success", state: "active" })), ["server/a/creation"]);
  });
}

for (
  const [what, message] of Object.entries({
    "whose message is translated": came("a", { message: "成功", state: "active", exception: "" }),
    "without message or state": came("a", { exception: null }),
    "without a fault in the versioned format": cameVersioned("a", { fault: null, state: "active" }),
  })
) {
  Deno.test(`decide() takes a create.end ${what} for a creation`, () => {
    assert.deepEqual(new Story().keys(message), ["server/a/creation"]);
  });
}

Deno.test("decide() takes a second deletion with another message id for a repetition", () => {
  const story = new Story();
  story.tell(came("a"));
  story.tell(went("a", {}, { messageId: "first" }));
  const { outcome, events } = story.tell(went("a", {}, { messageId: "second" }));
  assert.equal(outcome, "repeated");
  assert.deepEqual(events, []);
});

Deno.test("decide() takes a creation after the server's deletion for superseded", () => {
  const story = new Story();
  assert.deepEqual(story.keys(went("a")), ["server/a/deletion (unseen)"]);
  for (const late of [came("a"), cameVersioned("a")]) {
    assert.equal(
      story.outcome(late),
      "superseded: the server's deletion was recorded before its creation",
    );
  }
  assert.equal(story.memory.server("a")?.creationSeen, false);
});

Deno.test("decide() fills what the first format left open from the second", () => {
  const story = new Story();
  story.tell(came("a", { hostname: "alpha", image_meta: { os_distro: "debian" } }));
  const { fill } = story.tell(cameVersioned("a", { host_name: "other", display_description: "room 4" }));
  assert.equal(fill?.key, "server/a/creation");
  assert.equal(fill.server.description, "room 4");
  assert.equal(fill.server.imageOsDistro, "debian");
  assert.equal(fill.server.hostname, "alpha");
  assert.equal(story.memory.server("a")?.snapshot.description, "room 4");
});

Deno.test("decide() fills the image's system from the legacy format when the versioned one came first", () => {
  const story = new Story();
  story.tell(cameVersioned("a", { host_name: "alpha", display_description: "room 4" }));
  const { fill } = story.tell(came("a", { image_meta: { os_distro: "debian", os_version: "12" } }));
  assert.equal(fill?.server.imageOsDistro, "debian");
  assert.equal(fill.server.imageOsVersion, "12");
  assert.equal(fill.server.description, "room 4");
});

Deno.test("decide() fills a deletion from its second message", () => {
  const story = new Story();
  story.tell(went("a", { hostname: "alpha" }));
  const { fill } = story.tell(wentVersioned("a", { display_description: "room 4" }));
  assert.equal(fill?.key, "server/a/deletion");
  assert.equal(fill.server.description, "room 4");
  assert.equal(fill.server.hostname, "alpha");
});

Deno.test("decide() learns ports and begins their associations from a repeated creation", () => {
  const story = new Story();
  story.tell(came("a"));
  story.tell(floatingIpIs("f", { port: "1" }));
  const addresses = { ip_addresses: [{ "nova_object.data": { address: "10.0.0.5", port_uuid: "1", mac: MAC } }] };
  const { outcome, events, fill } = story.tell(cameVersioned("a", addresses));
  assert.equal(outcome, "event");
  assert.deepEqual(events.map(({ key }) => key), ["floatingip/f/1/creation"]);
  assert.equal(fill?.key, "server/a/creation");
});

Deno.test("decide() does not let Nova's message overrule what Neutron said of a port", () => {
  const story = new Story();
  story.tell(portIs("1", { server: "b", revision: 3 }));
  story.tell(cameVersioned("a", { ip_addresses: [{ "nova_object.data": { address: "10.0.0.9", port_uuid: "1" } }] }));
  assert.equal(story.memory.port("1")?.serverId, "b");
});

Deno.test("decide() makes a deletion carry identity as created, metadata and sizes of its own message", () => {
  const story = new Story();
  const actor = {
    ...NOBODY,
    userId: "u",
    userName: "alice",
    projectId: "p",
    projectName: "physics",
    remoteAddress: "192.0.2.1",
  };
  const created: JsonObject = {
    hostname: "alpha",
    tenant_id: "p",
    user_id: "u",
    memory_mb: 2048,
    disk_gb: 20,
    vcpus: 1,
    created_at: "2026-11-21 19:13:08+00:00",
    metadata: { owner: "alice" },
    fixed_ips: [{ address: "10.0.0.5", vif_mac: MAC, label: "net", version: 4, floating_ips: ["203.0.113.1"] }],
  };
  story.tell(came("a", created, { actor }));
  const gone = {
    hostname: "renamed",
    tenant_id: "p",
    user_id: "u",
    memory_mb: 4096,
    disk_gb: 40,
    vcpus: 2,
    metadata: { owner: "bob" },
  };
  const administrator = {
    ...NOBODY,
    userId: "root",
    userName: "admin",
    projectId: "x",
    projectName: "admin",
    remoteAddress: "192.0.2.9",
  };
  const [event] = story.tell(went("a", gone, { actor: administrator })).events;
  assert.deepEqual(
    event?.server,
    {
      ...event?.server,
      hostname: "alpha",
      userName: "alice",
      projectName: "physics",
      remoteAddress: "192.0.2.1",
      addresses: [{ address: "10.0.0.5", mac: MAC, type: "fixed", network: "net", version: 4 }],
      floatingAddress: "203.0.113.1",
      createdAt: "2026-11-21T19:13:08.000Z",
      ramGib: 4,
      storageGb: 40,
      vcpus: 2,
      metadata: { owner: "bob" },
    },
  );
});

Deno.test("decide() takes a deletion's names from its own message only if its actor owns the server", () => {
  const actor = { ...NOBODY, userId: "u", userName: "alice", projectId: "p", projectName: "physics" };
  const [own] = new Story().tell(went("a", { user_id: "u", tenant_id: "p" }, { actor })).events;
  assert.deepEqual([own?.server.userName, own?.server.projectName], ["alice", "physics"]);
  const [others] = new Story().tell(went("a", { user_id: "v", tenant_id: "q" }, { actor })).events;
  assert.deepEqual([others?.server.userName, others?.server.projectName], [null, null]);
});

Deno.test("decide() gives an unseen server's deletion the addresses of its ports", () => {
  const story = new Story();
  const more = {
    fixed_ips: [{ ip_address: "10.0.0.5" }, { ip_address: "2001:db8::5" }],
    dns_assignment: [{ hostname: "alpha", fqdn: "alpha.example.org." }],
  };
  story.tell(portGone("1", { server: "a", more }));
  const [event] = story.tell(went("a", { hostname: "alpha" })).events;
  assert.equal(event?.creationSeen, false);
  assert.equal(event.server.dnsName, "alpha.example.org");
  assert.deepEqual(event.server.addresses, [
    { address: "10.0.0.5", mac: MAC, type: "fixed", network: null, version: 4 },
    { address: "2001:db8::5", mac: MAC, type: "fixed", network: null, version: 6 },
  ]);
});

Deno.test("decide() gives a server the name of its port in the DNS", () => {
  const story = new Story();
  const more = { dns_assignment: [{ hostname: "alpha", fqdn: "alpha.example.org." }] };
  story.tell(portIs("1", { server: "a", more }));
  const [event] = story.tell(came("a", { hostname: "alpha" })).events;
  assert.equal(event?.server.dnsName, "alpha.example.org");
});

Deno.test("decide() does not give a server a name that Neutron made of an address", () => {
  const story = new Story();
  const more = { dns_assignment: [{ hostname: "host-10-0-0-5", fqdn: "host-10-0-0-5.example.org." }] };
  story.tell(portIs("1", { server: "a", more }));
  const [event] = story.tell(came("a", { hostname: "alpha" })).events;
  assert.equal(event?.server.dnsName, null);
});

Deno.test("decide() gives a server's event the floating IPs that it has then", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  const [event] = story.tell(came("a")).events;
  assert.deepEqual(event?.floatingIps, [{ id: "f", address: ADDRESS, fixedAddress: "10.0.0.5", mac: MAC }]);
});

Deno.test("decide() takes an unknown creation from before rules.oldestCreation for superseded", () => {
  const story = new Story({ oldestCreation: "2026-10-22T00:00:00.000Z" });
  assert.equal(
    story.outcome(came("a", {}, { time: "2026-10-21T23:59:59.999Z" })),
    "superseded: a creation of 2026-10-21T23:59:59.999Z from an old queue; nothing else is known of the server",
  );
  assert.equal(story.memory.server("a"), undefined);
});

Deno.test("decide() announces a creation from rules.oldestCreation on, or without a time", () => {
  for (const time of ["2026-10-22T00:00:00.000Z", "2026-11-21T00:00:00.000Z", null]) {
    const story = new Story({ oldestCreation: "2026-10-22T00:00:00.000Z" });
    assert.deepEqual(story.keys(came("a", {}, { time })), ["server/a/creation"]);
  }
});

Deno.test("decide() takes an old creation of a remembered server for a repetition", () => {
  const story = new Story({ oldestCreation: "2026-10-22T00:00:00.000Z" });
  story.tell(came("a"));
  const old = came("a", {}, { time: "2026-01-01T00:00:00.000Z" });
  assert.equal(story.outcome(old), "repeated: another message of server/a/creation");
});

Deno.test("decide() announces a deletion however old", () => {
  const story = new Story({ oldestCreation: "2026-10-22T00:00:00.000Z" });
  assert.deepEqual(story.keys(went("a", {}, { time: "2020-01-01T00:00:00.000Z" })), ["server/a/deletion (unseen)"]);
});

Deno.test("decide() refuses to make a server of a message that names none", () => {
  for (const message of [came(""), went(""), cameVersioned(""), wentVersioned("")]) {
    assert.equal(new Story().outcome(message), "remembered: the notification names no server");
  }
});

/** What stage 3 leaves of a server that only an association named, once Nova was asked for it. */
const LEARNED = {
  id: "a",
  creationSeen: false,
  deleted: false,
  snapshot: {
    ...unknownServer("a"),
    hostname: "alpha",
    description: "shop front",
    projectName: "web shop",
    vcpus: 8,
    addresses: [{ address: "10.0.0.99", mac: null, type: "fixed", network: null, version: 4 }],
  },
};

Deno.test("decide() keeps what was learned of a server before it came, but not where it is", () => {
  const story = new Story();
  story.memory.apply({ servers: [LEARNED], ports: [], floatingIps: [] });
  const [event] = story.tell(came("a", { hostname: "alpha", vcpus: 2 })).events;
  assert.equal(event?.key, "server/a/creation");
  assert.deepEqual(event.server, { ...LEARNED.snapshot, vcpus: 2, addresses: [] });
  assert.equal(story.memory.server("a")?.creationSeen, true);
});

Deno.test("decide() announces an old creation of a server that an association taught us", () => {
  const story = new Story({ oldestCreation: "2026-11-22T00:00:00.000Z" });
  assert.deepEqual(story.keys(came("b")), []);
  story.memory.apply({ servers: [LEARNED], ports: [], floatingIps: [] });
  assert.deepEqual(story.keys(came("a")), ["server/a/creation"]);
});
