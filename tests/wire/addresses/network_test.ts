import assert from "node:assert/strict";
import { isLoopback } from "../../../src/wire/addresses/loopback.ts";
import { isInNetwork, readNetwork } from "../../../src/wire/addresses/network.ts";

const cases: readonly (readonly [network: string, address: string, isIn: boolean])[] = [
  ["10.0.0.7", "10.0.0.7", true],
  ["10.0.0.7", "10.0.0.8", false],
  ["10.0.0.0/24", "10.0.0.255", true],
  ["10.0.0.0/24", "10.0.1.0", false],
  ["10.0.0.128/25", "10.0.0.127", false],
  ["10.0.0.128/25", "10.0.0.128", true],
  ["0.0.0.0/0", "192.0.2.1", true],
  ["10.0.0.0/24", "::ffff:10.0.0.1", true],
  ["10.0.0.0/24", "2001:db8::1", false],
  ["2001:db8::/33", "2001:db8:7fff::1", true],
  ["2001:db8::/33", "2001:db8:8000::1", false],
  ["::1", "0:0:0:0:0:0:0:1", true],
  ["::1", "no address", false],
];

for (const [network, address, isIn] of cases) {
  Deno.test(`isInNetwork() says that ${address} is ${isIn ? "" : "not "}in ${network}`, () => {
    assert.equal(isInNetwork(address, readNetwork(network)!), isIn);
  });
}

Deno.test("readNetwork() reads nothing else", () => {
  for (const text of ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/a", "::/129", "10.0.0.0/8/8", "proxy"]) {
    assert.equal(readNetwork(text), null, text);
  }
});

Deno.test("isLoopback() knows the names of this machine alone", () => {
  for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]"]) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ["", "0.0.0.0", "::", "localhost.example", "127.0.0.1.example", "128.0.0.1"]) {
    assert.ok(!isLoopback(host), host);
  }
});
