import assert from "node:assert/strict";
import { deflateSync, gzipSync } from "node:zlib";
import { MAX_BODY_BYTES, MAX_BZIP2_BYTES, plainBytes } from "../../src/intake/plain_bytes.ts";
import { BZIP2_BOMB, BZIP2_OF_HALF_A_MEBIBYTE, BZIP2_OF_ONE_BYTE_TOO_MANY, BZIP2_SAMPLE } from "../support/bzip2.ts";
import { readSamples } from "../support/captures.ts";

/** A small notification as it is on the bus. */
const BODY = new TextEncoder().encode(JSON.stringify({
  "oslo.version": "2.0",
  "oslo.message": JSON.stringify({ message_id: "m", event_type: "port.delete.end", payload: { port_id: "p" } }),
}));

Deno.test("plainBytes() gives back a body that is not compressed", () => {
  assert.equal(plainBytes(BODY, null), BODY);
  assert.equal(plainBytes(BODY, ""), BODY);
});

for (const compression of ["application/x-gzip", "gzip", "zlib"]) {
  Deno.test(`plainBytes() inflates zlib, which kombu calls ${compression}`, () => {
    assert.deepEqual(new Uint8Array(bytesOf(plainBytes(deflateSync(BODY), compression))), BODY);
  });
}

for (const compression of ["application/x-bz2", "bzip2"]) {
  Deno.test(`plainBytes() inflates bzip2 as ${compression}`, () => {
    const text = new TextDecoder().decode(bytesOf(plainBytes(BZIP2_SAMPLE, compression)));
    assert.equal(
      text,
      readSamples().find(({ name }) => name === "floatingip.update.end.disassociate")?.sample.wire_body,
    );
  });
}

Deno.test("plainBytes() refuses compressions it does not know, without quoting them", () => {
  for (const compression of ["application/x-lzma", "SECRET", "Application/X-Gzip", "constructor"]) {
    assert.deepEqual(plainBytes(new TextEncoder().encode("x"), compression), { refused: "the compression is unknown" });
  }
});

Deno.test("plainBytes() takes a body of exactly 1 MiB and refuses one byte more", () => {
  assert.ok(plainBytes(new Uint8Array(MAX_BODY_BYTES), null) instanceof Uint8Array);
  assert.deepEqual(plainBytes(new Uint8Array(MAX_BODY_BYTES + 1), null), {
    refused: "1048577 bytes, more than 1048576",
  });
  assert.deepEqual(plainBytes(new Uint8Array(MAX_BODY_BYTES + 1), "zlib"), {
    refused: "1048577 bytes, more than 1048576",
  });
});

Deno.test("plainBytes() inflates zlib to exactly 1 MiB and refuses one byte more", () => {
  assert.equal(bytesOf(plainBytes(deflateSync(new Uint8Array(MAX_BODY_BYTES)), "zlib")).byteLength, MAX_BODY_BYTES);
  assert.deepEqual(plainBytes(deflateSync(new Uint8Array(MAX_BODY_BYTES + 1)), "zlib"), NOT_ZLIB);
});

Deno.test("plainBytes() inflates bzip2 to exactly 512 KiB and refuses one byte more", () => {
  assert.equal(bytesOf(plainBytes(BZIP2_OF_HALF_A_MEBIBYTE, "bzip2")).byteLength, MAX_BZIP2_BYTES);
  assert.deepEqual(plainBytes(BZIP2_OF_ONE_BYTE_TOO_MANY, "bzip2"), NOT_BZIP2);
});

Deno.test("plainBytes() refuses compression bombs", () => {
  assert.deepEqual(plainBytes(deflateSync(new Uint8Array(50 * MAX_BODY_BYTES)), "application/x-gzip"), NOT_ZLIB);
  assert.deepEqual(plainBytes(BZIP2_BOMB, "application/x-bz2"), NOT_BZIP2);
});

Deno.test("plainBytes() refuses what is not compressed as the header says", () => {
  for (const other of [BODY, gzipSync(BODY), BZIP2_SAMPLE, new Uint8Array()]) {
    assert.deepEqual(plainBytes(other, "application/x-gzip"), NOT_ZLIB);
  }
  for (const other of [BODY, deflateSync(BODY), new Uint8Array()]) {
    assert.deepEqual(plainBytes(other, "application/x-bz2"), NOT_BZIP2);
  }
});

Deno.test("plainBytes() refuses a compressed body that is cut off", () => {
  assert.deepEqual(plainBytes(deflateSync(BODY).subarray(0, -5), "zlib"), NOT_ZLIB);
  assert.deepEqual(plainBytes(BZIP2_SAMPLE.subarray(0, 4), "bzip2"), NOT_BZIP2);
  assert.deepEqual(plainBytes(BZIP2_SAMPLE.subarray(0, -5), "bzip2"), NOT_BZIP2);
});

const NOT_ZLIB = { refused: "not zlib, or more than 1048576 bytes of it" };
const NOT_BZIP2 = { refused: "not bzip2, or more than 524288 bytes of it" };

function bytesOf(plain: ReturnType<typeof plainBytes>): Uint8Array {
  assert.ok(plain instanceof Uint8Array, "refused" in plain ? plain.refused : "");
  return plain;
}
