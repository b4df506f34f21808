import assert from "node:assert/strict";
import { isSameCloud, scopeChanges, Visibility } from "../../src/reconcile/rights.ts";
import {
  ADMIN,
  floatingIpsPage,
  MEMBER,
  portsPage,
  seenFloatingIp,
  seenPort,
  seenServer,
  serversPage,
} from "./made.ts";

Deno.test("scopeChanges() names the fields that differ, and those that only one scope has", () => {
  const before = { ...ADMIN, fields: { region: "RegionOne", roles: "admin", nova: "https://one" } };
  const now = { ...ADMIN, fields: { region: "RegionTwo", roles: "admin", neutron: "https://two" } };
  assert.deepEqual(scopeChanges(before, now), [
    'neutron "" → "https://two"',
    'nova "https://one" → ""',
    'region "RegionOne" → "RegionTwo"',
  ]);
});

Deno.test("scopeChanges() is empty for equal scopes", () => {
  assert.deepEqual(scopeChanges(ADMIN, { ...ADMIN, fields: { roles: "admin", region: "RegionOne" } }), []);
});

Deno.test("isSameCloud() needs 90 % of what is remembered", () => {
  assert.equal(isSameCloud({ seen: 9, missing: 1 }), true);
  assert.equal(isSameCloud({ seen: 8, missing: 1 }), false);
  assert.equal(isSameCloud({ seen: 0, missing: 1 }), false);
  assert.equal(isSameCloud({ seen: 0, missing: 0 }), true);
});

Deno.test("Visibility is complete if a server of another project is listed", () => {
  const visibility = new Visibility(MEMBER);
  visibility.note(serversPage([seenServer("a", { projectId: "own" })], null));
  assert.equal(visibility.isComplete, false);
  visibility.note(serversPage([seenServer("b")], null));
  assert.equal(visibility.isComplete, true);
  assert.deepEqual(visibility.witnesses, ["b", "a"]);
});

Deno.test("Visibility is not complete if one page was restricted to the own project", () => {
  const visibility = new Visibility(ADMIN);
  visibility.note(serversPage([seenServer("a")]));
  visibility.note(serversPage([], false));
  assert.equal(visibility.isComplete, false);
});

Deno.test("Visibility takes an administrator's listing of all projects for complete, even if it is empty", () => {
  const visibility = new Visibility(ADMIN);
  visibility.note(serversPage([], true));
  assert.equal(visibility.isComplete, true);
});

Deno.test("Visibility does not trust the role alone: a policy may restrict it", () => {
  const visibility = new Visibility(ADMIN);
  visibility.note(floatingIpsPage([seenFloatingIp("a", {}, "own")]));
  visibility.note(portsPage([]));
  assert.equal(visibility.isComplete, false);
});

Deno.test("Visibility does not trust a listing of all projects alone: the account may not see by id what is in no listing", () => {
  const visibility = new Visibility(MEMBER);
  visibility.note(serversPage([seenServer("a", { projectId: "own" })], true));
  assert.equal(visibility.isComplete, false);
});

Deno.test("Visibility does not take ports for a proof unless the account is an administrator: networks have owners", () => {
  const [member, admin] = [new Visibility(MEMBER), new Visibility(ADMIN)];
  for (const visibility of [member, admin]) visibility.note(portsPage([seenPort("a")]));
  assert.equal(member.isComplete, false);
  assert.equal(admin.isComplete, true);
});

Deno.test("Visibility does not take a deleted server for a proof", () => {
  const visibility = new Visibility(MEMBER);
  visibility.note(serversPage([seenServer("a", { status: "DELETED" })], true));
  assert.equal(visibility.isComplete, false);
  assert.deepEqual(visibility.witnesses, []);
});

Deno.test("Visibility keeps at most 3 witnesses of other projects, and 3 of the own one", () => {
  const visibility = new Visibility(ADMIN);
  visibility.note(serversPage(["a", "b", "c", "d"].map((id) => seenServer(id))));
  visibility.note(serversPage(["e", "f", "g", "h"].map((id) => seenServer(id, { projectId: "own" }))));
  assert.deepEqual(visibility.witnesses, ["a", "b", "c", "e", "f", "g"]);
});

Deno.test("Visibility proves of the own project even what is restricted to it", () => {
  const visibility = new Visibility(MEMBER);
  visibility.note(serversPage([], false));
  assert.equal(visibility.proves("own"), true);
  assert.equal(visibility.proves("other"), false);
  assert.equal(visibility.proves(null), false);
});
