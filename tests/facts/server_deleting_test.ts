import assert from "node:assert/strict";
import { OPTIONAL_KEYS } from "../../src/model/detail.ts";
import type { JsonObject, Notification } from "../../src/model/notification.ts";
import { came, floatingIpIs, MAC, notification, portGone, portIs, Story, went } from "../support/stories.ts";

const at = (seconds: number) => ({ time: new Date(Date.UTC(2026, 10, 21, 19, 0, seconds)).toISOString() });
const updated = (payload: JsonObject, seconds: number) =>
  notification("compute.instance.update", { instance_id: "a", state: "active", ...payload }, at(seconds));
/** Nova deletes the server, in both formats. */
const DELETING = [
  updated({ hostname: "one", state_description: "deleting" }, 2),
  notification("instance.update", {
    "nova_object.data": { uuid: "a", host_name: "one", state: "active", task_state: "deleting" },
  }, at(2)),
  notification("compute.instance.delete.start", { instance_id: "a", state_description: "deleting" }, at(2)),
  notification("instance.delete.start", { "nova_object.data": { uuid: "a", task_state: "deleting" } }, at(2)),
];

const fixed_ips = [{ address: "10.0.0.5", vif_mac: MAC, label: "net", version: 4, type: "fixed" }];
const CREATED = came("a", { hostname: "one", fixed_ips }, at(0));
const PORT = portIs("1", { server: "a", revision: 1 });

function begun(...notifications: readonly Notification[]): Story {
  const story = new Story({ follows: true, optional: new Set(OPTIONAL_KEYS) });
  for (const one of [CREATED, PORT, ...notifications]) story.tell(one);
  return story;
}

for (const deleting of DELETING) {
  Deno.test(`decide() keeps a server as it was while Nova deletes it: ${deleting.eventType}`, () => {
    const story = begun(floatingIpIs("f", { port: "1", server: "a" }));
    const before = story.memory.server("a")!.snapshot;
    assert.equal(story.tell(deleting).changedServers, undefined);
    assert.equal(story.tell(portGone("1", { server: "a", revision: 2 })).changedServers, undefined);
    const gone = updated({ hostname: "one", state: "deleted", state_description: "deleting" }, 4);
    assert.equal(story.tell(gone).changedServers, undefined);
    assert.deepEqual(story.memory.server("a")!.snapshot, before);
    const { addresses } = story.tell(went("a", {}, at(5))).events.at(-1)!.server;
    assert.deepEqual(addresses.map(({ address }) => address), ["10.0.0.5"]);
  });
}

Deno.test("decide() follows a server again whose deletion has failed", () => {
  const story = begun(DELETING[0]!, portGone("1", { server: "a", revision: 2 }));
  assert.deepEqual(story.tell(updated({ hostname: "two", state: "error" }, 6)).changedServers, ["a"]);
  const { hostname, addresses } = story.memory.server("a")!.snapshot;
  assert.deepEqual({ hostname, addresses }, { hostname: "two", addresses: [] });
});

Deno.test("decide() takes an older message for no sign that a deletion has failed", () => {
  const story = begun(DELETING[0]!, updated({ hostname: "two" }, 1), portGone("1", { server: "a", revision: 2 }));
  const { hostname, addresses } = story.memory.server("a")!.snapshot;
  assert.deepEqual([hostname, addresses.length], ["two", 1]);
});

Deno.test("decide() takes an older message for no sign that a deletion begins", () => {
  const story = begun(updated({ hostname: "two" }, 3), DELETING[0]!);
  assert.deepEqual(story.tell(updated({ hostname: "three" }, 4)).changedServers, ["a"]);
});

Deno.test("decide() gives the deletion of a server without ports no addresses that it had before", () => {
  const story = begun(portGone("1", { server: "a", revision: 2 }), DELETING[0]!);
  assert.deepEqual(story.tell(went("a", {}, at(5))).events.at(-1)!.server.addresses, []);
});
