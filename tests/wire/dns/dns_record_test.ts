import assert from "node:assert/strict";
import * as fc from "fast-check";
import { dnsDataText, type DnsRecord, dnsRecord, isDnsData } from "oss-watcher/kit";

const NAME = { name: "web-1.example.com", ttl: 300 };
const bytes = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
});

Deno.test("dnsRecord() reads what dnsDataText() writes, whatever bytes a text has", () => {
  fc.assert(fc.property(fc.array(bytes, { minLength: 1, maxLength: 5 }), (data) => {
    const record: DnsRecord = { ...NAME, type: "TXT", data };
    const text = dnsDataText(record);
    assert.match(text, /^[ -~]*$/);
    assert.deepEqual(dnsRecord({ ...NAME, type: "TXT", text }), record);
    assert.ok(isDnsData(text, record));
    assert.ok(!isDnsData(`${text} "more"`, record));
  }));
});

Deno.test("dnsRecord() reads data in all forms that name servers give it", () => {
  const rows = [
    ["TXT", 'plain "quoted"  "a\\"b" "\\195\\164"', ["plain", "quoted", 'a"b', "\u00c3\u00a4"]],
    ["TXT", '""', [""]],
    ["A", "10.0.0.1", "10.0.0.1"],
    ["AAAA", "2001:DB8:0:0::1", "2001:db8::1"],
    ["PTR", "Web-1.Example.com.", "web-1.example.com"],
  ] as const;
  for (const [type, text, data] of rows) assert.deepEqual(dnsRecord({ ...NAME, type, text }), { ...NAME, type, data });
});

Deno.test("dnsRecord() reads nothing of other types, or that is not of its form", () => {
  const rows = [["MX", "10 mail.example.net."], ["A", "2001:db8::1"], ["AAAA", "10.0.0.1"], ["A", "10.0.0"]];
  const texts = ['"no end', '"a" \\', '"a\\', "a\\1"].map((text) => ["TXT", text]);
  for (const [type = "", text = ""] of [...rows, ...texts]) {
    assert.equal(dnsRecord({ ...NAME, type, text }), null, text);
  }
  fc.assert(fc.property(fc.string(), (text) => {
    dnsRecord({ ...NAME, type: "TXT", text });
    isDnsData(text, { ...NAME, type: "TXT", data: ["a"] });
  }));
});

Deno.test("isDnsData() compares what is meant, not how it is written", () => {
  assert.ok(isDnsData("2001:db8:0::1", { ...NAME, type: "AAAA", data: "2001:db8::1" }));
  assert.ok(isDnsData("WEB.example.com.", { ...NAME, type: "PTR", data: "web.example.com" }));
  assert.ok(!isDnsData("web.example.org.", { ...NAME, type: "PTR", data: "web.example.com" }));
  assert.ok(!isDnsData('"ab"', { ...NAME, type: "TXT", data: ["a", "b"] }));
});
