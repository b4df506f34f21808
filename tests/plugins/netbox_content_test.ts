import assert from "node:assert/strict";
import * as fc from "fast-check";
import { nameWithSuffix, stemOf } from "../../plugins/netbox_content.ts";

const ID = "4818c5b1-ac0b-4458-9eed-faf8936ad379";

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
