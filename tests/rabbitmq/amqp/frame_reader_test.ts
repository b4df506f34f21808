import assert from "node:assert/strict";
import fc from "fast-check";
import { AmqpError } from "../../../src/rabbitmq/amqp/amqp_error.ts";
import { FRAME, FRAME_MAX, FrameReader } from "../../../src/rabbitmq/amqp/frame_reader.ts";

interface PlainFrame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Uint8Array;
}

const FRAMES = fc.array(
  fc.record({
    type: fc.constantFrom(...Object.values(FRAME)),
    channel: fc.nat(0xffff),
    payload: fc.oneof(
      { weight: 9, arbitrary: fc.uint8Array({ maxLength: 300 }) },
      fc.integer({ min: FRAME_MAX - 40, max: FRAME_MAX - 8 }).map((size) => new Uint8Array(size).fill(size & 0xff)),
    ),
  }, { noNullPrototype: true }),
  { maxLength: 12 },
);

Deno.test("FrameReader gives the same frames wherever the bytes are cut", () => {
  fc.assert(
    fc.property(
      FRAMES,
      fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 300_000 }))),
      (frames, sizes) => {
        const bytes = joined(frames.map(bytesOf));
        const { reader, seen } = watched();
        for (let at = 0; at < bytes.byteLength;) at += feed(reader, bytes.subarray(at, at + sizes.next().value!));
        assert.deepEqual(seen, frames);
      },
    ),
  );
});

Deno.test("FrameReader gives a frame with its last byte, and not before", () => {
  const { reader, seen } = watched();
  const bytes = bytesOf({ type: FRAME.body, channel: 258, payload: new Uint8Array([1, 2, 3]) });
  for (const [index, byte] of bytes.entries()) {
    assert.equal(seen.length, 0, String(index));
    feed(reader, new Uint8Array([byte]));
  }
  assert.deepEqual(seen, [{ type: FRAME.body, channel: 258, payload: new Uint8Array([1, 2, 3]) }]);
});

Deno.test("FrameReader takes frames up to the size that was agreed on, and refuses larger ones before they have come", () => {
  const { reader, seen } = watched();
  reader.frameMax = 4096;
  feed(reader, bytesOf({ type: FRAME.body, channel: 1, payload: new Uint8Array(4088) }));
  assert.equal(seen.length, 1);
  const large = bytesOf({ type: FRAME.body, channel: 1, payload: new Uint8Array(4089) });
  assert.throws(() => feed(reader, large.subarray(0, 7)), { code: "FRAME_ERROR" });
});

for (
  const [label, bytes] of [
    ["the protocol header of a broker with another version", new TextEncoder().encode("AMQP\0\x01\0\0")],
    ["the alert of a server that speaks TLS", new Uint8Array([21, 3, 3, 0, 2, 2, 70])],
    ["the answer of a web server", new TextEncoder().encode("H")],
    ["a frame whose end is another byte", new Uint8Array([8, 0, 0, 0, 0, 0, 0, 0xcd])],
  ] as const
) {
  Deno.test(`FrameReader refuses ${label}`, () => {
    assert.throws(() => feed(watched().reader, bytes), (error) => {
      return error instanceof AmqpError && error.code === "FRAME_ERROR";
    });
  });
}

Deno.test("FrameReader gives no frame any more when it was stopped by the one before", () => {
  let count = 0;
  const reader = new FrameReader(() => {
    count++;
    reader.stop();
  });
  const frame = bytesOf({ type: FRAME.heartbeat, channel: 0, payload: new Uint8Array() });
  feed(reader, joined([frame, frame]));
  assert.equal(count, 1);
});

function watched() {
  const seen: PlainFrame[] = [];
  const reader = new FrameReader(({ type, channel, bytes, at, end }) => {
    seen.push({ type, channel, payload: bytes.slice(at, end) });
  });
  return { reader, seen };
}

/** Gives as much as there is room for; returns how much that was. */
function feed(reader: FrameReader, bytes: Uint8Array): number {
  const part = bytes.subarray(0, reader.free.byteLength);
  reader.free.set(part);
  reader.take(part.byteLength);
  return part.byteLength;
}

function bytesOf({ type, channel, payload }: PlainFrame): Uint8Array {
  const bytes = new Uint8Array(payload.byteLength + 8);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, type);
  view.setUint16(1, channel);
  view.setUint32(3, payload.byteLength);
  bytes.set(payload, 7);
  bytes[bytes.byteLength - 1] = 0xce;
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}
