import { deepStrictEqual as assertEquals, ok as assert } from "node:assert/strict";
import { type CaptureLine, mergeByTime, readCapture, readOperations, readSamples } from "./captures.ts";

const CAPTURES = [
  { name: "unversioned.jsonl", lines: 1018, messages: 1018 },
  { name: "versioned.jsonl", lines: 683, messages: 683 },
  { name: "monitoring.jsonl", lines: 177, messages: 177 },
  { name: "v1-no-envelope.jsonl", lines: 525, messages: 317 },
] as const;

for (const { name, lines, messages } of CAPTURES) {
  Deno.test(`readCapture() reads every delivery of ${name}, in order`, () => {
    const capture = readCapture(name);
    assertEquals(capture.length, lines);
    assert(capture.every((line, index) => index === 0 || line.received > capture[index - 1]!.received));
    assertEquals(new Set(capture.map(messageId)).size, messages);
  });
}

Deno.test("readCapture() gives a line with numbers as numbers and the body raw", () => {
  const [first] = readCapture("unversioned.jsonl");
  assertEquals(first!.received, 1795288371.328955);
  assertEquals(first!.exchange, "keystone");
  assertEquals(first!.routing_key, "notifications.info");
  assertEquals(first!.properties, {
    content_type: "application/json",
    content_encoding: "utf-8",
    application_headers: {},
    delivery_mode: 2,
    priority: 0,
  });
  assert(first!.body.startsWith('{"oslo.version": "2.0", "oslo.message": "{'));
});

Deno.test("readOperations() reads every step of both runs", () => {
  for (const [name, steps] of [["operations.jsonl", 127], ["operations-v1.jsonl", 27]] as const) {
    const operations = readOperations(name);
    assertEquals(operations.map((operation) => operation.step), Array.from({ length: steps }, (_, index) => index + 1));
    assert(operations.every((operation) => operation.time > 1795288000));
  }
});

Deno.test("readSamples() reads one message per name", () => {
  const samples = readSamples();
  assertEquals(samples.length, 178);
  assertEquals(new Set(samples.map((sample) => sample.name)).size, 178);
  for (const { name, sample } of samples) {
    const outer = JSON.parse(sample.wire_body);
    assertEquals("oslo.message" in outer, !name.startsWith("v1."), name);
    assertEquals(
      name.startsWith("v1.") ? outer : JSON.parse(outer["oslo.message"]),
      sample.decoded_inner_message,
      name,
    );
  }
});

Deno.test("mergeByTime() keeps every line and sorts by time", () => {
  const copies = readCapture("monitoring.jsonl");
  const merged = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"), copies);
  assertEquals(merged.length, 1018 + 683 + 177);
  assert(merged.every((line, index) => index === 0 || line.received >= merged[index - 1]!.received));
  assertEquals(merged.filter((line) => line.queue.startsWith("monitoring.")), copies);
});

function messageId(line: CaptureLine): string {
  const outer = JSON.parse(line.body);
  return ("oslo.message" in outer ? JSON.parse(outer["oslo.message"]) : outer).message_id;
}
