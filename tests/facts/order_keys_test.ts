import assert from "node:assert/strict";
import { orderKeys } from "../../src/facts/order_keys.ts";
import { unknownServer } from "../../src/model/snapshot.ts";
import type { Address, ServerSnapshot } from "../../src/model/event.ts";
import { ADDRESS, came, floatingIpIs, Story, went } from "../support/stories.ts";

const address = (text: string): Address => ({ address: text, mac: null, type: null, network: null, version: null });
const SERVER: ServerSnapshot = {
  ...unknownServer("a"),
  projectId: "p",
  hostname: "Alpha",
  addresses: [address("10.0.0.5"), address("2001:db8::5")],
};
const FLOATING_IP = { id: "f", address: "203.0.113.7", fixedAddress: null, mac: null };

Deno.test("orderKeys() gives a server's event its server, its name and its fixed addresses", () => {
  assert.deepEqual(orderKeys({ server: SERVER, floatingIp: null }), [
    "server/a",
    "name/p/alpha",
    "fixed/p/10.0.0.5",
    "fixed/p/2001:db8::5",
  ]);
});

Deno.test("orderKeys() gives an association's event the floating address too", () => {
  assert.deepEqual(orderKeys({ server: SERVER, floatingIp: FLOATING_IP }), [
    "server/a",
    "floating/203.0.113.7",
    "name/p/alpha",
    "fixed/p/10.0.0.5",
    "fixed/p/2001:db8::5",
  ]);
});

Deno.test("orderKeys() gives a server's event the floating address that its message named, once", () => {
  const server = { ...SERVER, floatingAddress: "203.0.113.7", addresses: [] };
  const want = ["server/a", "floating/203.0.113.7", "name/p/alpha"];
  assert.deepEqual(orderKeys({ server, floatingIp: null }), want);
  assert.deepEqual(orderKeys({ server, floatingIp: FLOATING_IP }), want);
});

Deno.test("orderKeys() gives names and fixed addresses only within a project", () => {
  assert.deepEqual(orderKeys({ server: { ...SERVER, projectId: null }, floatingIp: null }), ["server/a"]);
});

Deno.test("orderKeys() gives the floating address alone where there is no server", () => {
  assert.deepEqual(orderKeys({ server: unknownServer(null), floatingIp: FLOATING_IP }), ["floating/203.0.113.7"]);
});

Deno.test("decide() lets the end at one server and the beginning at another share the floating address", () => {
  const story = new Story();
  story.tell(came("a", { tenant_id: "p", hostname: "alpha" }));
  story.tell(came("b", { tenant_id: "p", hostname: "beta" }));
  story.tell(floatingIpIs("f", { port: "1", server: "a" }));
  const { events } = story.tell(floatingIpIs("f", { port: "2", server: "b" }));
  assert.deepEqual(events.map(({ orderKeys }) => orderKeys), [
    ["server/a", `floating/${ADDRESS}`, "name/p/alpha", "fixed/p/10.0.0.5"],
    ["server/b", `floating/${ADDRESS}`, "name/p/beta", "fixed/p/10.0.0.5"],
  ]);
});

Deno.test("decide() lets the end of one server and the coming of another share a name and a fixed address", () => {
  const story = new Story();
  const same = { tenant_id: "p", hostname: "alpha", fixed_ips: [{ address: "10.0.0.5" }] };
  story.tell(came("a", same));
  const [gone] = story.tell(went("a", { tenant_id: "p", hostname: "alpha" })).events;
  const [next] = story.tell(came("b", same)).events;
  assert.deepEqual(gone?.orderKeys, ["server/a", "name/p/alpha", "fixed/p/10.0.0.5"]);
  assert.deepEqual(next?.orderKeys, ["server/b", "name/p/alpha", "fixed/p/10.0.0.5"]);
});
