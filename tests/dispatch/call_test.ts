import assert from "node:assert/strict";
import { makeDetail } from "../../src/detail/make_detail.ts";
import { callOf } from "../../src/dispatch/call.ts";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { Following } from "../../src/model/following.ts";
import type { Delivery } from "../../src/model/ledger.ts";
import { madeAssociation, madeEvent, madeServerEvent } from "../support/made_events.ts";

const FOLLOWING: Following = { keys: new Set(["FQDN"]), tellsAssociations: true, settleMs: 0 };

const CAME = detailOf(madeServerEvent("creation", { hostname: "alpha", vcpus: 1 }));
const RENAMED = madeServerEvent("update", { hostname: "beta", vcpus: 2 });

function detailOf(event: WatcherEvent) {
  return makeDetail(event).detail;
}

function deliveryOf(event: WatcherEvent, more: Partial<Delivery> = {}): Delivery {
  return {
    seq: 1,
    plugin: "p",
    event: { ...event, serverId: event.server.id },
    detail: detailOf(event),
    missing: [],
    attempts: 0,
    triedMs: 0,
    lastAttemptAt: null,
    ...more,
  };
}

const FOLLOWS = { following: FOLLOWING, canUpdate: true };

Deno.test("callOf() calls notify with the event's detail where changes are not followed", () => {
  const delivery = deliveryOf(madeEvent("s/1"));
  for (const following of [null, FOLLOWING]) {
    assert.deepEqual(callOf(delivery, { following, canUpdate: true }), { method: "notify", detail: delivery.detail });
  }
});

Deno.test("callOf() calls update with what was told before, and the followed keys that differ", () => {
  const delivery = deliveryOf(RENAMED, { before: CAME });
  const expected = { method: "update", detail: detailOf(RENAMED), before: CAME };
  assert.deepEqual(callOf(delivery, FOLLOWS), { ...expected, changed: ["FQDN"] });
  assert.deepEqual(callOf(delivery, { following: { ...FOLLOWING, keys: "all" }, canUpdate: true }), {
    ...expected,
    changed: ["CPU", "FQDN"],
  });
});

Deno.test("callOf() calls nothing for an update of which no followed key differs", () => {
  const delivery = deliveryOf(RENAMED, { before: { ...CAME, FQDN: "beta" } });
  assert.deepEqual(callOf(delivery, FOLLOWS), { method: "none" });
});

Deno.test("callOf() skips no repair: the target differs from what was told", () => {
  const delivery = deliveryOf(RENAMED, { before: { ...CAME, FQDN: "beta" }, repair: true });
  assert.equal(callOf(delivery, FOLLOWS).method, "update");
});

Deno.test("callOf() cannot tell an update of a server that the plugin was never told of", () => {
  assert.deepEqual(callOf(deliveryOf(RENAMED, { before: null }), FOLLOWS), { method: "impossible" });
});

Deno.test("callOf() tells nothing of an update where nothing is followed at present, or the plugin cannot", () => {
  const delivery = deliveryOf(RENAMED, { before: CAME });
  assert.deepEqual(callOf(delivery, { following: null, canUpdate: true }), { method: "none" });
  assert.deepEqual(callOf(delivery, { following: FOLLOWING, canUpdate: false }), { method: "none" });
  const repair = { ...delivery, repair: true };
  assert.deepEqual(callOf(repair, { following: FOLLOWING, canUpdate: false }), { method: "none" });
  const call = callOf(repair, { following: null, canUpdate: true });
  assert.deepEqual(call.method === "update" && call.changed, []);
});

Deno.test("callOf() takes no value for changed that could not be made", () => {
  const delivery = { ...deliveryOf(RENAMED, { before: CAME }), missing: ["FQDN"] };
  assert.deepEqual(callOf(delivery, FOLLOWS), { method: "none" });
});

Deno.test("callOf() gives deletions and associations the server as it was told", () => {
  const known = { hostname: "beta", vcpus: 2, updates: 1 };
  for (const event of [madeServerEvent("deletion", known), madeAssociation(known)]) {
    const call = callOf(deliveryOf(event, { before: CAME }), FOLLOWS);
    assert.ok(call.method === "notify");
    assert.deepEqual([call.detail.FQDN, call.detail.CPU], ["alpha", 1], event.key);
    assert.equal(call.detail.IP, event.floatingIp?.address ?? null);
  }
});

Deno.test("callOf() gives a deletion its own detail if the plugin was never told of the server", () => {
  const delivery = deliveryOf(madeServerEvent("deletion", { hostname: "beta" }), { before: null });
  assert.deepEqual(callOf(delivery, FOLLOWS), { method: "notify", detail: delivery.detail });
});
