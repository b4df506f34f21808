import assert from "node:assert/strict";
import { headerList } from "../../../src/wire/http/header_list.ts";

Deno.test("headerList() separates texts by commas and encodes all that could be taken for more", () => {
  assert.equal(headerList([]), "");
  assert.equal(headerList(["FQDN", "a,b", "*", "%", "\r\n", "ü"]), "FQDN,a%2Cb,%2A,%25,%0D%0A,%C3%BC");
  assert.equal(headerList(["it's (a) ~-._!"]), "it%27s%20%28a%29%20~-._%21");
});

for (
  const [what, texts, expected] of [
    ["is as long as may be", ["x".repeat(1024)], "x".repeat(1024)],
    ["is one too long", ["x".repeat(1025)], "*"],
    ["has room for the last text alone", ["x".repeat(1022), "y"], `${"x".repeat(1022)},y`],
    ["has no room for the last text", ["x".repeat(1022), "yy"], `${"x".repeat(1022)},*`],
    ["begins with a text that leaves no room for a star", ["x".repeat(1023), "y"], "*"],
  ] as const
) {
  Deno.test(`headerList() has at most 1024 characters, and a star for more, when it ${what}`, () => {
    assert.equal(headerList(texts), expected);
  });
}
