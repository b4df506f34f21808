import assert from "node:assert/strict";
import fc from "fast-check";
import { PermanentError } from "../../../src/model/errors.ts";
import { changesOf, ldapValues, namingValues, rdnOf, valuesIn } from "../../../src/wire/ldap/ldap_entry.ts";
import { cpuMs } from "../../support/cpu.ts";

const entry = { dn: "cn=web", attributes: new Map([["CN", ["Web", "www"]], ["l", ["Köln"]]]) };

for (
  const [attribute, texts, values] of [
    ["cn", ["a", "A ", "", " ", "b\0"], ["a", "b\\u{0}"]],
    ["ipHostNumber", ["10.0.0.5", "2001:db8::5", "::ffff:10.0.0.5", "fe80::1", "10.0.0.5\n"], [
      "10.0.0.5",
      "2001:db8::5",
      "::ffff:10.0.0.5",
      "fe80::1",
    ]],
    ["IPHOSTNUMBER", ["", "web", "10.0.0", "1.2.3.4)(cn=*", "a:b", "10.0.0.5/24", "<10.0.0.5>"], []],
    ["macAddress", ["fa:16:3e:00:00:01", "FA:16:3E:00:00:01", "fa-16-3e-00-00-01", "x"], ["fa:16:3e:00:00:01"]],
    ["serialNumber", ["5bd8-a", "a_b*é"], ["5bd8-a", "a?b??"]],
    ["mail", ["ü@example.com"], ["\\u{fc}@example.com"]],
    ["constructor", ["ü"], ["ü"]],
  ] as const
) {
  Deno.test(`ldapValues() gives ${attribute} what it can hold of ${JSON.stringify(texts)}`, () => {
    assert.deepEqual(ldapValues(attribute, texts), values);
  });
}

Deno.test("ldapValues() cuts long texts and long lists", () => {
  assert.deepEqual(ldapValues("cn", ["x".repeat(65_536)]), [`${"x".repeat(1023)}…`]);
  assert.equal(ldapValues("cn", Array.from({ length: 10_000 }, (_, index) => `user ${index}`)).length, 256);
});

Deno.test("rdnOf() names by the first value of each attribute", () => {
  const attributes = new Map([["cn", ["R+D, 1", "alias"]], ["serialNumber", ["5bd8"]]]);
  assert.equal(rdnOf(attributes, ["CN", "serialnumber"]), "cn=R\\2BD\\2C 1+serialNumber=5bd8");
  assert.throws(() => rdnOf(attributes, ["uid"]), PermanentError);
});

for (const unit of ["x", "東", "😀", ",", "\ufdfa"]) {
  Deno.test(`rdnOf() cuts a name of ${unit} to what OpenLDAP can store, in the entry too, and at once`, () => {
    const attributes = new Map([["cn", [unit.repeat(1024)]]]);
    const start = cpuMs();
    const name = rdnOf(attributes, ["cn"]);

    assert.ok(cpuMs() - start < 100);
    const [value = ""] = attributes.get("cn") ?? [];
    assert.ok(new TextEncoder().encode(value.normalize("NFKC")).length <= 220);
    assert.ok(new TextEncoder().encode(name).length <= 223 && value.isWellFormed() && value.length > 0);
  });
}

for (
  const [dn, names] of [
    ["cn=web,dc=com", [["cn", "web"]]],
    ["CN=a\\, b + serialNumber=x\\+y,dc=com", [["cn", "a, b"], ["serialnumber", "x+y"]]],
    ["cn=ends in \\\\,sn=x", [["cn", "ends in \\"]]],
    ["cn=a\\2C\\2Bsn=b;dc=com", [["cn", "a,+sn=b"]]],
    ["cn=K\\C3\\B6ln\\20,dc=com", [["cn", "Köln "]]],
    ["cn=東\\E4\\BA\\AC😀,dc=com", [["cn", "東京😀"]]],
    ["cn=#0403616263,dc=com", [["cn", "#0403616263"]]],
    ["", []],
  ] as const
) {
  Deno.test(`namingValues() finds ${JSON.stringify(names)} in ${dn}`, () => {
    assert.deepEqual([...namingValues(dn)], names);
  });
}

Deno.test("namingValues() finds what rdnOf() has named, whatever it is", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
    const [value = ""] = ldapValues("cn", [text]);
    if (value === "") return;
    const attributes = new Map([["cn", [value]], ["sn", ["x"]]]);
    const dn = `${rdnOf(attributes, ["cn", "sn"])},dc=com`;
    assert.deepEqual([...namingValues(dn)], [["cn", attributes.get("cn")?.[0]], ["sn", "x"]]);
  }));
});

Deno.test("valuesIn() compares names without case", () => {
  assert.deepEqual([valuesIn(entry, "cn"), valuesIn(entry, "uid")], [["Web", "www"], []]);
});

for (
  const [wanted, changes] of [
    [["www", "Web"], []],
    [["Web", "www", "x"], [{ operation: "add", attribute: "cn", values: ["x"] }]],
    [["Web"], [{ operation: "delete", attribute: "cn", values: ["www"] }]],
    [["WEB", "www"], [{ operation: "replace", attribute: "cn", values: ["WEB", "www"] }]],
    [["x"], [{ operation: "replace", attribute: "cn", values: ["x"] }]],
    [[], [{ operation: "delete", attribute: "cn", values: [] }]],
  ] as const
) {
  Deno.test(`changesOf() makes Web and www ${JSON.stringify(wanted)}`, () => {
    assert.deepEqual(changesOf(entry, "cn", wanted), changes);
  });
}

Deno.test("changesOf() does nothing to an attribute that is not there and shall not be", () => {
  assert.deepEqual(changesOf(entry, "uid", []), []);
});
