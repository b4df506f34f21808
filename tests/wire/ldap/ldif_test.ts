import assert from "node:assert/strict";
import { ldifOfAdd, ldifOfDelete, ldifOfModify } from "../../../src/wire/ldap/ldif.ts";

Deno.test("ldifOfAdd() writes what is not plain ASCII as base64, with a comment that can be read", () => {
  const attributes = new Map([["cn", ["a: b", " a", "a ", ":a", "<a", "é", "a\nb"]], ["l", []]]);

  assert.equal(
    ldifOfAdd({ dn: "cn=é", attributes }),
    `# dn: cn=é
dn:: Y249w6k=
changetype: add
cn: a: b
# cn:  a
cn:: IGE=
# cn: a${" "}
cn:: YSA=
# cn: :a
cn:: OmE=
# cn: <a
cn:: PGE=
# cn: é
cn:: w6k=
# cn: a\\u{a}b
cn:: YQpi`,
  );
});

Deno.test("ldifOfModify() writes one part for each change", () => {
  assert.equal(
    ldifOfModify("cn=a", [
      { operation: "add", attribute: "l", values: ["x", "y"] },
      { operation: "delete", attribute: "o", values: [] },
    ]),
    "dn: cn=a\nchangetype: modify\nadd: l\nl: x\nl: y\n-\ndelete: o\n-",
  );
});

Deno.test("ldifOfDelete() names the entry", () => {
  assert.equal(ldifOfDelete("cn=a"), "dn: cn=a\nchangetype: delete");
});
