import assert from "node:assert/strict";
import { makeDetail } from "../../src/detail/make_detail.ts";
import type { Events } from "../../src/model/config.ts";
import type { Detail } from "../../src/model/detail.ts";
import { asTold, changedKeys, followingOf, optionalKeysOf } from "../../src/model/following.ts";
import { madeEvent } from "../support/made_events.ts";

const SERVERS: Events = { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] };
const WITH_ASSOCIATIONS: Events = {
  creation: ["instance.create.end", "floatingip.update.end"],
  deletion: ["instance.delete.end", "floatingip.update.end"],
};

const ADDRESS = { address: "10.0.0.5", mac: null, type: "fixed", network: "net", version: 4 };
const OTHER = { ...ADDRESS, address: "10.0.0.6" };
const FLOATING = { id: "f", address: "203.0.113.7", fixedAddress: "10.0.0.5" };

function detail(more: Partial<Detail> = {}): Detail {
  return { ...makeDetail(madeEvent("s/1")).detail, ...more };
}

Deno.test("followingOf() follows nothing where events.update lists nothing", () => {
  assert.equal(followingOf(SERVERS), null);
  assert.equal(followingOf({ ...SERVERS, update: [] }), null);
});

Deno.test("followingOf() has the listed keys, or all, and three seconds unless settleSeconds says otherwise", () => {
  assert.deepEqual(followingOf({ ...SERVERS, update: ["FQDN", "IP"] }), {
    keys: new Set(["FQDN", "IP"]),
    tellsAssociations: false,
    settleMs: 3000,
  });
  assert.deepEqual(followingOf({ ...WITH_ASSOCIATIONS, update: "all", settleSeconds: 0 }), {
    keys: "all",
    tellsAssociations: true,
    settleMs: 0,
  });
});

Deno.test("followingOf() tells associations only where both groups list them", () => {
  for (const half of [{ ...WITH_ASSOCIATIONS, creation: [] }, { ...WITH_ASSOCIATIONS, deletion: [] }] as const) {
    assert.equal(followingOf({ ...half, update: "all" })?.tellsAssociations, false);
  }
});

Deno.test("optionalKeysOf() has what detail.optional or events.update lists, and none for all keys", () => {
  assert.deepEqual(optionalKeysOf({ events: { ...SERVERS, update: ["Status", "Name", "FQDN"] } }), ["Name", "Status"]);
  assert.deepEqual(optionalKeysOf({ events: { ...SERVERS, update: ["Host"] }, detail: { optional: ["Zone"] } }), [
    "Zone",
    "Host",
  ]);
  assert.deepEqual(optionalKeysOf({ events: { ...SERVERS, update: "all" } }), []);
});

Deno.test("changedKeys() lists the followed keys that differ, sorted", () => {
  const before = detail({ FQDN: "alpha", Owner: "alice", CPU: 1 });
  const now = detail({ FQDN: "beta", Owner: "bob", CPU: 2 });
  const among = (keys: ReadonlySet<string> | "all") => changedKeys(before, now, { keys, tellsAssociations: true });
  assert.deepEqual(among(new Set(["Owner", "FQDN", "Ram"])), ["FQDN", "Owner"]);
  assert.deepEqual(among("all"), ["CPU", "FQDN", "Owner"]);
  assert.deepEqual(among(new Set()), []);
});

Deno.test("changedKeys() takes a key that an older detail lacks for unknown", () => {
  const following = { keys: "all", tellsAssociations: true } as const;
  assert.deepEqual(changedKeys(detail(), detail({ Name: null }), following), []);
  assert.deepEqual(changedKeys(detail(), detail({ Name: "Alpha" }), following), ["Name"]);
  assert.deepEqual(changedKeys(detail({ Name: "Alpha" }), detail(), following), ["Name"]);
});

Deno.test("changedKeys() ignores the order of addresses and floating IPs, and no other list's", () => {
  const following = { keys: "all", tellsAssociations: false } as const;
  const other = { ...FLOATING, id: "g" };
  const before = detail({ Addresses: [ADDRESS, OTHER], FloatingIPs: [FLOATING, other], AdditionalUsers: ["a", "b"] });
  const now = detail({ Addresses: [OTHER, ADDRESS], FloatingIPs: [other, FLOATING], AdditionalUsers: ["b", "a"] });
  assert.deepEqual(changedKeys(before, now, following), ["AdditionalUsers"]);
  assert.deepEqual(changedKeys(before, detail({ ...before, Addresses: [ADDRESS] }), following), ["Addresses"]);
  assert.deepEqual(changedKeys(before, detail({ ...before, Addresses: [ADDRESS, ADDRESS] }), following), ["Addresses"]);
});

Deno.test("changedKeys() leaves floating IPs to the associations where these are told", () => {
  const [before, now] = [detail(), detail({ FloatingIPs: [FLOATING] })];
  for (const keys of ["all", new Set(["FloatingIPs"])] as const) {
    assert.deepEqual(changedKeys(before, now, { keys, tellsAssociations: true }), []);
    assert.deepEqual(changedKeys(before, now, { keys, tellsAssociations: false }), ["FloatingIPs"]);
  }
});

Deno.test("changedKeys() compares metadata by value, in any order", () => {
  const following = { keys: new Set(["Metadata"]), tellsAssociations: true };
  const before = detail({ Metadata: { a: "1", b: "2" } });
  assert.deepEqual(changedKeys(before, detail({ Metadata: { b: "2", a: "1" } }), following), []);
  assert.deepEqual(changedKeys(before, detail({ Metadata: { a: "1" } }), following), ["Metadata"]);
});

Deno.test("asTold() gives a deletion the server as it was told, completed with what was unknown", () => {
  const before = detail({ FQDN: "alpha", CPU: 1, Metadata: { a: "1" }, FloatingIPs: [FLOATING] });
  const now = detail({ FQDN: "beta", CPU: 2, Metadata: {}, Owner: "bob", Addresses: [ADDRESS] });
  const told = asTold(now, { before, subject: "server", tellsAssociations: true });
  assert.deepEqual(told, { ...before, Owner: "bob", Addresses: [ADDRESS], FloatingIPs: [] });
  assert.deepEqual(asTold(now, { before, subject: "server", tellsAssociations: false }).FloatingIPs, [FLOATING]);
});

Deno.test("asTold() gives an association its own addresses, and the server as it was told", () => {
  const before = detail({ FQDN: "alpha", IP: "10.0.0.5", IPType: "Private", MAC: "fa:16:3e:00:00:05" });
  const own = { IP: "203.0.113.7", IPType: "Public", MAC: "fa:16:3e:00:00:06", FloatingIPs: [FLOATING] };
  const now = detail({ FQDN: "beta", ...own });
  for (const tellsAssociations of [true, false]) {
    assert.deepEqual(asTold(now, { before, subject: "floatingip", tellsAssociations }), { ...before, ...own });
  }
});

Deno.test("asTold() adds no key that the event's detail lacks", () => {
  const told = asTold(detail(), { before: detail({ Host: "host-1" }), subject: "server", tellsAssociations: true });
  assert.equal("Host" in told, false);
});
