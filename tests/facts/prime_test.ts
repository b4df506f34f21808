import assert from "node:assert/strict";
import { type ListedPage, prime } from "../../src/facts/prime.ts";
import type { FloatingIpState, PortState } from "../../src/facts/network_payload.ts";
import type { ServerSnapshot } from "../../src/model/event.ts";
import { madeServer } from "../support/made_events.ts";
import { EVERYTHING } from "../support/rules.ts";
import {
  ADDRESS,
  came,
  cameVersioned,
  floatingIpCame,
  floatingIpGone,
  floatingIpIs,
  MAC,
  portGone,
  portIs,
  Story,
  went,
} from "../support/stories.ts";

/** A story that begins with what was read. */
class PrimedStory extends Story {
  /** Remembers a page; gives the ids that were missing. */
  read(found: ListedPage): readonly string[] {
    const { changes, missing } = prime(found, this.memory, EVERYTHING);
    this.memory.apply(changes);
    return missing;
  }

  /** The floating IP `f` at a revision, on port `1` of a server, or free. */
  readFloatingIp(revision: number, server?: string | null): readonly string[] {
    const isFree = server === undefined;
    const port = isFree ? null : { serverId: server, mac: MAC };
    const [portId, fixedAddress] = isFree ? [null, null] : ["1", "10.0.0.5"];
    const record: FloatingIpState = {
      id: "f",
      address: ADDRESS,
      projectId: null,
      portId,
      fixedAddress,
      revision,
      port,
    };
    return this.read({ listing: "floatingIps", records: [record] });
  }

  /** The port `1`. */
  readPort(revision: number, serverId: string | null, more: Partial<PortState> = {}): readonly string[] {
    const nothing = { mac: MAC, fixedAddresses: ["10.0.0.5"], dnsName: null, dnsHostname: null };
    return this.read({ listing: "ports", records: [{ ...nothing, id: "1", serverId, revision, ...more }] });
  }

  readServer(id: string, known: Partial<ServerSnapshot> = {}): readonly string[] {
    return this.read({ listing: "servers", records: [madeServer(id, known)] });
  }
}

Deno.test("prime() takes a lower revision for counted anew when the last message is older than the listing", () => {
  const read = (readAt: string) => {
    const story = new PrimedStory();
    story.tell(portIs("1", { server: "a", revision: 9, more: { updated_at: "2026-11-21T10:00:00Z" } }));
    story.tell(floatingIpIs("f", { port: "1", revision: 12, more: { updated_at: "2026-11-21T10:00:00Z" } }));
    const records = [{
      id: "f",
      address: ADDRESS,
      projectId: null,
      portId: null,
      fixedAddress: null,
      revision: 7,
      port: null,
    }];
    const rules = { ...EVERYTHING, readAtMs: Date.parse(readAt) };
    const { changes, missing, countedAnew } = prime({ listing: "floatingIps", records }, story.memory, rules);
    story.memory.apply(changes);
    assert.deepEqual(missing, []);
    return { countedAnew, keys: story.keys(floatingIpIs("f", { revision: 8 })) };
  };
  // The end that was missed is announced with the next message.
  assert.deepEqual(read("2026-11-21T10:01:01Z"), { countedAnew: ["f"], keys: ["floatingip/f/2/deletion"] });
  // The page may be older than the message.
  assert.deepEqual(read("2026-11-21T10:00:59Z"), { countedAnew: [], keys: [] });
});

Deno.test("prime() remembers what is new, and nothing twice", () => {
  const story = new PrimedStory();
  assert.deepEqual([story.readFloatingIp(5, "a"), story.readPort(4, "a"), story.readServer("a")], [["f"], ["1"], [
    "a",
  ]]);
  assert.deepEqual([story.readFloatingIp(6), story.readPort(5, null), story.readServer("a")], [[], [], []]);
  assert.equal(story.memory.floatingIp("f")?.association?.serverId, "a");
  assert.equal(story.memory.port("1")?.serverId, "a");
});

Deno.test("prime() brings nothing back that was deleted", () => {
  const story = new PrimedStory();
  for (const message of [went("a"), portGone("1"), floatingIpGone("f")]) story.tell(message);
  assert.deepEqual([story.readFloatingIp(5, "a"), story.readPort(4, "a"), story.readServer("a")], [[], [], []]);
  assert.deepEqual([story.memory.server("a")?.deleted, story.memory.port("1")?.deleted], [true, true]);
});

Deno.test("prime() fills what messages left open of a server, and changes nothing else", () => {
  const story = new PrimedStory();
  story.tell(came("a", { hostname: "alpha", fixed_ips: [] }));
  const addresses = [{ address: "10.0.0.5", mac: MAC, type: "fixed", network: "net", version: 4 }];
  assert.deepEqual(story.readServer("a", { hostname: "renamed", projectName: "shop", addresses }), []);
  const { hostname, projectName, addresses: known } = story.memory.server("a")!.snapshot;
  assert.deepEqual([hostname, projectName, known], ["alpha", "shop", []]);
});

Deno.test("decide() announces a server that came and went while it was read, once each", () => {
  const story = new PrimedStory();
  story.readServer("a", { description: "front end" });
  const [event] = story.tell(came("a")).events;
  assert.equal(event?.key, "server/a/creation");
  assert.equal(event.server.description, "front end");
  assert.deepEqual(story.keys(cameVersioned("a")), []);
  assert.deepEqual(story.keys(went("a")), ["server/a/deletion"]);
});

Deno.test("decide() gives the deletion of a primed server what was read of it", () => {
  const story = new PrimedStory();
  const dns = { dnsName: "alpha.example.com", dnsHostname: "alpha" };
  story.readPort(4, "a", dns);
  const addresses = [{ address: "10.0.0.5", mac: MAC, type: "fixed", network: "net", version: 4 }];
  story.readServer("a", { hostname: "alpha", addresses, metadata: { owner: "alice" } });
  const [event] = story.tell(went("a", { hostname: "renamed", metadata: { owner: "bob" } })).events;
  assert.equal(event?.creationSeen, false);
  const { hostname, dnsName, metadata } = event.server;
  assert.deepEqual([hostname, dnsName, event.server.addresses, metadata], [
    "alpha",
    "alpha.example.com",
    addresses,
    { owner: "bob" },
  ]);
});

Deno.test("decide() compares a newer message with what was primed", () => {
  const story = new PrimedStory();
  story.readFloatingIp(5, "a");
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "a", revision: 6 })), []);
  assert.deepEqual(story.keys(floatingIpIs("f", { revision: 7 })), ["floatingip/f/6/deletion (unseen)"]);
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "a", revision: 8 })), ["floatingip/f/7/creation"]);
  assert.deepEqual(story.keys(floatingIpIs("f", { revision: 9 })), ["floatingip/f/8/deletion"]);
});

Deno.test("decide() compares a message that is not newer with unknown, and then message with message", () => {
  const story = new PrimedStory();
  story.readFloatingIp(6);
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "a", revision: 5 })), ["floatingip/f/7/creation"]);
  assert.deepEqual(story.keys(floatingIpIs("f", { revision: 6 })), ["floatingip/f/8/deletion"]);
});

Deno.test("decide() ends what is unknown and free by a message that is not newer; a creation of it ends nothing", () => {
  const [one, other] = [new PrimedStory(), new PrimedStory()];
  one.readFloatingIp(6);
  other.readFloatingIp(0);
  assert.deepEqual(one.keys(floatingIpIs("f", { revision: 6 })), ["floatingip/f/7/deletion (unseen)"]);
  assert.deepEqual(other.keys(floatingIpCame("f", { revision: 0 })), []);
  assert.deepEqual(other.keys(floatingIpIs("f", { port: "1", server: "a", revision: 1 })), ["floatingip/f/1/creation"]);
});

Deno.test("decide() announces what stands when the message of it comes after a newer one", () => {
  const story = new PrimedStory();
  story.readFloatingIp(5, "a");
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "a", revision: 6 })), []);
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "b", revision: 4 })), ["floatingip/f/6/creation"]);
  assert.equal(story.memory.floatingIp("f")?.association?.serverId, "a");
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "a", revision: 5 })), []);
});

Deno.test("decide() announces an end when the deletion comes before the disassociation that was read", () => {
  const story = new PrimedStory();
  story.readFloatingIp(5);
  assert.deepEqual(story.keys(floatingIpGone("f", { revision: 5 })), []);
  assert.deepEqual(story.keys(floatingIpIs("f", { revision: 5 })), ["floatingip/f/6/deletion (unseen)"]);
  assert.deepEqual(story.keys(floatingIpIs("f", { revision: 4 })), []);
});

Deno.test("decide() announces what a port's message that is not newer did to its floating IPs", () => {
  const [attached, detached] = [new PrimedStory(), new PrimedStory()];
  attached.readFloatingIp(5, "a");
  attached.readPort(3, "a");
  detached.readFloatingIp(5, null);
  detached.readPort(4, null);
  assert.deepEqual(attached.keys(portIs("1", { server: "a", revision: 3 })), ["floatingip/f/6/creation"]);
  assert.deepEqual(attached.keys(portIs("1", { server: "a", revision: 3 })), []);
  assert.deepEqual(detached.keys(portIs("1", { server: "a", revision: 3 })), ["floatingip/f/6/creation"]);
  assert.deepEqual(detached.keys(portIs("1", { revision: 4 })), ["floatingip/f/7/deletion"]);
});

Deno.test("decide() announces a port's attachment that comes after a newer message of the port", () => {
  const story = new PrimedStory();
  story.readFloatingIp(5, "a");
  story.readPort(3, "a");
  assert.deepEqual(story.keys(portIs("1", { server: "a", revision: 4 })), []);
  assert.deepEqual(story.keys(portIs("1", { server: "a", revision: 3 })), ["floatingip/f/6/creation"]);
  assert.equal(story.memory.port("1")?.revision, 4);
});

Deno.test("decide() ends an association whose port went before ports were read", () => {
  const story = new PrimedStory();
  story.readFloatingIp(5, "a");
  const [event] = story.tell(portGone("1", { server: "a", revision: 3 })).events;
  assert.equal(event?.key, "floatingip/f/6/deletion");
  assert.equal(event.server.id, "a");
});

Deno.test("decide() ends an association that was moved away between the reading of the floating IP and of its port", () => {
  const story = new PrimedStory();
  story.readFloatingIp(5, "a");
  story.readPort(4, null);
  assert.deepEqual(story.keys(floatingIpIs("f", { revision: 6 })), ["floatingip/f/6/deletion (unseen)"]);
});

Deno.test("prime() takes the server from the port where floating IPs do not say it, as in old releases", () => {
  const story = new PrimedStory();
  const record = {
    id: "f",
    address: ADDRESS,
    projectId: null,
    portId: "1",
    fixedAddress: null,
    revision: 5,
    port: null,
  };
  story.read({ listing: "floatingIps", records: [record] });
  story.readPort(3, "a");
  assert.deepEqual(story.keys(went("a")), ["floatingip/f/6/deletion (unseen)", "server/a/deletion (unseen)"]);
});

Deno.test("decide() takes everything for unannounced where Neutron counts no revisions", () => {
  const story = new PrimedStory();
  const port = { serverId: "a", mac: MAC };
  const record = { id: "f", address: ADDRESS, projectId: null, portId: "1", fixedAddress: null, revision: null, port };
  story.read({ listing: "floatingIps", records: [record] });
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "a" })), ["floatingip/f/1/creation"]);
  assert.deepEqual(story.keys(floatingIpIs("f", { port: "1", server: "a" })), []);
});
