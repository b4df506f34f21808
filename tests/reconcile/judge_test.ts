import assert from "node:assert/strict";
import type { Observation } from "../../src/facts/observation.ts";
import type { ServerSnapshot } from "../../src/model/event.ts";
import { type FindUpdate, judge } from "../../src/reconcile/judge.ts";
import { unknownServer } from "../../src/model/snapshot.ts";
import { EVERYTHING } from "../support/rules.ts";
import { ADDRESS, came, floatingIpIs, MAC, notification, portIs, Story, went } from "../support/stories.ts";
import { seenFloatingIp, seenPort } from "./made.ts";

const READ_AT = Date.UTC(2026, 10, 21, 20);

function judged(story: Story, observation: Observation) {
  return judge(observation, { memory: story.memory, rules: EVERYTHING, evidence: ["seen"] });
}

function server(id: string): Observation {
  return { what: "server", state: { ...unknownServer(id), hostname: "web" }, isNew: true };
}

function floatingIp(state: Parameters<typeof seenFloatingIp>[1]): Observation {
  return { what: "floatingIp", state: seenFloatingIp("f", state).state, isNew: true, readAtMs: READ_AT };
}

/** The server `a` with the floating IP `f` on its port `1`. */
function associated(): Story {
  const story = new Story();
  story.tell(came("a", { hostname: "web", tenant_id: "other" }));
  story.tell(portIs("1", { server: "a", revision: 3 }));
  story.tell(floatingIpIs("f", { port: "1", server: "a", revision: 2, more: { project_id: "other" } }));
  return story;
}

const ON_PORT_1 = { portId: "1", fixedAddress: "10.0.0.5", port: { serverId: "a", mac: null }, revision: 2 };

Deno.test("judge() finds nothing if memory has the server", () => {
  assert.equal(judged(associated(), server("a")), null);
});

Deno.test("judge() finds a server that was never told", () => {
  assert.deepEqual(judged(new Story(), server("a"))?.difference, {
    change: "untold",
    subject: "server",
    id: "a",
    name: "web",
    address: null,
    keys: ["server/a/creation"],
    evidence: ["seen"],
  });
});

/** A server that Nova shows, where changes are followed. */
function changed(story: Story, { readAtMs = READ_AT, ...state }: Partial<ServerSnapshot> & { readAtMs?: number }) {
  const observation: Observation = {
    what: "server",
    state: { ...unknownServer("a"), vcpus: 1, ...state },
    isNew: true,
    readAtMs,
  };
  const findUpdate: FindUpdate = ({ before, now }) =>
    before.snapshot.hostname === now.snapshot.hostname ? null : { key: "server/a/update/1", changed: ["FQDN"] };
  const rules = { ...EVERYTHING, follows: true };
  return judge(observation, { memory: story.memory, rules, findUpdate, evidence: ["seen"] });
}

/** The server `a`, whose changes are followed. */
function followed(): Story {
  const story = new Story({ follows: true });
  story.tell(came("a", { hostname: "web", vcpus: 1, metadata: { one: "1", two: "2" }, description: "shop" }));
  return story;
}

Deno.test("judge() finds a server that has changed in what is followed", () => {
  assert.deepEqual(changed(followed(), { hostname: "www", description: "shop" })?.difference, {
    change: "changed",
    subject: "server",
    id: "a",
    name: "www",
    address: null,
    keys: ["server/a/update/1"],
    evidence: ["seen", "Told otherwise: FQDN"],
  });
});

Deno.test("judge() only corrects memory where what has changed is not followed", () => {
  const judgement = changed(followed(), { hostname: "web", metadata: { one: "9" } });
  assert.equal(judgement?.difference, null);
  assert.deepEqual(judgement?.changes.servers[0]?.snapshot.metadata, { one: "9" });
});

Deno.test("judge() finds nothing where Nova says the same in another order, or does not say it", () => {
  assert.equal(changed(followed(), { hostname: "web", metadata: { two: "2", one: "1" } }), null);
  assert.equal(changed(followed(), {}), null);
});

Deno.test("judge() finds nothing if a message stated the server at about the time of the reading", () => {
  const story = followed();
  const said = Date.parse("2026-11-21T19:13:11.667Z");
  assert.equal(changed(story, { hostname: "www", readAtMs: said + 59_000 }), null);
  assert.notEqual(changed(story, { hostname: "www", readAtMs: said + 61_000 }), null);
});

Deno.test("judge() follows a server again whose deletion has failed, after an hour", () => {
  const story = followed();
  const time = "2026-11-21T19:14:00.000Z";
  const deleting = { instance_id: "a", hostname: "web", state: "active", state_description: "deleting" };
  story.tell(notification("compute.instance.update", deleting, { time }));
  assert.equal(story.memory.server("a")?.deletingSince, time);
  const after = (ms: number) => changed(story, { hostname: "www", readAtMs: Date.parse(time) + ms });
  assert.equal(after(1_800_000)?.difference ?? null, null);
  assert.equal(after(3_700_000)?.difference?.change, "changed");
});

Deno.test("judge() finds a server that has changed by its port", () => {
  const story = followed();
  story.tell(portIs("1", { server: "a", revision: 3 }));
  const { state } = seenPort("1", { serverId: "a", fixedAddresses: ["10.0.0.6"], mac: MAC, revision: 4 });
  const findUpdate: FindUpdate = () => ({ key: "server/a/update/1", changed: ["Addresses"] });
  const rules = { ...EVERYTHING, follows: true };
  const options = { memory: story.memory, rules, findUpdate, evidence: [] };
  const judgement = judge({ what: "port", state, readAtMs: READ_AT }, options);
  assert.equal(judgement?.difference?.change, "changed");
  assert.equal(judgement?.difference?.address, "10.0.0.6");
});

Deno.test("judge() finds a server that is gone, with the end of its association", () => {
  assert.deepEqual(judged(associated(), { what: "serverAbsent", id: "a" })?.difference, {
    change: "gone",
    subject: "server",
    id: "a",
    name: "web",
    address: null,
    keys: ["floatingip/f/2/deletion", "server/a/deletion"],
    evidence: ["seen"],
  });
});

Deno.test("judge() finds nothing of a server whose deletion was told, there or not", () => {
  const story = associated();
  story.tell(went("a"));
  assert.equal(judged(story, { what: "serverAbsent", id: "a" }), null);
  assert.equal(judged(story, server("a")), null);
});

Deno.test("judge() finds nothing of a server that is gone and was never remembered", () => {
  assert.equal(judged(new Story(), { what: "serverAbsent", id: "a" }), null);
});

Deno.test("judge() finds nothing if only the revision is newer", () => {
  assert.equal(judged(associated(), floatingIp({ ...ON_PORT_1, revision: 7 })), null);
});

Deno.test("judge() finds nothing in a state that is older than memory", () => {
  const story = associated();
  story.tell(floatingIpIs("f", { revision: 9, more: { updated_at: "2026-11-21T19:59:59Z" } }));
  assert.equal(judged(story, floatingIp({ ...ON_PORT_1, revision: 8 })), null);
});

Deno.test("judge() finds that a floating IP is free", () => {
  const difference = judged(associated(), floatingIp({ revision: 3 }))?.difference;
  assert.equal(difference?.change, "gone");
  assert.equal(difference?.subject, "floatingip");
  assert.equal(difference?.address, ADDRESS);
  assert.deepEqual(difference?.keys, ["floatingip/f/2/deletion"]);
});

Deno.test("judge() finds that a floating IP is on another server", () => {
  const story = associated();
  story.tell(came("b"));
  const moved = { portId: "2", fixedAddress: "10.0.0.5", port: { serverId: "b", mac: null }, revision: 3 };
  const difference = judged(story, floatingIp(moved))?.difference;
  assert.equal(difference?.change, "moved");
  assert.deepEqual(difference?.keys, ["floatingip/f/2/deletion", "floatingip/f/3/creation"]);
});

Deno.test("judge() takes what no target was told for a correction of memory", () => {
  const { state } = seenPort("2", { serverId: "a" });
  const judgement = judged(associated(), { what: "port", state, readAtMs: READ_AT });
  assert.equal(judgement?.difference, null);
  assert.deepEqual(judgement?.changes.ports.map(({ id, serverId }) => [id, serverId]), [["2", "a"]]);
});

Deno.test("judge() finds the association that a port ends", () => {
  const { state } = seenPort("1", { serverId: null, revision: 4 });
  const difference = judged(associated(), { what: "port", state, readAtMs: READ_AT })?.difference;
  assert.equal(difference?.change, "gone");
  assert.equal(difference?.subject, "floatingip");
  assert.equal(difference?.id, "1");
  assert.deepEqual(difference?.keys, ["floatingip/f/2/deletion"]);
});
