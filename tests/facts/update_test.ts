import assert from "node:assert/strict";
import { updateOf } from "../../src/facts/update.ts";
import type { SettledServer } from "../../src/model/ledger.ts";
import type { FloatingIpMemory, ServerMemory } from "../../src/model/memory.ts";
import { madeMemory, madeServer } from "../support/made_events.ts";

const SNAPSHOT = madeServer("s", {
  hostname: "Beta",
  projectId: "p",
  addresses: [{ address: "10.0.0.5", mac: null, type: "fixed", network: null, version: 4 }],
});
const FLOATING_IP: FloatingIpMemory = {
  id: "f",
  address: "203.0.113.7",
  projectId: "p",
  portId: "1",
  fixedAddress: "10.0.0.5",
  revision: 1,
  deleted: false,
  transitions: 1,
  association: { portId: "1", serverId: "s", fixedAddress: "10.0.0.5", mac: "fa:16:3e:00:00:05" },
};
const CAUSE = { eventType: "instance.update", messageId: "m", time: "2026-11-21T19:00:00.000Z" };

function settled(server: Partial<ServerMemory> = {}): Omit<SettledServer, "announced"> {
  return {
    server: { ...madeMemory("s", { snapshot: SNAPSHOT }), ...server },
    floatingIps: [FLOATING_IP],
    cause: CAUSE,
  };
}

Deno.test("updateOf() makes an event of the server as it is, with the notification that led to it", () => {
  const { event, number } = updateOf(settled(), {});
  assert.equal(number, 1);
  assert.deepEqual(event, {
    key: "server/s/update/1",
    subject: "server",
    created: true,
    updated: true,
    updates: 0,
    ...CAUSE,
    server: SNAPSHOT,
    floatingIp: null,
    floatingIps: [{ id: "f", address: "203.0.113.7", fixedAddress: "10.0.0.5", mac: "fa:16:3e:00:00:05" }],
    creationSeen: true,
    orderKeys: ["server/s", "name/p/beta", "fixed/p/10.0.0.5"],
  });
});

Deno.test("updateOf() counts on from the last update, and says how many came before", () => {
  const { event, number } = updateOf(settled({ updates: 4 }), {});
  assert.deepEqual([event.key, event.updates, number], ["server/s/update/5", 4, 5]);
});

Deno.test("updateOf() counts on from the second of a restore, which no key had before it", () => {
  const restoredAtMs = 1_800_000_000_500;
  const { event, number } = updateOf(settled({ updates: 4 }), { restoredAtMs });
  assert.deepEqual([event.key, event.updates, number], ["server/s/update/1800000001", 4, 1_800_000_001]);
  assert.equal(updateOf(settled({ updates: number }), { restoredAtMs }).number, 1_800_000_002);
});

Deno.test("updateOf() says where a comparison with OpenStack found the change", () => {
  const { event } = updateOf({ ...settled(), cause: { ...CAUSE, origin: "reconcile" } }, {});
  assert.equal(event.origin, "reconcile");
});
