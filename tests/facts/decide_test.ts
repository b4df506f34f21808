import assert from "node:assert/strict";
import { decide, WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import { RamMemory } from "../../src/ledger/ram/memory.ts";
import { CREATION_EVENTS, DELETION_EVENTS } from "../../src/model/config.ts";
import { EVERYTHING } from "../support/rules.ts";
import { came, floatingIpIs, notification, portGone, Story, went } from "../support/stories.ts";

Deno.test("WATCHED_EVENT_TYPES holds every event type that a group may list, and those watched beside them", () => {
  assert.deepEqual(
    WATCHED_EVENT_TYPES,
    new Set([
      "compute.instance.create.end",
      "instance.create.end",
      "compute.instance.delete.end",
      "instance.delete.end",
      "compute.instance.force_delete.end",
      "compute.instance.soft_delete.end",
      "floatingip.create.end",
      "floatingip.update.end",
      "floatingip.delete.end",
      "port.create.end",
      "port.update.end",
      "port.delete.end",
    ]),
  );
  for (const type of [...CREATION_EVENTS, ...DELETION_EVENTS]) assert.ok(WATCHED_EVENT_TYPES.has(type));
});

for (
  const type of [
    "instance.soft_delete.end",
    "compute.instance.force_delete.start",
    "compute.instance.create.error",
    "compute.instance.update",
    "port.create.start",
    "floatingip.update.start",
    "constructor",
    "toString",
    "valueOf",
    "__proto__",
    "",
  ]
) {
  Deno.test(`decide() makes nothing of the event type ${JSON.stringify(type)}`, () => {
    const story = new Story();
    assert.equal(
      story.outcome(notification(type, { instance_id: "a", port: { id: "1" } })),
      "remembered: not an event type that is handled",
    );
  });
}

Deno.test("decide() makes nothing of a payload without its resource", () => {
  for (const type of WATCHED_EVENT_TYPES) {
    for (const payload of [{}, { "nova_object.data": null }, { floatingip: {} }, { port: [] }, { ports: [7, null] }]) {
      const { events, changes } = new Story().tell(notification(type, payload));
      assert.deepEqual(events, [], type);
      assert.deepEqual(changes, { servers: [], ports: [], floatingIps: [] }, type);
    }
  }
});

Deno.test("decide() is pure: the same notification and memory give the same decision, and memory stays", () => {
  const memory = new RamMemory();
  const message = floatingIpIs("f", { port: "1", server: "a" });
  const first = decide(message, memory, EVERYTHING);
  assert.deepEqual(decide(message, memory, EVERYTHING), first);
  assert.equal(memory.floatingIp("f"), undefined);
});

Deno.test("decide() announces no creation when the group creation is empty, and remembers it", () => {
  const story = new Story({ creation: new Set() });
  assert.equal(story.outcome(came("a")), "remembered: an event that no group of config.ts lists");
  assert.equal(
    story.outcome(floatingIpIs("f", { port: "1", server: "a" })),
    "remembered: an event that no group of config.ts lists",
  );
  assert.deepEqual(story.keys(floatingIpIs("f")), ["floatingip/f/2/deletion"]);
  assert.deepEqual(story.keys(went("a")), ["server/a/deletion"]);
});

Deno.test("decide() announces no deletion when the group deletion is empty, and counts on", () => {
  const story = new Story({ deletion: new Set() });
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.equal(story.outcome(floatingIpIs("f")), "remembered: an event that no group of config.ts lists");
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "a" })), ["floatingip/f/3/creation"]);
});

Deno.test("decide() announces associations alone when the groups list nothing else", () => {
  const story = new Story({ creation: new Set(["floatingip"]), deletion: new Set(["floatingip"]) });
  assert.deepEqual(story.keys(came("a")), []);
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "a" })), ["floatingip/f/1/creation"]);
  assert.deepEqual(story.keys(went("a")), ["floatingip/f/2/deletion"]);
});

Deno.test("decide() announces servers alone when the groups list nothing else", () => {
  const story = new Story({ creation: new Set(["server"]), deletion: new Set(["server"]) });
  assert.deepEqual(story.keys(came("a")), ["server/a/creation"]);
  const floating = story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.deepEqual(floating.events, []);
  assert.deepEqual(story.keys(portGone("1", { server: "a" })), []);
  assert.deepEqual(story.keys(went("a")), ["server/a/deletion"]);
});

Deno.test("decide() begins only the new association of a move when deletions are not listed", () => {
  const story = new Story({ deletion: new Set(["server"]) });
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "2", server: "b" })), ["floatingip/f/3/creation"]);
});
