import assert from "node:assert/strict";
import { describeEvents } from "../../src/cli/tail_text.ts";
import { sampleEvent } from "../../src/testing/sample_event.ts";

Deno.test("describeEvents() keeps to 80 columns with the longest address and name of IPv4", () => {
  const { detail, context } = sampleEvent();
  const { key } = context;
  const long = { ...detail, IP: "203.113.115.117", FQDN: `${"very-".repeat(12)}long.example.com` };
  const result = { time: "2026-11-21T19:13:11Z", events: [{ key, created: false, detail: long }] };

  const [line = ""] = describeEvents(result as never, { print() {}, error() {} } as never);

  assert.ok(line.length <= 80, `${line.length}: ${line}`);
  assert.ok(line.includes("203.113.115.117") && line.endsWith(detail.ID ?? ""), line);
});
