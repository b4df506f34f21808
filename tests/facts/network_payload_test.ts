import assert from "node:assert/strict";
import { readFloatingIps, readId, readPorts } from "../../src/facts/network_payload.ts";
import type { JsonObject } from "../../src/model/notification.ts";
import { floatingIpIs, notification, portIs } from "../support/stories.ts";

const floatingIp = (payload: JsonObject) => readFloatingIps(notification("floatingip.update.end", payload));
const port = (more: JsonObject) => readPorts(portIs("1", { server: "a", more }))[0];

Deno.test("readFloatingIps() reads the state of a floating IP", () => {
  const details = { port: "1", server: "a", revision: 3, more: { project_id: "p", tenant_id: "t" } };
  assert.deepEqual(readFloatingIps(floatingIpIs("f", details)), [{
    id: "f",
    address: "203.0.113.7",
    projectId: "p",
    portId: "1",
    fixedAddress: "10.0.0.5",
    revision: 3,

    updatedAt: null,
    port: { serverId: "a", mac: "fa:16:3e:00:00:05" },
  }]);
});

Deno.test("readFloatingIps() reads a floating IP of an old release", () => {
  const old = {
    id: "f",
    floating_ip_address: "203.0.113.7",
    tenant_id: "t",
    port_id: "1",
    fixed_ip_address: "10.0.0.5",
  };
  assert.deepEqual(floatingIp({ floatingip: old }), [{
    id: "f",
    address: "203.0.113.7",
    projectId: "t",
    portId: "1",
    fixedAddress: "10.0.0.5",
    revision: null,

    updatedAt: null,
    port: null,
  }]);
});

Deno.test("readFloatingIps() reads a free floating IP", () => {
  const [state] = readFloatingIps(floatingIpIs("f"));
  assert.deepEqual([state?.portId, state?.fixedAddress, state?.port], [null, null, null]);
});

Deno.test("readFloatingIps() takes the id from beside the floating IP", () => {
  const [state] = floatingIp({ floatingip_id: "f", floatingip: { floating_ip_address: "203.0.113.7" } });
  assert.equal(state?.id, "f");
});

Deno.test("readFloatingIps() skips what has no id or no address", () => {
  const floatingips = [{ id: "f" }, { floating_ip_address: "203.0.113.7" }, null, 7, "x", [], {
    id: "",
    floating_ip_address: "x",
  }];
  assert.deepEqual(floatingIp({ floatingips }), []);
});

Deno.test("readPorts() takes device_id for a server's only where device_owner says so", () => {
  for (
    const [owner, server] of [
      ["compute:zone-1", "a"],
      ["compute:", "a"],
      ["compute:None", "a"],
      ["compute", null],
      ["network:router_interface", null],
      ["Octavia", null],
      ["", null],
      [null, null],
      [7, null],
    ] as const
  ) {
    assert.equal(port({ device_owner: owner })?.serverId, server, String(owner));
  }
  assert.equal(port({ device_id: "" })?.serverId, null);
});

Deno.test("readPorts() reads a port's name in the DNS without its last dot", () => {
  const { dnsName, dnsHostname } = port({ dns_assignment: [{ hostname: "alpha", fqdn: "alpha.example.org." }] })!;
  assert.deepEqual([dnsName, dnsHostname], ["alpha.example.org", "alpha"]);
  for (const dns_assignment of [null, [], [{}], [{ fqdn: "." }], "alpha", [null]]) {
    assert.equal(port({ dns_assignment })?.dnsName, null);
  }
});

Deno.test("readPorts() reads MAC addresses in lower case", () => {
  assert.equal(port({ mac_address: "FA:16:3E:AB:CD:EF" })?.mac, "fa:16:3e:ab:cd:ef");
});

Deno.test("readPorts() reads fixed addresses and skips what is none", () => {
  const fixed_ips = [{ ip_address: "10.0.0.5" }, { ip_address: "" }, {}, null, { ip_address: "2001:db8::5" }];
  assert.deepEqual(port({ fixed_ips })?.fixedAddresses, ["10.0.0.5", "2001:db8::5"]);
  assert.deepEqual(port({ fixed_ips: "10.0.0.5" })?.fixedAddresses, []);
});

Deno.test("readId() gives the id of what is named without its state", () => {
  const read = (payload: JsonObject) => readId(notification("port.delete.end", payload), "port");
  assert.equal(read({ port_id: "1" }), "1");
  assert.equal(read({ port: { id: "1" } }), "1");
  for (const payload of [{}, { port_id: "" }, { port_id: 7 }, { port: null }, { port: [] }, { floatingip_id: "f" }]) {
    assert.equal(read(payload), null);
  }
});
