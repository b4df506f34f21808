import assert from "node:assert/strict";
import { ipAddress } from "oss-watcher/kit";

Deno.test("ipAddress() gives the shortest form of an address, and nothing for what is none", () => {
  const rows: readonly (readonly [string, string | null])[] = [
    ["10.0.0.1", "10.0.0.1"],
    ["10.0.0.256", null],
    ["10.0.1", null],
    ["0x0a000001", null],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["2001:db8::1%eth0", null],
    ["::1]/x?", null],
    ["fe80::g", null],
    [":", null],
    ["", null],
    ["\u202e10.0.0.1", null],
  ];
  for (const [address, expected] of rows) assert.equal(ipAddress(address), expected, address);
});
