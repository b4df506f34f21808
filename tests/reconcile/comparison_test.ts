/** What the model (`model_test.ts`) has found, and the rules of which an account needs to know: a case each. */

import assert from "node:assert/strict";
import type { Notification } from "../../src/model/notification.ts";
import type { SeenFloatingIp } from "../../src/reconcile/cloud_view.ts";
import type { Plan } from "../../src/reconcile/comparison.ts";
import * as told from "../support/stories.ts";
import { FakeCloud, FakeLedger } from "./fake_cloud.ts";
import { ADMIN, MEMBER, seenFloatingIp, seenPort, seenServer } from "./made.ts";

function came(id: string, project = "other"): Notification {
  return told.came(id, { tenant_id: project, hostname: id });
}

function floatingIpOn(id: string, port: string, server: string): Notification {
  return told.floatingIpIs(id, { port, server, revision: 2, more: { project_id: "other" } });
}

function keysOf({ differences }: Plan): readonly string[] {
  return differences.flatMap(({ keys }) => keys);
}

function seenOn(id: string, port: string, server: string, revision = 2): SeenFloatingIp {
  return seenFloatingIp(id, {
    portId: port,
    fixedAddress: "10.0.0.5",
    port: { serverId: server, mac: null },
    revision,
  });
}

Deno.test("compare() tells that a server is gone if it is in no listing, and twice not found", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("b")];
  const plan = await new FakeLedger(came("a"), came("b")).compare(cloud);
  assert.deepEqual(keysOf(plan), ["server/a/deletion"]);
  assert.equal(plan.differences[0]?.evidence.length, 2);
});

Deno.test("compare() concludes nothing of a server that is in no listing, and there", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("b")];
  cloud.unlisted = [seenServer("a", { status: "SOFT_DELETED" })];
  assert.deepEqual((await new FakeLedger(came("a"), came("b")).compare(cloud)).observations, []);
});

Deno.test("compare() waits for the messages that are older, and lets them win", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("b"), seenServer("c")];
  cloud.floatingIps = [seenOn("f", "1", "b")];
  const ledger = new FakeLedger(came("a"), came("b"));
  const settled = () => {
    ledger.tell(told.went("a"));
    ledger.tell(came("c"));
    ledger.tell(floatingIpOn("f", "1", "b"));
    return Promise.resolve();
  };
  assert.deepEqual((await ledger.compare(cloud, { settled })).observations, []);
});

Deno.test("compare() fails if older messages are not decided", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("b")];
  const settled = () => Promise.reject(new Error("The queue is not empty"));
  await assert.rejects(new FakeLedger(came("a"), came("b")).compare(cloud, { settled }), /The queue is not empty/);
});

Deno.test("compare() concludes nothing of other projects from what an administrator sees whom a policy restricts", async () => {
  const cloud = new FakeCloud();
  cloud.ports = [seenPort("1", {}, "own")];
  cloud.floatingIps = [seenFloatingIp("e", {}, "own")];
  const ledger = new FakeLedger(
    came("a"),
    floatingIpOn("f", "2", "a"),
    told.floatingIpIs("e", { revision: 1, more: { project_id: "own" } }),
  );
  cloud.unlisted = [seenServer("a")];
  cloud.allProjects = false;
  const plan = await ledger.compare(cloud);
  assert.deepEqual(keysOf(plan), []);
  assert.deepEqual(plan.undecided.map(({ id }) => id), ["a", "f"]);
});

Deno.test("compare() concludes nothing from a listing of all projects that has nothing of theirs, unless for an administrator", async () => {
  const ledger = () => new FakeLedger(came("a"), came("own", "own"));
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("own", { projectId: "own" })];
  assert.deepEqual(keysOf(await ledger().compare(cloud)), ["server/a/deletion"]);
  cloud.account = MEMBER;
  assert.deepEqual(keysOf(await ledger().compare(cloud, { reference: MEMBER })), []);
});

Deno.test("compare() refuses if the listing of all projects is forbidden meanwhile, and it is the only proof", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("own", { projectId: "own" })];
  const whileWaiting = () => {
    cloud.allProjects = false;
  };
  const compared = new FakeLedger(came("a"), came("own", "own")).compare(cloud, { whileWaiting });
  await assert.rejects(compared, { name: "NoConclusion", message: /does not list the servers of all projects/ });
});

Deno.test("compare() concludes nothing of floating IPs from ports that a network's owner sees", async () => {
  const cloud = new FakeCloud();
  cloud.account = MEMBER;
  cloud.allProjects = false;
  cloud.ports = [seenPort("9"), seenPort("1", { serverId: "a" })];
  const ledger = new FakeLedger(
    came("a"),
    told.portIs("1", { server: "a", revision: 1 }),
    floatingIpOn("f", "1", "a"),
  );
  cloud.unlisted = [seenServer("a")];
  assert.deepEqual(keysOf(await ledger.compare(cloud, { reference: MEMBER })), []);
});

Deno.test("compare() concludes nothing of a port from the project of its server", async () => {
  const cloud = new FakeCloud();
  cloud.account = MEMBER;
  cloud.allProjects = false;
  cloud.servers = [seenServer("a", { projectId: "own" })];
  const ledger = new FakeLedger(
    came("a", "own"),
    told.portIs("1", { server: "a", revision: 1 }),
    floatingIpOn("f", "1", "a"),
  );
  assert.deepEqual(keysOf(await ledger.compare(cloud, { reference: MEMBER })), []);
});

Deno.test("compare() refuses if rights were missing at the first question, and are there again at the second", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("b")];
  cloud.hides = (id) => id !== "own";
  const whileWaiting = () => {
    cloud.hides = () => false;
  };
  const compared = new FakeLedger(came("a"), came("b")).compare(cloud, { whileWaiting });
  await assert.rejects(compared, { name: "NoConclusion", message: /^Listed, but not shown when asked for by id: b\./ });
});

Deno.test("compare() refuses if a listed resource of another project is not found any more", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("b"), seenServer("c")];
  const whileWaiting = () => {
    cloud.hides = (id) => id === "c";
  };
  const compared = new FakeLedger(came("a"), came("b"), came("c")).compare(cloud, { whileWaiting });
  await assert.rejects(compared, { name: "NoConclusion" });
});

Deno.test("compare() accepts that a listed resource is not found any more, if its deletion was told", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("b"), seenServer("c")];
  const ledger = new FakeLedger(came("a"), came("b"), came("c"));
  const whileWaiting = () => {
    cloud.servers = [seenServer("b")];
    ledger.tell(told.went("c"));
  };
  assert.deepEqual(keysOf(await ledger.compare(cloud, { whileWaiting })), ["server/a/deletion"]);
});

Deno.test("compare() refuses if the account's scope changes while it waits", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("b")];
  const whileWaiting = () => {
    cloud.account = { ...ADMIN, fields: { ...ADMIN.fields, region: "RegionTwo" } };
  };
  const compared = new FakeLedger(came("a"), came("b")).compare(cloud, { whileWaiting });
  await assert.rejects(compared, { name: "NoConclusion", message: /region "RegionOne" → "RegionTwo"/ });
});

Deno.test("compare() does not ask for servers that a listing of changes has as deleted, to prove its rights", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("a", { status: "DELETED" })];
  const ledger = new FakeLedger(came("a"), came("b"));
  cloud.unlisted = [seenServer("b")];
  assert.deepEqual(keysOf(await ledger.compare(cloud, { changesSince: "2026-11-21T19:00:00.000Z" })), [
    "server/a/deletion",
  ]);
});

Deno.test("compare() refuses another cloud that has many more servers than are remembered", async () => {
  const cloud = new FakeCloud();
  cloud.servers = Array.from({ length: 100 }, (_, index) => seenServer(`other-${index}`));
  cloud.ports = [seenPort("1")];
  const ledger = new FakeLedger(came("a"), told.portIs("1", { revision: 1 }));
  const compared = ledger.compare(cloud, { reference: null });
  await assert.rejects(compared, { name: "NoConclusion", message: /^No comparison was complete yet; .* 1 servers/ });
});

Deno.test("compare() refuses another cloud whose floating IPs it sees, and of whose servers only its own", async () => {
  const cloud = new FakeCloud();
  cloud.allProjects = false;
  cloud.floatingIps = [seenFloatingIp("z")];
  cloud.servers = [seenServer("own", { projectId: "own" })];
  const ledger = new FakeLedger(came("own", "own"), came("a"), floatingIpOn("f", "1", "a"));
  await assert.rejects(ledger.compare(cloud, { reference: null }), { name: "NoConclusion" });
});

Deno.test("compare() refuses another cloud behind the same address", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("z")];
  const compared = new FakeLedger(came("a")).compare(cloud);
  await assert.rejects(compared, { name: "NoConclusion", message: /^Nothing is there of what is remembered/ });
});

Deno.test("compare() does not take another cloud's scope for its reference, if it came and went meanwhile", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("a")];
  const ledger = new FakeLedger(came("a"));
  cloud.hides = () => true;
  await assert.rejects(ledger.compare(cloud, { reference: null }), { name: "NoConclusion" });
  assert.deepEqual((await ledger.compare(cloud)).observations, []);
});

Deno.test("compare() plans what applying it tells: a floating IP is freed before its port moves", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("a"), seenServer("b")];
  cloud.ports = [seenPort("1", { serverId: "b", revision: 5 })];
  cloud.floatingIps = [seenFloatingIp("f", { revision: 3 })];
  const ledger = new FakeLedger(
    came("a"),
    came("b"),
    told.portIs("1", { server: "a", revision: 3 }),
    floatingIpOn("f", "1", "a"),
  );
  const plan = await ledger.compare(cloud);
  assert.deepEqual(keysOf(plan), ["floatingip/f/2/deletion"]);
  assert.deepEqual(ledger.apply(plan), ["floatingip/f/2/deletion"]);
});

Deno.test("compare() begins no association of a floating IP that has left the port of another one", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("a"), seenServer("b")];
  cloud.ports = [seenPort("1", { serverId: "b", revision: 5 }), seenPort("2", { serverId: "a", revision: 1 })];
  cloud.floatingIps = [seenOn("f", "1", "b", 3), seenOn("g", "2", "a", 3)];
  const ledger = new FakeLedger(
    came("a"),
    came("b"),
    told.portIs("1", { revision: 3 }),
    told.portIs("2", { server: "a", revision: 1 }),
    told.floatingIpCame("f", { revision: 1 }),
    told.floatingIpIs("g", { port: "1", server: null, revision: 2 }),
  );
  const plan = await ledger.compare(cloud);
  assert.deepEqual(keysOf(plan), ["floatingip/f/1/creation", "floatingip/g/1/creation"]);
  assert.deepEqual(ledger.apply(plan), ["floatingip/f/1/creation", "floatingip/g/1/creation"]);
  assert.deepEqual((await ledger.compare(cloud)).observations, []);
});

Deno.test("compare() repairs at once, without revisions, a floating IP whose server is gone and that is on another one", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("b")];
  cloud.ports = [seenPort("2", { serverId: "b", revision: null })];
  cloud.floatingIps = [seenFloatingIp("f", { portId: "2", fixedAddress: "10.0.0.5", revision: null })];
  const ledger = new FakeLedger(
    came("a"),
    came("b"),
    told.portIs("1", { server: "a" }),
    told.portIs("2", { server: "b" }),
    told.floatingIpIs("f", { port: "1" }),
  );
  const keys = ["floatingip/f/2/deletion", "server/a/deletion", "floatingip/f/3/creation"];
  const plan = await ledger.compare(cloud);
  assert.deepEqual(keysOf(plan), keys);
  assert.deepEqual(ledger.apply(plan), keys);
  assert.deepEqual((await ledger.compare(cloud)).observations, []);
});

Deno.test("compare() of what has changed reads all floating IPs: no listing of changes has those that are gone", async () => {
  const ledger = new FakeLedger(came("a"), floatingIpOn("f", "2", "a"), floatingIpOn("g", "3", "a"));
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("a")];
  cloud.ports = [seenPort("2", { serverId: "a" }), seenPort("3", { serverId: "a" })];
  cloud.floatingIps = [seenOn("f", "2", "a")];
  cloud.changed = [];
  const plan = await ledger.compare(cloud, { changesSince: "2026-11-21T19:00:00Z" });
  assert.deepEqual(plan.undecided, []);
  assert.deepEqual(keysOf(plan), ["floatingip/g/2/deletion"]);
  assert.equal(plan.found.floatingIps, 1);
});

Deno.test("compare() of one server asks for nothing else, and says nothing of others", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("b")];
  const asked: string[] = [];
  cloud.hides = (id) => {
    asked.push(id);
    return false;
  };
  const plan = await new FakeLedger(came("a"), came("b"), came("c")).compare(cloud, { server: "a" });
  assert.deepEqual(keysOf(plan), ["server/a/deletion"]);
  assert.ok(!asked.includes("c"));
  cloud.allProjects = false;
  const restricted = await new FakeLedger(came("a"), came("b"), came("c")).compare(cloud, { server: "a" });
  assert.deepEqual(restricted.undecided.map(({ id }) => id), ["a"]);
});

Deno.test("compare() remembers nothing of another cloud behind the same address, if a listed resource is not shown", async () => {
  const cloud = new FakeCloud();
  cloud.servers = [seenServer("a"), seenServer("b")];
  const ledger = new FakeLedger(came("a"));
  // The other cloud has the new server, and not the one that was listed first.
  cloud.hides = (id) => id === "a";
  await assert.rejects(ledger.compare(cloud), { name: "NoConclusion" });
});
