import assert from "node:assert/strict";
import { dnValue, filterValue, foldedText, isDn, ldapText } from "../../../src/wire/ldap/ldap_text.ts";

for (
  const [text, escaped] of [
    ["plain", "plain"],
    [`,+"\\<>;=`, "\\2C\\2B\\22\\5C\\3C\\3E\\3B\\3D"],
    [" both ", "\\20both\\20"],
    [" ", "\\20"],
    ["a b", "a b"],
    ["#first # only", "\\23first # only"],
    ["*()&|", "*()&|"],
    ["a\0b\r\n", "a\\00b\\0D\\0A"],
    ["\x85\u202e", "\\C2\\85\u202e"],
    ["lone \ud800", "lone \ufffd"],
    ["Grüße 東京 😀", "Grüße 東京 😀"],
  ] as const
) {
  Deno.test(`dnValue() escapes ${JSON.stringify(text)}`, () => assert.equal(dnValue(text), escaped));
}

for (
  const [text, escaped] of [
    ["plain", "plain"],
    ["*)(uid=*))(|(uid=*", "\\2A\\29\\28uid=\\2A\\29\\29\\28|\\28uid=\\2A"],
    ["a\\b\0", "a\\5Cb\\00"],
    ["lone \udfff\n", "lone \ufffd\\0A"],
    [`,+"<>;=&`, `,+"<>;=&`],
  ] as const
) {
  Deno.test(`filterValue() escapes ${JSON.stringify(text)}`, () => assert.equal(filterValue(text), escaped));
}

Deno.test("isDn() tells what could be a distinguished name", () => {
  for (const dn of ["dc=com", "OU=a b, dc = com", "2.5.4.3=x", "cn=a+sn=b,dc=com"]) assert.ok(isDn(dn), dn);
  for (const other of ["", "x", "=x", "cn=", "cn= ", "a b=c", "cn=a\nb", 1, null, undefined]) assert.ok(!isDn(other));
});

Deno.test("ldapText() leaves one space for any white space, and none at the ends", () => {
  assert.equal(ldapText(" \t a \r\n\u2028 b\u00a0\ufeff", 100), "a b");
  assert.equal(ldapText(" \n ", 100), "");
});

Deno.test("ldapText() cuts, and says so", () => assert.equal(ldapText("a very long text", 8), "a very …"));

Deno.test("foldedText() is the same for what a server takes for equal", () => {
  for (const other of ["OSS-WATCHER", " oss-watcher ", "ｏss-watcher", "oss-watch\u200ber", "o\u00adss-watcher"]) {
    assert.equal(foldedText(other), foldedText("oss-watcher"), other);
  }
  assert.equal(foldedText("straße"), foldedText("STRASSE"));
  assert.equal(foldedText("ﬁ  x"), foldedText("FI x"));
  assert.notEqual(foldedText("web-1"), foldedText("web-2"));
});
