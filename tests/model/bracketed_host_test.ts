import assert from "node:assert/strict";
import fc from "fast-check";
import { bareHost, bracketedHost } from "../../src/model/bracketed_host.ts";

Deno.test("bracketedHost() puts IPv6 addresses into brackets, once, and leaves others as they are", () => {
  const cases = [["::1", "[::1]"], ["[fe80::1]", "[fe80::1]"], ["10.0.0.7", "10.0.0.7"], ["db-1", "db-1"]] as const;
  for (const [host, expected] of cases) assert.equal(bracketedHost(host), expected);
});

Deno.test("bareHost() takes the brackets off that bracketedHost() puts on", () => {
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), (host) => {
    assert.equal(bareHost(bracketedHost(host)), host);
    assert.equal(bareHost(host), host);
    assert.ok(URL.canParse(`http://${bracketedHost(host)}:80/`));
  }));
});
