import assert from "node:assert/strict";
import {
  ADDRESS,
  came,
  cameVersioned,
  floatingIpCame,
  floatingIpGone,
  floatingIpIs,
  MAC,
  portGone,
  portIs,
  Story,
  went,
} from "../support/stories.ts";

Deno.test("decide() begins an association when a floating IP is put on a server's port", () => {
  const story = new Story();
  story.tell(came("a", { hostname: "alpha", tenant_id: "p" }));
  const [event, ...others] = story.tell(floatingIpIs("f", { port: "1", server: "a" })).events;
  assert.equal(others.length, 0);
  assert.equal(event?.key, "floatingip/f/1/creation");
  assert.equal(event.subject, "floatingip");
  assert.equal(event.created, true);
  assert.equal(event.creationSeen, true);
  assert.equal(event.eventType, "floatingip.update.end");
  assert.equal(event.time, "2026-11-21T19:13:11.667Z");
  assert.equal(event.server.hostname, "alpha");
  const association = { id: "f", address: ADDRESS, fixedAddress: "10.0.0.5", mac: MAC };
  assert.deepEqual(event.floatingIp, association);
  assert.deepEqual(event.floatingIps, [association]);
});

Deno.test("decide() begins an association when a floating IP is created on a server's port", () => {
  assert.deepEqual(new Story().keys(floatingIpCame("f", { port: "1", server: "a" })), ["floatingip/f/1/creation"]);
});

Deno.test("decide() begins an association with a server of which nothing is known but its port", () => {
  const story = new Story();
  story.tell(portIs("1", { server: "a" }));
  const [event] = story.tell(floatingIpIs("f", { port: "1", server: "a" })).events;
  assert.equal(event?.server.id, "a");
  assert.equal(event.server.hostname, null);
  assert.deepEqual(event.server.addresses, [
    { address: "10.0.0.5", mac: MAC, type: "fixed", network: null, version: 4 },
  ]);
});

Deno.test("decide() ends an association when the floating IP is taken off", () => {
  const story = new Story();
  story.tell(came("a", { hostname: "alpha" }));
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  const [event, ...others] = story.tell(floatingIpIs("f")).events;
  assert.equal(others.length, 0);
  assert.equal(event?.key, "floatingip/f/2/deletion");
  assert.equal(event.created, false);
  assert.equal(event.server.hostname, "alpha");
  assert.deepEqual(event.floatingIp, { id: "f", address: ADDRESS, fixedAddress: "10.0.0.5", mac: MAC });
  assert.deepEqual(event.floatingIps, []);
});

Deno.test("decide() ends the former association before it begins the next when a floating IP moves", () => {
  const story = new Story();
  story.tell(came("a", { hostname: "alpha" }));
  story.tell(came("b", { hostname: "beta" }));
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  const { events } = story.tell(floatingIpIs("f", { port: "2", server: "b", more: { fixed_ip_address: "10.0.0.6" } }));
  assert.deepEqual(
    events.map(({ key, server, floatingIp, floatingIps }) => ({
      key,
      hostname: server.hostname,
      fixed: floatingIp?.fixedAddress,
      has: floatingIps.map(({ id }) => id),
    })),
    [
      { key: "floatingip/f/2/deletion", hostname: "alpha", fixed: "10.0.0.5", has: [] },
      { key: "floatingip/f/3/creation", hostname: "beta", fixed: "10.0.0.6", has: ["f"] },
    ],
  );
});

Deno.test("decide() ends and begins when a floating IP moves to another port of the same server", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "2", server: "a" })), [
    "floatingip/f/2/deletion",
    "floatingip/f/3/creation",
  ]);
});

Deno.test("decide() numbers the transitions of each floating IP by itself", () => {
  const story = new Story();
  const told = ["f", "g", "f", "g", "f"].map((id, index) =>
    story.keys(floatingIpIs(id, index % 4 < 2 ? { port: id, server: "a" } : {}))
  );
  assert.deepEqual(told.flat(), [
    "floatingip/f/1/creation",
    "floatingip/g/1/creation",
    "floatingip/f/2/deletion",
    "floatingip/g/2/deletion",
    "floatingip/f/3/creation",
  ]);
});

Deno.test("decide() takes another fixed address of the same port for no event, but remembers it", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  const other = { port: "1", server: "a", more: { fixed_ip_address: "10.0.0.99" } };
  assert.equal(story.outcome(floatingIpIs("f", other)), "remembered: an edit: the association is as before");
  const [event] = story.tell(floatingIpIs("f")).events;
  assert.equal(event?.floatingIp?.fixedAddress, "10.0.0.99");
});

Deno.test("decide() takes an edit of an associated floating IP for no event", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  const edit = floatingIpIs("f", { port: "1", server: "a", more: { description: "new" } });
  assert.equal(story.outcome(edit), "remembered: an edit: the association is as before");
});

Deno.test("decide() takes an edit of a free floating IP for no event", () => {
  const story = new Story();
  story.tell(floatingIpCame("f"));
  assert.deepEqual(story.keys(floatingIpIs("f", { more: { description: "new" } })), []);
});

Deno.test("decide() lists all floating IPs that the server has once an association began or ended", () => {
  const story = new Story();
  const has = (words: Parameters<typeof floatingIpIs>) =>
    story.tell(floatingIpIs(...words)).events[0]?.floatingIps.map(({ id }) => id);
  assert.deepEqual(has(["f", { port: "1", server: "a" }]), ["f"]);
  assert.deepEqual(has(["g", { port: "1", server: "a" }]), ["f", "g"]);
  assert.deepEqual(has(["h", { port: "2", server: "b" }]), ["h"]);
  assert.deepEqual(has(["f"]), ["g"]);
});

Deno.test("decide() remembers a floating IP on a port that belongs to no server, and sends nothing", () => {
  const story = new Story();
  assert.equal(
    story.outcome(floatingIpIs("f", { port: "1", server: null })),
    "remembered: the floating IP's port belongs to no server",
  );
  assert.deepEqual(story.keys(floatingIpIs("f")), []);
});

Deno.test("decide() goes by port_id and never by router_id", () => {
  const story = new Story();
  assert.deepEqual(story.keys(floatingIpCame("f", { more: { router_id: "router" } })), []);
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.deepEqual(story.keys(floatingIpIs("f", { more: { router_id: "router" } })), ["floatingip/f/2/deletion"]);
});

Deno.test("decide() begins an association when a server is booted on a port that has a floating IP", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: null }));
  assert.deepEqual(story.keys(portIs("1", { server: "a" })), ["floatingip/f/1/creation"]);
  assert.deepEqual(story.keys(came("a")), ["server/a/creation"]);
});

Deno.test("decide() ends an association when the user's port is unbound", () => {
  const story = new Story();
  story.tell(portIs("1", { server: "a" }));
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.deepEqual(story.keys(portIs("1")), ["floatingip/f/1/creation".replace("1/creation", "2/deletion")]);
  assert.deepEqual(story.keys(went("a")), ["server/a/deletion (unseen)"]);
});

Deno.test("decide() begins again when the unbound port gets another server", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  story.tell(portIs("1"));
  const [event] = story.tell(portIs("1", { server: "b" })).events;
  assert.equal(event?.key, "floatingip/f/3/creation");
  assert.equal(event.server.id, "b");
});

Deno.test("decide() ends and begins when a port goes from one server straight to another", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  const { events } = story.tell(portIs("1", { server: "b" }));
  assert.deepEqual(events.map(({ key, server }) => [key, server.id]), [
    ["floatingip/f/2/deletion", "a"],
    ["floatingip/f/3/creation", "b"],
  ]);
});

Deno.test("decide() ends the associations of all floating IPs on a port that is deleted", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  story.tell(floatingIpIs("g", { port: "1", server: "a" }));
  assert.deepEqual(story.keys(portGone("1", { server: "a" })), [
    "floatingip/f/2/deletion",
    "floatingip/g/2/deletion",
  ]);
});

Deno.test("decide() ends an association when its port is deleted, with Nova's message after it", () => {
  const story = new Story();
  story.tell(came("a"));
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.deepEqual(story.keys(portGone("1", { server: "a" })), ["floatingip/f/2/deletion"]);
  assert.deepEqual(story.keys(went("a")), ["server/a/deletion"]);
});

Deno.test("decide() ends an association when its server is deleted, before the server's own end", () => {
  const story = new Story();
  story.tell(came("a"));
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.deepEqual(story.keys(went("a")), ["floatingip/f/2/deletion", "server/a/deletion"]);
  assert.deepEqual(story.keys(portGone("1", { server: "a" })), []);
});

Deno.test("decide() ends an association once, whichever of port and server goes first", () => {
  for (const [first, second] of [[went("a"), portGone("1", { server: "a" })], [portGone("1"), went("a")]] as const) {
    const story = new Story();
    story.tell(floatingIpIs("f", { port: "1", server: "a" }));
    const ends = [...story.keys(first), ...story.keys(second)].filter((key) => key.startsWith("floatingip/"));
    assert.deepEqual(ends, ["floatingip/f/2/deletion"]);
  }
});

Deno.test("decide() ends an association when the floating IP is deleted", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.deepEqual(story.keys(floatingIpGone("f", { port: "1", server: "a" })), ["floatingip/f/2/deletion"]);
});

Deno.test("decide() waits for the port's server where Neutron sends no port_details", () => {
  const story = new Story();
  assert.equal(
    story.outcome(floatingIpIs("f", { port: "1" })),
    "remembered: nothing is known of the floating IP's port yet",
  );
  assert.deepEqual(story.keys(portIs("1", { server: "a" })), ["floatingip/f/1/creation"]);
});

Deno.test("decide() takes the port's server from memory where Neutron sends no port_details", () => {
  const story = new Story();
  story.tell(portIs("1", { server: "a" }));
  const [event] = story.tell(floatingIpIs("f", { port: "1" })).events;
  assert.equal(event?.server.id, "a");
  assert.deepEqual(event.floatingIp, { id: "f", address: ADDRESS, fixedAddress: "10.0.0.5", mac: MAC });
});

Deno.test("decide() takes the port's server from Nova's versioned message where nothing else told of it", () => {
  const story = new Story();
  story.tell(floatingIpIs("f", { port: "1" }));
  const addresses = { ip_addresses: [{ "nova_object.data": { address: "10.0.0.5", port_uuid: "1", mac: MAC } }] };
  assert.deepEqual(story.keys(cameVersioned("a", addresses)), ["server/a/creation", "floatingip/f/1/creation"]);
});

Deno.test("decide() announces associations with ports of no server if events.anyPort", () => {
  const story = new Story({ anyPort: true });
  const [began] = story.tell(floatingIpIs("f", { port: "1", server: null })).events;
  assert.equal(began?.key, "floatingip/f/1/creation");
  assert.equal(began.server.id, null);
  assert.deepEqual(began.floatingIps, []);
  assert.deepEqual(began.orderKeys, [`floating/${ADDRESS}`]);
  assert.deepEqual(story.keys(floatingIpIs("f")), ["floatingip/f/2/deletion"]);
});

Deno.test("decide() ends one association and begins another when a port without server gets one, if events.anyPort", () => {
  const story = new Story({ anyPort: true });
  story.tell(floatingIpIs("f", { port: "1", server: null }));
  const { events } = story.tell(portIs("1", { server: "a" }));
  assert.deepEqual(events.map(({ key, server }) => [key, server.id]), [
    ["floatingip/f/2/deletion", null],
    ["floatingip/f/3/creation", "a"],
  ]);
});

Deno.test("decide() announces an association with an unknown port if events.anyPort", () => {
  const story = new Story({ anyPort: true });
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1" })), ["floatingip/f/1/creation"]);
});
