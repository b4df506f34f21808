import assert from "node:assert/strict";
import { newNameOf, renamedEntry } from "../../../src/wire/ldap/ldap_renaming.ts";

const at = (dn: string) => ({ dn, attributes: new Map<string, readonly string[]>() });
const nameable = ["cn", "ou"];

for (
  const [what, there, from, to, name] of [
    ["nothing differs", "cn=a,ou=x", "cn=a,ou=x", "cn=a,ou=x", null],
    ["the RDN differs", "cn=a,ou=x", "cn=a,ou=x", "cn=b,ou=x", { rdn: "cn=b" }],
    ["the parent differs", "cn=a,ou=x", "cn=a,ou=x", "cn=a,ou=y", { rdn: "cn=a", parent: "ou=y" }],
    ["both differ", "cn=a,ou=x", "cn=a,ou=x", "cn=b,ou=y,dc=z", { rdn: "cn=b", parent: "ou=y,dc=z" }],
    ["both are done", "cn=b,ou=y", "cn=a,ou=x", "cn=b,ou=y", null],
    ["the RDN is done", "cn=b,ou=x", "cn=a,ou=x", "cn=b,ou=y", { rdn: "cn=b", parent: "ou=y" }],
    ["the case alone differs", "cn=A, OU=X", "cn=a,ou=x", "cn=A,ou=X", null],
    ["the escapes alone differ", "cn=a\\,b,ou=x\\+", "cn=o,ou=o", "cn=a\\2Cb,ou=x\\2B", null],
    ["the order of values alone differs", "cn=a+sn=1,ou=x", "cn=o+sn=1,ou=x", "sn=1+cn=a,ou=x", null],
    ["somebody moved it", "cn=a,ou=elsewhere", "cn=a,ou=x", "cn=b,ou=x", { rdn: "cn=b" }],
    ["somebody named it", "uid=me,ou=x", "cn=a,ou=x", "cn=b,ou=y", { rdn: "uid=me", parent: "ou=y" }],
    ["its name holds its ID alone", "sn=1,ou=x", "cn=a,ou=x", "cn=b,ou=x", null],
    ["its name keeps its ID", "cn=a+sn=1,ou=x", "cn=a+sn=1,ou=x", "cn=b+sn=1,ou=x", { rdn: "cn=b+sn=1" }],
    ["it is moved with escapes", "uid=a\\,b\\20,ou=x", "cn=a,ou=x", "cn=a,ou=y", {
      rdn: "uid=a\\2Cb\\20",
      parent: "ou=y",
    }],
  ] as const
) {
  Deno.test(`newNameOf() is ${JSON.stringify(name)} when ${what}`, () => {
    assert.deepEqual(newNameOf(at(there), { from, to, nameable }), name);
  });
}

Deno.test("renamedEntry() has the values of the new name in place of those of the old one", () => {
  const attributes = new Map([["CN", ["a", "alias"]], ["sn", ["1"]], ["o", ["Inventory"]]]);

  assert.deepEqual(renamedEntry({ dn: "cn=A+sn=1,ou=x", attributes }, { rdn: "cn=b\\2C c+sn=1" }), {
    dn: "cn=b\\2C c+sn=1,ou=x",
    attributes: new Map([["CN", ["alias", "b, c"]], ["sn", ["1"]], ["o", ["Inventory"]]]),
  });
  assert.equal(renamedEntry({ dn: "cn=a,ou=x", attributes }, { rdn: "cn=a", parent: "ou=y" }).dn, "cn=a,ou=y");
});
