import assert from "node:assert/strict";
import * as fc from "fast-check";
import { dnsAddress, dnsHostName, dnsReverseName, dnsZoneAmong } from "oss-watcher/kit";
import { encodeName, readName } from "../../../src/wire/dns/dns_name.ts";

Deno.test("dnsHostName() takes names of RFC 1123 and IDNA, in lower case", () => {
  const names = [
    ["Web-1.Example.COM", "web-1.example.com"],
    ["a", "a"],
    ["1.example.com", "1.example.com"],
    ["bücher.example.com", "xn--bcher-kva.example.com"],
    ["BÜCHER.example.com", "xn--bcher-kva.example.com"],
    ["bu\u0308cher.example.com", "xn--bcher-kva.example.com"],
    ["faß.example.com", "xn--fa-hia.example.com"],
    ["東京.example.com", "xn--1lqs71d.example.com"],
    ["xn--bcher-kva.example.com", "xn--bcher-kva.example.com"],
    [`${"a".repeat(63)}.example.com`, `${"a".repeat(63)}.example.com`],
  ];
  for (const [text = "", name] of names) assert.equal(dnsHostName(text), name, text);
});

Deno.test("dnsHostName() refuses whatever could become another name", () => {
  const texts = [
    ...["", ".", "..", "a..b", ".a", "a.", "*.example.com", "_x.example.com", "a b.example.com", "a\\.b", "a\\046b"],
    ...["-a.example.com", "a-.example.com", `${"a".repeat(64)}.example.com`, "a.".repeat(130) + "a", "a\0b", "a\nb"],
    ...["a@b", "a/b", "a:80", "a%2eb", "user:pw@host", "10.0.0.5", "1", "web.1", "0x7f.1", "[::1]"],
    // Characters that IDNA maps: a full stop of other scripts, full width, ligatures, invisible ones.
    ...[
      "a。b",
      "a．b",
      "ｗｅｂ",
      "ﬁle",
      "⒈com",
      "web\u200b",
      "we\u00adb",
      "a\u202eb",
      "ℕ.example.com",
      "½.example.com",
    ],
    ...["xn--a.example.com", "xn--.example.com", "xn--bcher-kva\u00fc", "\ud800"],
  ];
  for (const text of texts) assert.equal(dnsHostName(text), null, JSON.stringify(text));
});

Deno.test("dnsHostName() of anything is a host name or null, and of its own result the same", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.domain()), (text) => {
    const name = dnsHostName(text);
    if (name === null) return;
    assert.match(name, /^[a-z\d-]+(\.[a-z\d-]+)*$/);
    assert.equal(name.split(".").length, text.normalize("NFC").split(".").length);
    assert.equal(dnsHostName(name), name);
  }));
});

Deno.test("readName() reads what encodeName() writes, whatever bytes labels have", () => {
  const label = fc.uint8Array({ minLength: 1, maxLength: 63 });
  fc.assert(fc.property(fc.array(label, { maxLength: 3 }), (labels) => {
    const bytes = Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0]);
    const [name, end] = readName(bytes, 0);
    assert.equal(end, bytes.length);
    assert.deepEqual(encodeName(name), bytes);
  }));
});

Deno.test("readName() refuses names that point to themselves or forward", () => {
  for (const bytes of [[0xc0, 0], [0xc0, 2, 0], [1, 97, 0xc0, 0], [0x40, 0], [5, 97], [0xc0]]) {
    assert.throws(() => readName(Uint8Array.from(bytes), 0), SyntaxError);
  }
});

Deno.test("dnsReverseName() and dnsAddress() take addresses alone", () => {
  assert.equal(dnsReverseName("203.0.113.7"), "7.113.0.203.in-addr.arpa");
  assert.equal(
    dnsReverseName("2001:db8::7"),
    "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
  );
  assert.deepEqual(dnsAddress("2001:DB8:0:0::7"), { type: "AAAA", address: "2001:db8::7" });
  assert.deepEqual(dnsAddress("::ffff:10.0.0.1"), { type: "AAAA", address: "::ffff:a00:1" });
  for (
    const text of ["", "1", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.5 ", "fe80::1%eth0", "::1]", "a", "1::2::3"]
  ) {
    assert.deepEqual([dnsReverseName(text), dnsAddress(text)], [null, null], text);
  }
});

Deno.test("dnsZoneAmong() finds the longest zone, label by label", () => {
  const zones = ["example.com", "cloud.example.com", "0.10.in-addr.arpa"];
  assert.equal(dnsZoneAmong(zones, "web.cloud.example.com"), "cloud.example.com");
  assert.equal(dnsZoneAmong(zones, "web.xcloud.example.com"), "example.com");
  assert.equal(dnsZoneAmong(zones, "example.com.evil.org"), null);
  assert.equal(dnsZoneAmong(zones, "5.0.10.0.10.in-addr.arpa"), "0.10.in-addr.arpa");
});
