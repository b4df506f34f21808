import assert from "node:assert/strict";
import { WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import { admitNotification } from "../../src/intake/admit_notification.ts";
import type { JsonObject } from "../../src/model/notification.ts";
import { came, notification, portGone } from "../support/stories.ts";

const INCOMPLETE = [
  ["compute.instance.create.end", {}, "instance_id"],
  ["compute.instance.delete.end", { instance_id: "" }, "instance_id"],
  ["compute.instance.delete.end", { instance_id: 7 }, "instance_id"],
  ["instance.create.end", { uuid: "a" }, "nova_object.data.uuid"],
  ["instance.delete.end", { "nova_object.data": null }, "nova_object.data.uuid"],
  ["floatingip.update.end", { floatingip: [] }, "floatingip.id"],
  ["floatingip.create.end", { floatingips: [] }, "floatingip.id"],
  ["port.update.end", { port: { id: null } }, "port.id"],
  ["port.delete.end", { port_id: {} }, "port.id"],
] as const;

for (const [type, payload, missing] of INCOMPLETE) {
  Deno.test(`admitNotification() refuses ${type} with ${JSON.stringify(payload)}`, () => {
    assert.deepEqual(admitNotification(notification(type, payload as JsonObject), WATCHED_EVENT_TYPES), {
      refused: `${type} without ${missing}`,
    });
  });
}

const COMPLETE = [
  ["floatingip.delete.end", { floatingip_id: "f" }],
  ["floatingip.create.end", { floatingips: [{ id: "f" }] }],
  ["port.delete.end", { port_id: "1" }],
  ["port.update.end", { ports: [{ id: "1" }] }],
] as const;

for (const [type, payload] of COMPLETE) {
  Deno.test(`admitNotification() takes ${type} with ${JSON.stringify(payload)}`, () => {
    assert.ok("notification" in admitNotification(notification(type, payload), WATCHED_EVENT_TYPES));
  });
}

Deno.test("admitNotification() ignores what is not wanted", () => {
  const ignored = { ignored: "not an event type that is handled" };
  assert.deepEqual(admitNotification(portGone("1"), new Set(["compute.instance.create.end"])), ignored);
  assert.deepEqual(admitNotification(came("a"), new Set()), ignored);
});
