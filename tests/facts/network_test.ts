import assert from "node:assert/strict";
import type { JsonObject } from "../../src/model/notification.ts";
import {
  ADDRESS,
  came,
  cameVersioned,
  floatingIpCame,
  floatingIpGone,
  floatingIpIs,
  floatingIpOf,
  MAC,
  notification,
  portCame,
  portGone,
  portIs,
  Story,
  went,
} from "../support/stories.ts";

Deno.test("decide() announces the end of an unknown floating IP that is free now", () => {
  const story = new Story();
  const [event, ...others] = story.tell(floatingIpIs("f")).events;
  assert.equal(others.length, 0);
  assert.equal(event?.key, "floatingip/f/1/deletion");
  assert.equal(event.creationSeen, false);
  assert.equal(event.server.id, null);
  assert.deepEqual(event.floatingIp, { id: "f", address: ADDRESS, fixedAddress: null, mac: null });
  assert.deepEqual(event.orderKeys, [`floating/${ADDRESS}`]);
});

Deno.test("decide() announces the end of an unknown floating IP once", () => {
  const story = new Story();
  story.tell(floatingIpIs("f"));
  assert.equal(
    story.outcome(floatingIpIs("f")),
    "remembered: the floating IP is free, as before",
  );
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "a" })), ["floatingip/f/2/creation"]);
});

Deno.test("decide() takes the creation of a free floating IP for no end", () => {
  assert.deepEqual(new Story().keys(floatingIpCame("f")), []);
});

Deno.test("decide() takes an unknown floating IP on a port of no server for no end", () => {
  assert.deepEqual(new Story().keys(floatingIpIs("f", { port: "1", server: null })), []);
});

Deno.test("decide() announces the end when an unknown floating IP is deleted on a server's port", () => {
  const story = new Story();
  story.tell(came("a", { hostname: "alpha" }));
  const [event, ...others] = story.tell(floatingIpGone("f", { port: "1", server: "a" })).events;
  assert.equal(others.length, 0);
  assert.equal(event?.key, "floatingip/f/1/deletion");
  assert.equal(event.creationSeen, false);
  assert.equal(event.server.hostname, "alpha");
  assert.deepEqual(event.floatingIp, { id: "f", address: ADDRESS, fixedAddress: "10.0.0.5", mac: MAC });
});

Deno.test("decide() announces that end also where Neutron sends no port_details and the port is remembered", () => {
  const story = new Story();
  story.tell(portIs("1", { server: "a" }));
  const [event] = story.tell(floatingIpGone("f", { port: "1" })).events;
  assert.equal(event?.key, "floatingip/f/1/deletion");
  assert.equal(event.server.id, "a");
  assert.equal(event.floatingIp?.mac, MAC);
});

Deno.test("decide() announces that end of a port without server if events.anyPort", () => {
  const story = new Story({ anyPort: true });
  assert.deepEqual(story.keys(floatingIpGone("f", { port: "1", server: null })), ["floatingip/f/1/deletion (unseen)"]);
});

Deno.test("decide() announces the end when a floating IP is deleted whose last association was missed", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  story.tell(floatingIpIs("f"));
  assert.deepEqual(story.keys(floatingIpGone("f", { port: "1", server: "a" })), ["floatingip/f/3/deletion (unseen)"]);
});

Deno.test("decide() takes the deletion of a free floating IP for no event", () => {
  const story = new Story();
  assert.equal(
    story.outcome(floatingIpGone("f")),
    "remembered: the floating IP was on no server when it was deleted",
  );
  assert.deepEqual(story.keys(floatingIpGone("g", { port: "1", server: null })), []);
});

Deno.test("decide() takes the deletion of a floating IP of a deleted server for no event", () => {
  const story = new Story();
  story.tell(went("a"));
  assert.deepEqual(story.keys(floatingIpGone("f", { port: "1", server: "a" })), []);
});

Deno.test("decide() takes a second deletion of a floating IP for a repetition", () => {
  const story = new Story();
  story.tell(floatingIpGone("f", { port: "1", server: "a" }));
  assert.equal(
    story.outcome(floatingIpGone("f", { port: "1", server: "a" })),
    "repeated: the floating IP's deletion was recorded before",
  );
});

Deno.test("decide() takes what comes for a deleted floating IP for superseded", () => {
  const story = new Story();
  story.tell(floatingIpGone("f"));
  assert.equal(
    story.outcome(floatingIpIs("f", { port: "1", server: "a" })),
    "superseded: the floating IP's deletion was recorded before",
  );
});

Deno.test("decide() deletes a remembered floating IP of which only the id is sent", () => {
  for (const payload of [{ floatingip_id: "f" }, { floatingip: { id: "f" } }]) {
    const story = new Story();
    story.tell(floatingIpIs("f", { port: "1", server: "a", revision: 4 }));
    const [event, ...others] = story.tell(notification("floatingip.delete.end", payload)).events;
    assert.equal(others.length, 0);
    assert.equal(event?.key, "floatingip/f/2/deletion");
    assert.equal(event.creationSeen, true);
    assert.deepEqual(event.floatingIp, { id: "f", address: ADDRESS, fixedAddress: "10.0.0.5", mac: MAC });
    assert.equal(story.memory.floatingIp("f")?.deleted, true);
  }
});

Deno.test("decide() makes nothing of the deletion of an unknown floating IP of which only the id is sent", () => {
  const story = new Story();
  assert.equal(
    story.outcome(notification("floatingip.delete.end", { floatingip_id: "f" })),
    "remembered: the notification names no resource that is known",
  );
});

Deno.test("decide() takes an update of which only the id is sent for no disassociation", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.deepEqual(story.keys(notification("floatingip.update.end", { floatingip_id: "f" })), []);
});

Deno.test("decide() ends the associations on a port of which only the id is sent at its deletion", () => {
  const story = new Story();
  story.tell(portIs("1", { server: "a" }));
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.deepEqual(story.keys(notification("port.delete.end", { port_id: "1" })), ["floatingip/f/2/deletion"]);
  const [event] = story.tell(went("a")).events;
  assert.deepEqual(event?.server.addresses.map(({ address, mac }) => [address, mac]), [["10.0.0.5", MAC]]);
});

Deno.test("decide() remembers the deletion of an unknown port of which only the id is sent", () => {
  const story = new Story();
  story.tell(notification("port.delete.end", { port_id: "1" }));
  assert.equal(
    story.outcome(floatingIpIs("f", { port: "1", server: "a" })),
    "superseded: the deletion of the floating IP's port was recorded before",
  );
});

Deno.test("decide() takes a floating IP's lower revision for superseded", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a", revision: 7 }));
  const late = story.tell(floatingIpIs("f", { revision: 5 }));
  assert.equal(late.outcome, "superseded");
  assert.match(late.reason, /^its revision 5 was recorded after revision 7, and its time does not show/);
  assert.match(late.reason, /run "oss-watcher prime"/);
  assert.equal(late.isDoubtful, true);
  assert.deepEqual(story.keys(floatingIpIs("f", { revision: 8 })), ["floatingip/f/2/deletion"]);
});

Deno.test("decide() takes a lower revision of an earlier time for superseded, without doubt", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a", revision: 7, more: { updated_at: "2026-11-20T10:00:01Z" } }));
  const late = story.tell(floatingIpIs("f", { revision: 5, more: { updated_at: "2026-11-20T10:00:00Z" } }));
  assert.equal(late.reason, "its revision 5 was recorded after revision 7");
  assert.equal(late.isDoubtful, undefined);
});

Deno.test("decide() believes a lower revision of a later time: Neutron's database was restored", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a", revision: 12, more: { updated_at: "2026-11-20T10:00:00Z" } }));
  const restored = { revision: 7, more: { updated_at: "2026-11-20T11:00:00Z" } };
  assert.deepEqual(story.keys(floatingIpIs("f", restored)), ["floatingip/f/2/deletion"]);
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "a", revision: 8 })), ["floatingip/f/3/creation"]);
});

Deno.test("decide() doubts a lower revision whose time is later by less than clocks may differ", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a", revision: 12, more: { updated_at: "2026-11-20T10:00:00Z" } }));
  const near = story.tell(floatingIpIs("f", { revision: 7, more: { updated_at: "2026-11-20T10:01:00Z" } }));
  assert.deepEqual([near.outcome, near.isDoubtful], ["superseded", true]);
});

Deno.test("decide() believes that a deleted floating IP and port are back when a restored Neutron changes them", () => {
  const story = new Story();
  const at = (updatedAt: string) => ({ more: { updated_at: updatedAt } });
  story.tell(portIs("1", { server: "a", revision: 4, ...at("2026-11-21T19:00:00Z") }));
  story.tell(floatingIpIs("f", { port: "1", server: "a", revision: 4, ...at("2026-11-21T19:00:00Z") }));
  story.tell(floatingIpGone("f", { port: "1", server: "a", revision: 4, ...at("2026-11-21T19:00:00Z") }));
  story.tell(portGone("1", { server: "a", revision: 4, ...at("2026-11-21T19:00:00Z") }));
  // The deletions are of 19:13; what was on its way then is of before.
  const late = [
    portIs("1", { server: "a", revision: 4, ...at("2026-11-21T19:13:00Z") }),
    floatingIpIs("f", { port: "1", server: "a", revision: 5, ...at("2026-11-21T19:13:00Z") }),
  ];
  assert.deepEqual(late.map((one) => story.tell(one).outcome), ["superseded", "superseded"]);
  story.tell(portIs("1", { server: "a", revision: 2, ...at("2026-11-22T08:00:00Z") }));
  assert.deepEqual(
    story.keys(floatingIpIs("f", { port: "1", server: "a", revision: 2, ...at("2026-11-22T08:00:00Z") })),
    ["floatingip/f/3/creation"],
  );
});

Deno.test("decide() begins an association with a port of which port.create.end alone told (Nova up to Mitaka)", () => {
  const story = new Story();
  story.tell(portCame("1", { server: "a" }));
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1" })), ["floatingip/f/1/creation"]);
  assert.deepEqual(story.keys(portGone("1")), ["floatingip/f/2/deletion"]);
});

Deno.test("decide() begins an association when port.create.end comes after the floating IP's message", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1" }));
  assert.deepEqual(story.keys(portCame("1", { server: "a" })), ["floatingip/f/1/creation"]);
});

Deno.test("decide() takes port.create.end after other messages of the port for superseded", () => {
  for (const revision of [null, 1]) {
    const story = new Story();
    story.tell(portIs("1", { server: "a", revision: revision && 2, more: { updated_at: "2026-11-21T19:13:11Z" } }));
    story.tell(floatingIpIs("f", { port: "1" }));
    const late = story.tell(portCame("1", { revision, more: { updated_at: "2026-11-21T19:13:10Z" } }));
    assert.deepEqual([late.outcome, late.events, late.isDoubtful], ["superseded", [], undefined]);
  }
});

Deno.test("decide() ends no association when port.create.end comes after what told of its server", () => {
  const ipAddresses = [{ "nova_object.data": { address: "10.0.0.5", mac: MAC, port_uuid: "1" } }];
  const tellers = [
    [came("a"), floatingIpIs("f", { port: "1", server: "a", revision: 3 })],
    [cameVersioned("a", { ip_addresses: ipAddresses }), floatingIpIs("f", { port: "1", revision: 3 })],
  ];
  for (const told of tellers) {
    const story = new Story();
    for (const one of told) story.tell(one);
    assert.deepEqual(story.keys(portCame("1", { revision: 1 })), []);
    assert.deepEqual(story.keys(portIs("1", { server: "a", revision: 3 })), []);
    assert.deepEqual(story.keys(portGone("1", { server: "a", revision: 3 })), ["floatingip/f/2/deletion"]);
  }
});

Deno.test("decide() takes a floating IP's same revision, and one after none, for news", () => {
  for (const [first, second] of [[7, 7], [null, 1], [7, null]]) {
    const story = new Story();
    story.tell(floatingIpIs("f", { port: "1", server: "a", revision: first! }));
    assert.deepEqual(story.keys(floatingIpIs("f", { revision: second! })), ["floatingip/f/2/deletion"]);
  }
});

Deno.test("decide() ends an association at a deletion, which repeats the last revision", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a", revision: 7 }));
  assert.deepEqual(story.keys(floatingIpGone("f", { port: "1", server: "a", revision: 7 })), [
    "floatingip/f/2/deletion",
  ]);
});

Deno.test("decide() takes a port's lower revision for superseded", () => {
  const story = new Story();
  story.tell(portIs("1", { server: "a", revision: 4 }));
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.match(
    story.outcome(portIs("1", { revision: 3 })),
    /^superseded: its revision 3 was recorded after revision 4/,
  );
});

Deno.test("decide() takes an association with a deleted server for superseded", () => {
  const story = new Story();
  story.tell(came("a"));
  story.tell(went("a"));
  assert.equal(
    story.outcome(floatingIpIs("f", { port: "1", server: "a" })),
    "superseded: the deletion of the floating IP's server was recorded before",
  );
});

Deno.test("decide() takes an association with a deleted port for superseded", () => {
  const story = new Story();
  story.tell(portGone("1", { server: "a" }));
  assert.equal(
    story.outcome(floatingIpIs("f", { port: "1", server: "a" })),
    "superseded: the deletion of the floating IP's port was recorded before",
  );
});

Deno.test("decide() takes what comes for a deleted port for superseded or repeated", () => {
  const story = new Story();
  story.tell(portGone("1", { server: "a" }));
  assert.equal(story.outcome(portIs("1", { server: "a" })), "superseded: the port's deletion was recorded before");
  assert.equal(story.outcome(portGone("1", { server: "a" })), "repeated: the port's deletion was recorded before");
});

Deno.test("decide() reads a bulk request's list of floating IPs", () => {
  const story = new Story();
  const floatingips = [
    floatingIpOf("f", { port: "1", server: "a" }),
    floatingIpOf("g", { more: { floating_ip_address: "203.0.113.8" } }),
    floatingIpOf("h", { port: "2", server: "b", more: { floating_ip_address: "203.0.113.9" } }),
  ];
  assert.deepEqual(story.keys(notification("floatingip.create.end", { floatingips })), [
    "floatingip/f/1/creation",
    "floatingip/h/1/creation",
  ]);
  assert.equal(story.memory.floatingIp("g")?.address, "203.0.113.8");
});

Deno.test("decide() reads a list of ports", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: null }));
  story.tell(floatingIpIs("g", { port: "2", server: null }));
  const ports = ["1", "2"].map((id) => portIs(id, { server: "a" }).payload["port"] as JsonObject);
  assert.deepEqual(story.keys(notification("port.update.end", { ports })), [
    "floatingip/f/1/creation",
    "floatingip/g/1/creation",
  ]);
});

Deno.test("decide() lets a floating IP's message tell of its port what Neutron's own messages said better", () => {
  const story = new Story();
  const more = { dns_assignment: [{ fqdn: "alpha.example.org.", hostname: "alpha" }] };
  story.tell(portIs("1", { server: "a", revision: 3, more }));
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  const port = story.memory.port("1");
  assert.equal(port?.dnsName, "alpha.example.org");
  assert.equal(port.revision, 3);
  assert.deepEqual(port.fixedAddresses, ["10.0.0.5"]);
});

Deno.test("decide() begins for every floating IP of a port whose server one of them tells", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1" }));
  assert.deepEqual(story.keys(floatingIpIs("g", { port: "1", server: "a" })), [
    "floatingip/g/1/creation",
    "floatingip/f/1/creation",
  ]);
});

Deno.test("decide() remembers of a detached port whose it was", () => {
  const story = new Story();
  story.tell(portIs("1", { server: "a" }));
  story.tell(portIs("1"));
  assert.equal(story.memory.port("1")?.serverId, null);
  assert.equal(story.memory.port("1")?.lastServerId, "a");
});
