import assert from "node:assert/strict";
import type { OptionalKey } from "../../src/model/detail.ts";
import { OPTIONAL_KEYS } from "../../src/model/detail.ts";
import type { ServerSnapshot } from "../../src/model/event.ts";
import type { ServerMemory } from "../../src/model/memory.ts";
import type { JsonObject, Notification } from "../../src/model/notification.ts";
import { came, floatingIpIs, notification, portGone, portIs, Story, went } from "../support/stories.ts";

/** Some seconds on one day. */
function at(seconds: number): { readonly time: string } {
  return { time: new Date(Date.UTC(2026, 10, 21, 19, 0, seconds)).toISOString() };
}

/** `compute.instance.update`. */
function changed(payload: JsonObject, seconds: number): Notification {
  return notification("compute.instance.update", { instance_id: "a", state: "active", ...payload }, at(seconds));
}

/** `instance.update`. */
function changedVersioned(data: JsonObject, seconds: number, operation = "update"): Notification {
  const payload = { "nova_object.data": { uuid: "a", state: "active", ...data } };
  return notification(`instance.${operation}`, payload, at(seconds));
}

/** `ip_addresses` of a versioned notification, of ports by their ids. */
function addressesOf(ports: Readonly<Record<string, readonly string[]>>): JsonObject {
  return {
    ip_addresses: Object.entries(ports).flatMap(([port, addresses]) =>
      addresses.map((address) => ({
        "nova_object.data": { address, mac: macOf(port), port_uuid: port, label: "net", version: versionOf(address) },
      }))
    ),
  };
}

/** `port.update.end` of a port of server `a`, or of another, with these addresses. */
function port(
  id: string,
  { server = "a", addresses = [], revision = null, more = {} }: {
    readonly server?: string | null;
    readonly addresses?: readonly string[];
    readonly revision?: number | null;
    readonly more?: JsonObject;
  },
): Notification {
  const fixed_ips = addresses.map((address) => ({ ip_address: address }));
  return portIs(id, { server, revision, more: { mac_address: macOf(id), fixed_ips, ...more } });
}

function macOf(port: string): string {
  return `fa:16:3e:00:00:0${port.slice(1)}`;
}

function versionOf(address: string): number {
  return address.includes(":") ? 6 : 4;
}

/** What is told of a server that changes. */
class Changes extends Story {
  constructor(optional: readonly OptionalKey[] = []) {
    super({ follows: true, optional: new Set(optional) });
  }

  /** The server's snapshot after these notifications. */
  after(...notifications: readonly Notification[]): ServerSnapshot {
    for (const notification of notifications) this.tell(notification);
    return this.server.snapshot;
  }

  /** Its addresses after these notifications. */
  addressesAfter(...notifications: readonly Notification[]): string[] {
    return this.after(...notifications).addresses.map(({ address }) => address);
  }

  get server(): ServerMemory {
    return this.memory.server("a") as ServerMemory;
  }
}

const CREATED = came("a", {
  hostname: "alpha",
  vcpus: 1,
  image_ref_url: "http://glance/images/old",
  image_meta: { base_image_ref: "old", os_distro: "debian" },
  fixed_ips: [{ address: "10.0.0.5", vif_mac: macOf("p1"), label: "net", version: 4, type: "fixed" }],
}, at(0));

Deno.test("decide() takes over what a message states of a server, in both formats", () => {
  const told = new Changes();
  told.tell(CREATED);
  assert.equal(told.after(changed({ hostname: "beta" }, 1)).hostname, "beta");
  assert.equal(told.after(changedVersioned({ host_name: "gamma" }, 2)).hostname, "gamma");
  assert.equal(told.server.stated?.server, at(2).time);
});

Deno.test("decide() says which servers a message has changed, and none for a repetition", () => {
  const told = new Changes();
  assert.equal(told.tell(CREATED).changedServers, undefined);
  assert.deepEqual(told.tell(changed({ hostname: "beta" }, 1)).changedServers, ["a"]);
  assert.equal(told.tell(changed({ hostname: "beta" }, 2)).changedServers, undefined);
  assert.equal(told.outcome(changed({ hostname: "gamma" }, 3)), "remembered: the state of a server");
});

Deno.test("decide() takes the newer of two statements by their times, and completes it from the older", () => {
  for (const order of [[1, 0], [0, 1]]) {
    const told = new Changes();
    told.tell(CREATED);
    const both = [changed({ hostname: "beta", metadata: { a: "1" } }, 1), changed({ hostname: "gamma", vcpus: 2 }, 2)];
    for (const which of order) told.tell(both[which] as Notification);
    const { hostname, vcpus, metadata } = told.server.snapshot;
    assert.deepEqual([hostname, vcpus, metadata], ["gamma", 2, { a: "1" }], `${order}`);
  }
});

Deno.test("decide() lets a late creation undo nothing that was stated after it", () => {
  const told = new Changes();
  told.tell(changed({ hostname: "beta", vcpus: 1 }, 2));
  assert.equal(told.server.creationSeen, false);
  const [event] = told.tell(CREATED).events;
  assert.equal(event?.server.hostname, "beta");
  assert.deepEqual(event?.server.addresses.map(({ address }) => address), ["10.0.0.5"]);
  assert.equal(told.server.creationSeen, true);
});

Deno.test("decide() remembers nothing of an unknown server that is not built, and nothing of a deleted one", () => {
  const told = new Changes();
  for (const state of ["building", "error", "deleted", "soft-delete", null]) {
    assert.match(told.outcome(changed({ state }, 1)), /not built yet, or no longer there/);
    assert.equal(told.memory.server("a"), undefined, `${state}`);
  }
  told.tell(CREATED);
  told.tell(went("a", {}, at(1)));
  assert.match(told.outcome(changed({ hostname: "beta" }, 2)), /deletion was recorded before/);
  assert.equal(told.server.snapshot.hostname, "alpha");
});

Deno.test("decide() takes the description from versioned messages alone, by its own time", () => {
  const told = new Changes();
  told.tell(CREATED);
  assert.equal(told.after(changedVersioned({ display_description: "room 4" }, 1)).description, "room 4");
  assert.equal(told.after(changed({ hostname: "beta" }, 3)).description, "room 4");
  assert.equal(told.after(changedVersioned({ display_description: "room 5" }, 2)).description, "room 5");
  assert.equal(told.server.snapshot.hostname, "beta");
  assert.equal(told.after(changedVersioned({ display_description: "room 4" }, 1)).description, "room 5");
});

Deno.test("decide() takes an empty description in a versioned message for one that was removed", () => {
  for (const nothing of [null, ""]) {
    const told = new Changes();
    told.tell(CREATED);
    told.tell(changedVersioned({ display_description: "room 4" }, 1));
    assert.equal(told.after(changedVersioned({ display_description: nothing }, 2)).description, null);
    assert.equal(told.after(changedVersioned({ display_description: "room 4" }, 1)).description, null);
  }
});

Deno.test("decide() forgets the facts about the image at a rebuild, until a message states those of the new one", () => {
  const told = new Changes();
  told.tell(CREATED);
  const rebuilt = told.after(changedVersioned({ image_uuid: "new" }, 2, "rebuild.end"));
  assert.deepEqual([rebuilt.imageId, rebuilt.imageOsDistro], ["new", null]);
  // Nova still sends the facts of the image before.
  const old = { base_image_ref: "old", os_distro: "debian" };
  assert.equal(told.after(changed({ image_ref_url: "images/new", image_meta: old }, 1)).imageOsDistro, null);
  const stated = { image_ref_url: "images/new", image_meta: { base_image_ref: "new", os_distro: "fedora" } };
  assert.equal(told.after(changed(stated, 1)).imageOsDistro, "fedora");
});

Deno.test("decide() takes no image from an audit, which names the former one during a rebuild", () => {
  const told = new Changes();
  told.tell(CREATED);
  const rebuilding = { image_ref_url: "images/new", image_meta: { base_image_ref: "new", os_distro: "fedora" } };
  told.tell(changed(rebuilding, 1));
  const audit = { image_ref_url: "images/old", image_meta: { base_image_ref: "old", os_distro: "debian" } };
  const exists = notification("compute.instance.exists", { instance_id: "a", ...audit, hostname: "beta" }, at(2));
  const { imageId, imageOsDistro, hostname } = told.after(exists);
  assert.deepEqual([imageId, imageOsDistro, hostname], ["new", "fedora", "beta"]);
});

Deno.test("decide() takes no image from a shelved server, which is spawned from a snapshot", () => {
  for (
    const spawning of [
      changed(
        { state: "shelved_offloaded", image_ref_url: "images/snapshot", image_meta: { base_image_ref: "old" } },
        1,
      ),
      changedVersioned({ state: "shelved_offloaded", image_uuid: "snapshot" }, 1),
    ]
  ) {
    const told = new Changes();
    told.tell(CREATED);
    const { imageId, imageOsDistro } = told.after(spawning);
    assert.deepEqual([imageId, imageOsDistro], ["old", "debian"]);
  }
});

Deno.test("decide() takes the newer of two images, whatever a shelved server's message has stated since", () => {
  const old = { image_ref_url: "images/old", image_meta: { base_image_ref: "old", os_distro: "debian" } };
  const rebuilt = { image_ref_url: "images/new", image_meta: { base_image_ref: "new", os_distro: "fedora" } };
  const told = new Changes();
  told.tell(changed({ state: "shelved_offloaded", ...old }, 3));
  told.tell(came("a", old, at(0)));
  const { imageId, imageOsDistro } = told.after(changed(rebuilt, 1));
  assert.deepEqual([imageId, imageOsDistro], ["new", "fedora"]);
});

Deno.test("decide() takes the optional keys that are asked for, and a host of null while a server is shelved", () => {
  const told = new Changes(["Host", "Status"]);
  told.tell(came("a", { host: "host-1", state: "active", display_name: "A" }, at(0)));
  assert.deepEqual(told.server.snapshot.optional, { Host: "host-1", Status: "ACTIVE" });
  const shelved = notification("compute.instance.shelve_offload.end", {
    instance_id: "a",
    host: null,
    state: "shelved_offloaded",
  }, at(2));
  assert.deepEqual(told.after(shelved).optional, { Host: null, Status: "SHELVED_OFFLOADED" });
  assert.deepEqual(told.after(changed({ host: "host-1" }, 1)).optional, { Host: null, Status: "SHELVED_OFFLOADED" });
  const back = changedVersioned({ host: "host-2", state: "stopped" }, 3);
  assert.deepEqual(told.after(back).optional, { Host: "host-2", Status: "SHUTOFF" });
});

Deno.test("decide() follows the status of a server that is deleted softly, in both formats", () => {
  const legacy = { instance_id: "a", state: "soft-delete" };
  const versioned = { "nova_object.data": { uuid: "a", state: "soft-delete" } };
  for (
    const deletion of [
      notification("compute.instance.soft_delete.end", legacy, at(1)),
      notification("instance.soft_delete.end", versioned, at(1)),
    ]
  ) {
    const told = new Changes(["Status"]);
    told.tell(came("a", { state: "active" }, at(0)));
    assert.deepEqual(told.after(deletion).optional, { Status: "SOFT_DELETED" });
    assert.equal(told.server.deleted, false);
  }
});

Deno.test("decide() keeps no optional key that is not asked for", () => {
  const told = new Changes();
  assert.equal("optional" in told.after(came("a", { host: "host-1" }, at(0))), false);
});

Deno.test("decide() reads every optional key in both formats", () => {
  const state = { display_name: "A", availability_zone: "z", host: "h", state: "resized" };
  const expected = { Name: "A", Zone: "z", Host: "h", Status: "VERIFY_RESIZE", Flavor: "m1" };
  const legacy = came("a", { ...state, instance_type: "m1" }, at(0));
  const flavor = { "nova_object.data": { name: "m1" } };
  const versioned = notification(
    "instance.create.end",
    { "nova_object.data": { uuid: "a", ...state, flavor } },
    at(0),
  );
  for (const created of [legacy, versioned]) {
    assert.deepEqual(new Changes(OPTIONAL_KEYS).after(created).optional, expected);
  }
});

Deno.test("decide() keeps names of owner and creator, which a message of another's action lacks", () => {
  const told = new Changes();
  const actor = { userId: "u", userName: "alice", projectId: "p", projectName: "physics", requestId: null };
  const owner = { tenant_id: "p", user_id: "u" };
  told.tell(came("a", owner, { ...at(0), actor: { ...actor, remoteAddress: "192.0.2.1" } }));
  const { userName, projectName, remoteAddress } = told.after(changed(owner, 1));
  assert.deepEqual([userName, projectName, remoteAddress], ["alice", "physics", "192.0.2.1"]);
});

// Ports

Deno.test("decide() gives a server the addresses of a port that is attached, and takes them with the port", () => {
  const told = new Changes();
  told.tell(CREATED);
  const attached = port("p2", { addresses: ["10.0.0.6"], revision: 1 });
  assert.deepEqual(told.tell(attached).changedServers, ["a"]);
  assert.deepEqual(told.addressesAfter(), ["10.0.0.5", "10.0.0.6"]);
  assert.deepEqual(told.server.snapshot.addresses[1], {
    address: "10.0.0.6",
    mac: macOf("p2"),
    type: "fixed",
    network: null,
    version: 4,
  });
  assert.deepEqual(told.addressesAfter(port("p2", { server: null, addresses: ["10.0.0.6"], revision: 2 })), [
    "10.0.0.5",
  ]);
});

Deno.test("decide() takes the addresses of a deleted port", () => {
  const told = new Changes();
  told.tell(CREATED);
  told.tell(port("p1", { addresses: ["10.0.0.5"], revision: 1 }));
  assert.deepEqual(told.addressesAfter(portGone("p1", { server: "a", more: { mac_address: macOf("p1") } })), []);
});

Deno.test("decide() gives a server a second address of its port, behind the first, and takes it", () => {
  const told = new Changes();
  told.tell(CREATED);
  told.tell(port("p2", { addresses: ["10.0.0.6"], revision: 1 }));
  const second = port("p1", { addresses: ["10.0.0.5", "10.0.0.7"], revision: 2 });
  assert.deepEqual(told.addressesAfter(second), ["10.0.0.5", "10.0.0.7", "10.0.0.6"]);
  assert.equal(told.server.snapshot.addresses[1]?.network, "net");
  assert.deepEqual(told.addressesAfter(port("p1", { addresses: ["10.0.0.7"], revision: 3 })), ["10.0.0.7", "10.0.0.6"]);
});

Deno.test("decide() puts a port's new address where its former one was", () => {
  const told = new Changes();
  told.tell(CREATED);
  told.tell(port("p2", { addresses: ["10.0.0.6"], revision: 1 }));
  assert.deepEqual(told.addressesAfter(port("p1", { addresses: ["10.0.0.9"], revision: 2 })), ["10.0.0.9", "10.0.0.6"]);
});

Deno.test("decide() adds an IPv6 address that comes later", () => {
  const told = new Changes();
  told.tell(CREATED);
  told.tell(port("p1", { addresses: ["10.0.0.5", "2001:db8::5"], revision: 2 }));
  assert.deepEqual(told.server.snapshot.addresses.map(({ address, version }) => [address, version]), [
    ["10.0.0.5", 4],
    ["2001:db8::5", 6],
  ]);
});

Deno.test("decide() follows the ports of versioned messages where Neutron sends nothing of them", () => {
  const told = new Changes();
  told.tell(CREATED);
  const attach = changedVersioned(addressesOf({ p1: ["10.0.0.5"], p2: ["10.0.0.6"] }), 1, "interface_attach.end");
  assert.deepEqual(told.addressesAfter(attach), ["10.0.0.5", "10.0.0.6"]);
  assert.equal(told.server.snapshot.addresses[1]?.network, "net");
  const detach = changedVersioned(addressesOf({ p2: ["10.0.0.6"] }), 2, "interface_detach.end");
  assert.deepEqual(told.addressesAfter(detach), ["10.0.0.6"]);
});

Deno.test("decide() lets Neutron's messages of a port count more than Nova's of its addresses", () => {
  const told = new Changes();
  told.tell(CREATED);
  told.tell(port("p1", { addresses: ["10.0.0.5"], revision: 1 }));
  told.tell(port("p1", { server: null, addresses: ["10.0.0.5"], revision: 2 }));
  // Nova has not noticed yet.
  assert.deepEqual(told.addressesAfter(changedVersioned(addressesOf({ p1: ["10.0.0.5"] }), 3)), []);
  assert.deepEqual(told.addressesAfter(portGone("p1", { server: null, more: { mac_address: macOf("p1") } })), []);
  assert.deepEqual(told.addressesAfter(changedVersioned(addressesOf({ p1: ["10.0.0.5"] }), 4)), []);
});

Deno.test("decide() takes the addresses of a port that moves to another server with one message", () => {
  const told = new Changes();
  told.tell(CREATED);
  told.tell(came("b", {}, at(0)));
  told.tell(port("p1", { addresses: ["10.0.0.5"], revision: 1 }));
  const moved = told.tell(port("p1", { server: "b", addresses: ["10.0.0.5"], revision: 3 }));
  assert.deepEqual(moved.changedServers?.toSorted(), ["a", "b"]);
  assert.deepEqual(told.addressesAfter(), []);
  assert.deepEqual(told.memory.server("b")?.snapshot.addresses.map(({ address }) => address), ["10.0.0.5"]);
  assert.deepEqual(told.addressesAfter(changedVersioned(addressesOf({ p1: ["10.0.0.5"] }), 4)), []);
});

Deno.test("decide() keeps what it knows of a port without a revision, which is known from its floating IP", () => {
  const told = new Changes();
  told.tell(CREATED);
  told.tell(floatingIpIs("f", { port: "p1", server: "a", more: { fixed_ip_address: "10.0.0.7" } }));
  assert.deepEqual(told.addressesAfter(), ["10.0.0.5", "10.0.0.7"]);
});

Deno.test("decide() takes the former addresses of a port with the first message of Neutron that states its addresses", () => {
  const told = new Changes();
  told.tell(changedVersioned(addressesOf({ p1: ["10.0.0.9"] }), 2, "interface_attach.end"));
  // The creation comes late, with an address that the port has no more.
  told.tell(CREATED);
  assert.deepEqual(told.addressesAfter(), ["10.0.0.5", "10.0.0.9"]);
  assert.deepEqual(told.addressesAfter(port("p1", { addresses: ["10.0.0.9"], revision: 2 })), ["10.0.0.9"]);
});

Deno.test("decide() ignores a late message of a port", () => {
  const told = new Changes();
  told.tell(CREATED);
  told.tell(port("p2", { server: null, addresses: ["10.0.0.6"], revision: 2 }));
  assert.deepEqual(told.addressesAfter(port("p2", { addresses: ["10.0.0.6"], revision: 1 })), ["10.0.0.5"]);
});

Deno.test("decide() completes a creation with no address of a port that has left", () => {
  const told = new Changes();
  told.tell(port("p1", { addresses: ["10.0.0.5"], revision: 1 }));
  told.tell(port("p1", { server: null, addresses: ["10.0.0.5"], revision: 2 }));
  const data = addressesOf({ p1: ["10.0.0.5"] });
  told.tell(notification("instance.create.end", { "nova_object.data": { uuid: "a", ...data } }, at(0)));
  assert.deepEqual(told.tell(CREATED).fill?.server.addresses, []);
});

Deno.test("decide() takes the second format of a creation for no sign that its port is back", () => {
  const told = new Changes();
  const data = addressesOf({ p1: ["10.0.0.5"] });
  told.tell(notification("instance.create.end", { "nova_object.data": { uuid: "a", ...data } }, at(0)));
  told.tell(port("p1", { addresses: ["10.0.0.5"], revision: 1 }));
  told.tell(port("p1", { server: null, addresses: ["10.0.0.5"], revision: 2 }));
  assert.deepEqual(told.addressesAfter(CREATED), []);
});

Deno.test("decide() gives a late creation the ports that are attached by then, and no others", () => {
  const told = new Changes();
  told.tell(port("p1", { server: null, addresses: ["10.0.0.5"], revision: 3 }));
  told.tell(port("p2", { addresses: ["10.0.0.6"], revision: 1 }));
  assert.deepEqual(told.addressesAfter(CREATED), ["10.0.0.5", "10.0.0.6"]);
  const other = new Changes();
  other.tell(port("p1", { addresses: ["10.0.0.5"], revision: 1 }));
  other.tell(port("p1", { server: null, addresses: ["10.0.0.5"], revision: 3 }));
  other.tell(port("p2", { addresses: ["10.0.0.6"], revision: 1 }));
  assert.deepEqual(other.addressesAfter(CREATED), ["10.0.0.6"]);
});

const DNS = { dns_assignment: [{ hostname: "alpha", fqdn: "alpha.example.com." }] };

Deno.test("decide() takes the DNS name of a port that is named after the server", () => {
  const told = new Changes();
  told.tell(CREATED);
  const named = port("p1", { addresses: ["10.0.0.5"], revision: 2, more: DNS });
  assert.equal(told.after(named).dnsName, "alpha.example.com");
});

Deno.test("decide() forgets a DNS name with the hostname that it was made of", () => {
  const told = new Changes();
  told.tell(CREATED);
  told.tell(port("p1", { addresses: ["10.0.0.5"], revision: 2, more: DNS }));
  assert.equal(told.after(changed({ hostname: "beta" }, 1)).dnsName, null);
  const renamed = { dns_assignment: [{ hostname: "beta", fqdn: "beta.example.com." }] };
  assert.equal(
    told.after(port("p1", { addresses: ["10.0.0.5"], revision: 3, more: renamed })).dnsName,
    "beta.example.com",
  );
  assert.equal(told.after(changed({ hostname: "alpha" }, 2)).dnsName, null);
  assert.equal(
    told.after(port("p1", { addresses: ["10.0.0.5"], revision: 4, more: DNS })).dnsName,
    "alpha.example.com",
  );
});

Deno.test("decide() says that a floating IP has changed its server, and an edit of it has not", () => {
  const told = new Changes();
  told.tell(CREATED);
  const associated = floatingIpIs("f", { port: "p1", server: "a" });
  assert.deepEqual(told.tell(associated).changedServers, ["a"]);
  assert.equal(told.tell(floatingIpIs("f", { port: "p1", server: "a" })).changedServers, undefined);
  assert.deepEqual(told.tell(floatingIpIs("f")).changedServers, ["a"]);
});

Deno.test("decide() lets a message of a clock that is far ahead undo nothing that others state later", () => {
  const latestStatement = at(10).time;
  const story = new Story({ follows: true, latestStatement });
  story.tell(CREATED);
  story.tell(changed({ hostname: "beta" }, 3000));
  assert.equal(story.memory.server("a")?.stated?.server, latestStatement);
  story.tell(changed({ hostname: "gamma" }, 11));
  assert.equal(story.memory.server("a")?.snapshot.hostname, "gamma");
});

Deno.test("decide() marks events of a server whose changes were followed, also where they are not any more", () => {
  const followed = new Story({ follows: true });
  followed.tell(CREATED);
  followed.tell(changed({ hostname: "beta" }, 1));
  const later = new Story();
  later.memory.apply({ servers: [followed.memory.server("a") as ServerMemory], ports: [], floatingIps: [] });
  const [deletion] = later.tell(went("a", {}, at(2))).events;
  assert.equal(deletion?.updates, 0);
  const [plain] = new Story().tell(CREATED).events;
  assert.equal(plain?.updates, undefined);
});
