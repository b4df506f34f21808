import assert from "node:assert/strict";
import { MAX_FLOATING_IPS, MAX_ITEMS } from "../../src/model/bounds.ts";
import type { FloatingIpMemory, Memory } from "../../src/model/memory.ts";
import { decide } from "../../src/facts/decide.ts";
import { Draft } from "../../src/facts/draft.ts";
import { detailMaker } from "../../src/runtime/detail_stage.ts";
import { SILENT } from "../support/loggers.ts";
import { EVERYTHING } from "../support/rules.ts";
import { came, floatingIpIs, floatingIpOf, notification, portIs, Story, went } from "../support/stories.ts";

Deno.test("decide() follows as many floating IPs of a port as there can be, and says when there are more", () => {
  const story = new Story();
  for (let n = 0; n < MAX_FLOATING_IPS; n++) story.tell(floatingIpIs(`f${n}`, { port: "1", server: "a" }));
  const { events, outcome, warnings } = story.tell(floatingIpIs("late", { port: "1", server: "a" }));
  const reason = "the port 1 has 256 floating IPs already; no more are followed";
  assert.deepEqual([events, outcome, warnings], [[], "superseded", [reason]]);
  // One that goes makes room; one that is there may be edited.
  assert.deepEqual(story.keys(floatingIpIs("f0")), ["floatingip/f0/2/deletion"]);
  assert.deepEqual(story.keys(floatingIpIs("f1", { port: "1", server: "a" })), []);
  assert.deepEqual(story.keys(floatingIpIs("late", { port: "1", server: "a" })), ["floatingip/late/1/creation"]);
});

Deno.test("decide() ends the association of a floating IP that moves to where it is not followed", () => {
  const story = new Story();
  for (let n = 0; n < MAX_FLOATING_IPS; n++) story.tell(floatingIpIs(`f${n}`, { port: "1", server: "a" }));
  story.tell(floatingIpIs("late", { port: "2", server: "b" }));
  assert.deepEqual(story.keys(floatingIpIs("late", { port: "1", server: "a" })), ["floatingip/late/2/deletion"]);
});

Deno.test("decide() follows as many floating IPs of a server as there can be, however many ports it has", () => {
  const story = new Story();
  story.tell(came("a"));
  for (let n = 0; n < MAX_FLOATING_IPS; n++) story.tell(floatingIpIs(`f${n}`, { port: `${n}`, server: "a" }));
  const { events, warnings } = story.tell(floatingIpIs("late", { port: "late", server: "a" }));
  assert.deepEqual(events, []);
  assert.deepEqual(warnings, ["the server a has 256 floating IPs already; no more are followed"]);
  assert.equal(story.tell(went("a")).events.length, MAX_FLOATING_IPS + 1);
});

Deno.test("decide() gives each event of a bulk message the floating IPs as they are by then", () => {
  const story = new Story();
  story.tell(portIs("1", { server: "a" }));
  const floatingips = Array.from({ length: 100 }, (_, n) => floatingIpOf(`f${n}`, { port: "1" }));
  const { events } = story.tell(notification("floatingip.update.end", { floatingips }));
  assert.deepEqual(events.map(({ floatingIps }) => floatingIps.length), floatingips.map((_, n) => n + 1));
  assert.ok(events.every(({ cut }) => cut === undefined));
});

Deno.test("decide() asks memory once for what all resources of a bulk message are on", () => {
  const { memory } = new Story();
  const calls = new Map<string, number>();
  const counted = new Proxy(memory as Memory, {
    get: (target, name: keyof Memory) => (id: string) => {
      if (name.endsWith("Server") || name.endsWith("Port")) calls.set(name, (calls.get(name) ?? 0) + 1);
      return target[name](id);
    },
  });
  const floatingips = Array.from({ length: 100 }, (_, n) => floatingIpOf(`f${n}`, { port: "1", server: "a" }));
  decide(notification("floatingip.update.end", { floatingips }), counted, EVERYTHING);
  assert.ok(Math.max(...calls.values()) <= 2, JSON.stringify([...calls]));
});

Deno.test("decide() follows one server of a port in a bulk message that names a different one with each floating IP", () => {
  const story = new Story();
  const floatingips = Array.from({ length: 100 }, (_, n) => floatingIpOf(`f${n}`, { port: "1", server: `s${n}` }));
  const { events } = story.tell(notification("floatingip.update.end", { floatingips }));
  assert.deepEqual(events.map(({ server }) => server.id), floatingips.map(() => "s0"));
});

Deno.test("decide() repeats metadata and lists as far as one message may, and says where they lack", () => {
  const story = new Story();
  const metadata = Object.fromEntries(
    Array.from({ length: 128 }, (_, n) => [`${n}`.padEnd(255, "k"), "v".repeat(255)]),
  );
  const fixed_ips = Array.from({ length: 20 }, (_, n) => ({ address: `10.0.0.${n}` }));
  const floatingips = Array.from({ length: 200 }, (_, n) => floatingIpOf(`f${n}`, { port: "1", server: "a" }));
  story.tell(came("a", { metadata, fixed_ips, hostname: "alpha" }));
  const { events, warnings } = story.tell(notification("floatingip.update.end", { floatingips }));
  const whole = events.filter(({ cut }) => cut === undefined);
  assert.ok(whole.length > 90 && whole.length < 150, `${whole.length}`);
  assert.ok(whole.every(({ server }) => server.metadata !== null && server.addresses.length === 20));
  assert.equal(warnings?.length, 1);
  const last = events.at(-1);
  assert.equal(last?.server.hostname, "alpha");
  const { detail, missing } = detailMaker({}, SILENT)(last);
  assert.deepEqual([detail.Metadata, detail.Addresses.length, detail.FloatingIPs.length], [{}, 8, 8]);
  const ofMetadata = ["Metadata", "Owner", "AdditionalUsers", "ApplicationName", "EnvironmentCI", "Description"];
  assert.deepEqual(missing, [...ofMetadata, "Addresses", "FloatingIPs"]);
});

Deno.test("decide() knows as many addresses of a server's ports as a server can have", () => {
  const story = new Story();
  for (let port = 0; port < 3; port++) {
    const fixed_ips = Array.from({ length: 100 }, (_, n) => ({ ip_address: `10.0.${port}.${n}` }));
    story.tell(portIs(`${port}`, { server: "a", more: { fixed_ips } }));
  }
  const [event] = story.tell(floatingIpIs("f", { port: "1", server: "a" })).events;
  assert.equal(event?.server.addresses.length, MAX_ITEMS);
});

Deno.test("Draft lists what memory has and then what was written, in that order", () => {
  const stored = ["a", "b", "c"].map((id) => floatingIp(id, "1"));
  const draft = new Draft({
    server: () => undefined,
    port: () => undefined,
    floatingIp: (id) => stored.find((one) => one.id === id),
    portsOfServer: () => [],
    floatingIpsOnPort: (port) => stored.filter(({ portId }) => portId === port),
    floatingIpsOfServer: () => [],
  });
  const ids = (port: string) => draft.floatingIpsOnPort(port).map(({ id }) => id);
  assert.deepEqual(ids("1"), ["a", "b", "c"]);
  draft.putFloatingIp(floatingIp("d", "1"));
  draft.putFloatingIp(floatingIp("a", "1"));
  assert.deepEqual(ids("1"), ["b", "c", "d", "a"]);
  draft.putFloatingIp(floatingIp("d", "1"));
  draft.putFloatingIp(floatingIp("b", "2"));
  assert.deepEqual([ids("1"), ids("2")], [["c", "d", "a"], ["b"]]);
});

function floatingIp(id: string, portId: string): FloatingIpMemory {
  const nothing = { projectId: null, fixedAddress: null, revision: null, association: null };
  return { ...nothing, id, address: id, portId, deleted: false, transitions: 0 };
}
