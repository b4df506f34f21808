import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import { admit } from "../../src/intake/admit.ts";
import { readCapture } from "../support/captures.ts";

const IGNORED = { ignored: "not an event type that is handled" };

Deno.test("admit() takes the captured messages of watched types and ignores the others", () => {
  // Counted with Python's json.
  for (
    const [name, watched] of [["unversioned.jsonl", 186], ["versioned.jsonl", 56], [
      "v1-no-envelope.jsonl",
      91,
    ]] as const
  ) {
    const admissions = readCapture(name).map(({ body }) => admitText(body));
    assert.equal(admissions.filter((one) => "notification" in one).length, watched);
    assert.equal(admissions.filter((one) => "ignored" in one).length, admissions.length - watched);
  }
});

Deno.test("admit() ignores an unwanted message however broken its rest is", () => {
  assert.deepEqual(admitText('{"event_type": "image.update", "payload": {'), IGNORED);
});

Deno.test("admit() ignores an unwanted type that only decoding finds", () => {
  assert.deepEqual(admitText(String.raw`{"event\u005ftype":"image.update","message_id":"m","payload":{}}`), IGNORED);
});

Deno.test("admit() takes a wanted type that is written with escapes, behind a decoy", () => {
  const body = String
    .raw`{"payload":{"event_type":"x","port_id":"1"},"event\u005ftype":"port.delete.end","message_id":"m"}`;
  const admission = admitText(body);
  assert.ok("notification" in admission);
  assert.equal(admission.notification.eventType, "port.delete.end");
});

Deno.test("admit() refuses a wanted message that is broken", () => {
  assert.deepEqual(admitText('{"event_type": "port.delete.end", "payload": {'), { refused: "not JSON" });
});

Deno.test("admit() refuses what is too large, before it looks at its type", () => {
  const body = `{"event_type": "image.update", "payload": "${"x".repeat(1024 * 1024)}"}`;
  assert.deepEqual(admitText(body), { refused: `${body.length} bytes, more than 1048576` });
});

Deno.test("admit() looks into a compressed message", () => {
  const [wanted, unwanted] = ["port.delete.end", "image.update"].map((type) =>
    deflateSync(JSON.stringify({ message_id: "m", event_type: type, payload: { port_id: "1" } }))
  );
  const compression = "application/x-gzip";
  assert.ok("notification" in admit({ body: wanted!, compression }, WATCHED_EVENT_TYPES));
  assert.deepEqual(admit({ body: unwanted!, compression }, WATCHED_EVENT_TYPES), IGNORED);
});

function admitText(body: string) {
  return admit({ body: new TextEncoder().encode(body), compression: null }, WATCHED_EVENT_TYPES);
}
