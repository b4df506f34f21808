import assert from "node:assert/strict";
import * as fc from "fast-check";
import { canonical, nameWithSuffix, stemOf } from "../../plugins/netbox_content.ts";

const ID = "4818c5b1-ac0b-4458-9eed-faf8936ad379";

Deno.test("canonical() gives the shortest form of an address, and nothing for what is none", () => {
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
  for (const [address, expected] of rows) assert.equal(canonical(address), expected, address);
});

Deno.test("nameWithSuffix() stays within NetBox's 64 characters", () => {
  assert.equal(nameWithSuffix("web-1", ID), "web-1-4818c5b1");
  assert.equal(nameWithSuffix("😀".repeat(64), ID), `${"😀".repeat(54)}…-4818c5b1`);
});

Deno.test("stemOf() is the same with and without the suffix, whatever the name", () => {
  const names = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 64 }),
    fc.constantFrom("", ID, "-4818c5b1", "x".repeat(64)),
  );
  fc.assert(fc.property(names, (name) => {
    if (name.endsWith("-4818c5b1")) return;
    assert.equal(stemOf(nameWithSuffix(name, ID), ID), stemOf(name, ID));
  }));
});
