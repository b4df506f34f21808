import assert from "node:assert/strict";
import { type Observation, observedNotification } from "../../src/facts/observation.ts";
import type { FloatingIpState, PortState } from "../../src/facts/network_payload.ts";
import type { Notification } from "../../src/model/notification.ts";
import { unknownServer } from "../../src/model/snapshot.ts";
import {
  ADDRESS,
  came,
  cameVersioned,
  floatingIpGone,
  floatingIpIs,
  MAC,
  portGone,
  portIs,
  Story,
  went,
} from "../support/stories.ts";

const READ_AT = Date.UTC(2026, 10, 21, 20);
/** Updated just before it was read: within the difference that clocks may have. */
const JUST_NOW = "2026-11-21T19:59:59.000Z";
const LONG_AGO = "2026-11-21T18:00:00.000Z";

function seen(observation: Observation): Notification {
  return observedNotification(observation, { messageId: "0/0", time: "2026-11-21T20:01:00.000Z" });
}

function server(id: string, { isNew = true } = {}): Notification {
  return seen({ what: "server", state: unknownServer(id), isNew });
}

function serverAbsent(id: string): Notification {
  return seen({ what: "serverAbsent", id });
}

function port(id: string, serverId: string | null, more: Partial<PortState> = {}, comparedWith?: string): Notification {
  const fixed = { mac: MAC, fixedAddresses: ["10.0.0.5"], dnsName: null, dnsHostname: null, revision: null };
  const state = { id, serverId, ...fixed, ...more };
  return seen({ what: "port", state, readAtMs: READ_AT, ...(comparedWith === undefined ? {} : { comparedWith }) });
}

function portAbsent(id: string): Notification {
  return seen({ what: "portAbsent", id });
}

/** The floating IP `f`, on port `1` of a server or free. */
function floatingIp(serverId: string | null, revision: number | null, { isNew = true, comparedWith }: {
  readonly isNew?: boolean;
  readonly comparedWith?: string;
} = {}): Notification {
  const place = serverId === null
    ? { portId: null, fixedAddress: null, port: null }
    : { portId: "1", fixedAddress: "10.0.0.5", port: { serverId, mac: MAC } };
  const state: FloatingIpState = { id: "f", address: ADDRESS, projectId: "other", revision, ...place };
  const compared = comparedWith === undefined ? {} : { comparedWith };
  return seen({ what: "floatingIp", state, isNew, readAtMs: READ_AT, ...compared });
}

const FLOATING_IP_ABSENT = seen({ what: "floatingIpAbsent", id: "f" });

/** The server `a` with the floating IP `f` on its port `1`. */
function associated(updatedAt = LONG_AGO): Story {
  const story = new Story();
  const more = { updated_at: updatedAt };
  story.tell(came("a"));
  story.tell(portIs("1", { server: "a", revision: 3, more }));
  story.tell(floatingIpIs("f", { port: "1", server: "a", revision: 2, more }));
  return story;
}

Deno.test("decide() of a server that is there announces its creation, which late messages then repeat", () => {
  const story = new Story();
  assert.deepEqual(story.keys(server("a")), ["server/a/creation"]);
  assert.equal(story.outcome(came("a")), "repeated: another message of server/a/creation");
  assert.equal(story.outcome(cameVersioned("a")), "repeated: another message of server/a/creation");
});

Deno.test("decide() of a server that is there announces nothing after its message", () => {
  const story = new Story();
  story.tell(came("a"));
  assert.equal(story.outcome(server("a")), "repeated: another finding of server/a/creation");
});

Deno.test("decide() of a server from before the ledger remembers it, so that its deletion is announced", () => {
  const story = new Story();
  assert.deepEqual(story.keys(server("a", { isNew: false })), []);
  assert.deepEqual(story.keys(went("a")), ["server/a/deletion (unseen)"]);
});

Deno.test("decide() of a server that is there says that its deletion was told, and is doubtful", () => {
  const story = new Story();
  story.tell(came("a"));
  story.tell(went("a"));
  const { outcome, isDoubtful, events } = story.tell(server("a"));
  assert.deepEqual([outcome, isDoubtful, events], ["superseded", true, []]);
});

Deno.test("decide() of a server's absence announces its deletion, which late messages then repeat", () => {
  const story = new Story();
  story.tell(came("a"));
  assert.deepEqual(story.keys(serverAbsent("a")), ["server/a/deletion"]);
  assert.equal(story.outcome(went("a")), "repeated: another message of server/a/deletion");
  assert.equal(story.outcome(came("a")), "superseded: the server's deletion was recorded before its creation");
});

Deno.test("decide() of a server's absence announces the ends of its associations first", () => {
  assert.deepEqual(associated().keys(serverAbsent("a")), ["floatingip/f/2/deletion", "server/a/deletion"]);
});

Deno.test("decide() of a server's absence announces nothing after its message, or of an unknown server", () => {
  const story = new Story();
  story.tell(came("a"));
  story.tell(went("a"));
  assert.equal(story.outcome(serverAbsent("a")), "repeated: another finding of server/a/deletion");
  assert.equal(
    story.outcome(serverAbsent("b")),
    "remembered: nothing is remembered of the resource that is gone",
  );
});

Deno.test("decide() of a floating IP on a server announces the beginning, which a late message then repeats", () => {
  const story = new Story();
  story.tell(came("a"));
  assert.deepEqual(story.keys(floatingIp("a", 2)), ["floatingip/f/1/creation"]);
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "a", revision: 2 })), []);
  assert.deepEqual(story.keys(portIs("1", { server: "a", revision: 3 })), []);
});

Deno.test("decide() of a free floating IP announces the end, which a late message then repeats", () => {
  const story = associated();
  assert.deepEqual(story.keys(floatingIp(null, 3)), ["floatingip/f/2/deletion"]);
  assert.deepEqual(story.keys(floatingIpIs("f", { revision: 3 })), []);
});

Deno.test("decide() of a floating IP on another server announces the end, then the beginning", () => {
  const story = associated();
  story.tell(came("b"));
  assert.deepEqual(story.keys(floatingIp("b", 3)), ["floatingip/f/2/deletion", "floatingip/f/3/creation"]);
});

Deno.test("decide() of a floating IP supersedes the messages of what came before it", () => {
  const story = associated();
  story.tell(floatingIp(null, 9));
  const { outcome } = story.tell(floatingIpIs("f", { port: "1", server: "a", revision: 8 }));
  assert.equal(outcome, "superseded");
});

Deno.test("decide() of a floating IP changes nothing if memory has a higher revision from about that time", () => {
  const story = associated(JUST_NOW);
  assert.equal(
    story.outcome(floatingIp(null, 1)),
    "superseded: what was read of it is older than its revision 2, which was recorded before",
  );
});

Deno.test("decide() of a floating IP takes a lower revision over if memory is old: Neutron was restored", () => {
  const story = associated();
  const comparedWith = JSON.stringify(story.memory.floatingIp("f"));
  assert.deepEqual(story.keys(floatingIp(null, 1, { comparedWith })), ["floatingip/f/2/deletion"]);
});

Deno.test("decide() of a floating IP changes nothing if a message came after it was compared, whatever the clocks say", () => {
  const [freed, deleted] = [associated(), associated()];
  freed.tell(floatingIpIs("f", { revision: 3, more: { updated_at: LONG_AGO } }));
  assert.deepEqual(freed.keys(floatingIp("a", 2)), []);
  deleted.tell({ ...floatingIpGone("f", { port: "1", server: "a", revision: 2 }), time: LONG_AGO });
  assert.deepEqual(deleted.keys(floatingIp("a", 2)), []);
});

Deno.test("decide() of a floating IP changes nothing if it was deleted at about that time", () => {
  const story = associated();
  story.tell(floatingIpGone("f", { port: "1", server: "a", revision: 2 }));
  const late = { ...floatingIpGone("f"), time: JUST_NOW };
  const other = associated();
  other.tell(late);
  assert.equal(
    other.outcome(floatingIp("a", 2)),
    "superseded: what was read of it is older than its deletion, which was recorded before",
  );
});

Deno.test("decide() of a floating IP that was deleted long before takes it over: Neutron was restored", () => {
  const story = associated();
  story.tell({ ...floatingIpGone("f", { port: "1", server: "a", revision: 2 }), time: LONG_AGO });
  const comparedWith = JSON.stringify(story.memory.floatingIp("f"));
  assert.deepEqual(story.keys(floatingIp("a", 2, { comparedWith })), ["floatingip/f/3/creation"]);
});

Deno.test("decide() of a floating IP from before the ledger remembers its association, so that its end is announced", () => {
  const story = new Story();
  assert.deepEqual(story.keys(floatingIp("a", 2, { isNew: false })), []);
  assert.deepEqual(story.keys(floatingIpIs("f", { revision: 3 })), ["floatingip/f/3/deletion (unseen)"]);
});

Deno.test("decide() of a floating IP without revisions changes nothing if memory has changed since", () => {
  const story = new Story();
  story.tell(came("a"));
  story.tell(floatingIpIs("f"));
  const comparedWith = JSON.stringify(story.memory.floatingIp("f"));
  story.tell(portIs("1", { server: "a" }));
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  assert.equal(
    story.outcome(floatingIp(null, null, { comparedWith })),
    "superseded: a message of it was recorded after it was read",
  );
});

Deno.test("decide() of a floating IP without revisions counts if memory is as it was", () => {
  const story = new Story();
  story.tell(came("a"));
  story.tell(floatingIpIs("f"));
  const comparedWith = JSON.stringify(story.memory.floatingIp("f"));
  assert.deepEqual(story.keys(floatingIp("a", null, { comparedWith })), ["floatingip/f/2/creation"]);
});

Deno.test("decide() of a floating IP's absence announces the end, which a late message then repeats", () => {
  const story = associated();
  assert.deepEqual(story.keys(FLOATING_IP_ABSENT), ["floatingip/f/2/deletion"]);
  assert.equal(
    story.outcome(floatingIpGone("f", { port: "1", server: "a", revision: 2 })),
    "repeated: the floating IP's deletion was recorded before",
  );
});

Deno.test("decide() of a floating IP's absence announces nothing after its message", () => {
  const story = associated();
  story.tell(floatingIpGone("f", { port: "1", server: "a", revision: 2 }));
  assert.equal(story.outcome(FLOATING_IP_ABSENT), "repeated: the floating IP's deletion was recorded before");
});

Deno.test("decide() of a floating IP does not undo a message of its port that came after the reading", () => {
  const story = associated();
  story.tell(came("b"));
  story.tell(portIs("1", { server: "b", revision: 4, more: { updated_at: JUST_NOW } }));
  assert.deepEqual(story.keys(floatingIp("a", 2)), []);
  assert.equal(story.memory.port("1")?.serverId, "b");
});

Deno.test("decide() of a port on another server moves its floating IPs", () => {
  const story = associated();
  assert.deepEqual(story.keys(port("1", "b", { revision: 4 })), ["floatingip/f/2/deletion", "floatingip/f/3/creation"]);
  assert.deepEqual(story.keys(portIs("1", { server: "b", revision: 4 })), []);
});

Deno.test("decide() of a free port ends the associations on it", () => {
  assert.deepEqual(associated().keys(port("1", null, { revision: 4 })), ["floatingip/f/2/deletion"]);
});

Deno.test("decide() of a port without a revision changes nothing if memory has changed since", () => {
  const story = associated();
  assert.equal(
    story.outcome(port("1", null, {}, "null")),
    "superseded: a message of it was recorded after it was read",
  );
});

Deno.test("decide() of a port's absence ends the associations on it, which a late message then repeats", () => {
  const story = associated();
  assert.deepEqual(story.keys(portAbsent("1")), ["floatingip/f/2/deletion"]);
  assert.equal(
    story.outcome(portGone("1", { server: "a", revision: 3 })),
    "repeated: the port's deletion was recorded before",
  );
});

Deno.test("decide() of an observation leaves numbers that a ledger may have used after its backup", () => {
  const story = new Story({ restoredAtMs: Date.UTC(2026, 10, 21) });
  story.tell(came("a"));
  assert.deepEqual(story.keys(floatingIp("a", 2)), ["floatingip/f/1795219201/creation"]);
  assert.deepEqual(story.keys(floatingIp(null, 3)), ["floatingip/f/1795219202/deletion"]);
});
