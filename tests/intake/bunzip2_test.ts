import assert from "node:assert/strict";
import { bunzip2 } from "../../src/intake/bunzip2.ts";
import { readSamples } from "../support/captures.ts";
import {
  BZIP2_BOMB,
  BZIP2_OF_HALF_A_MEBIBYTE,
  BZIP2_OF_ONE_BYTE,
  BZIP2_OF_ONE_BYTE_TOO_MANY,
  BZIP2_OF_ONE_LARGE_BLOCK,
  BZIP2_SAMPLE,
} from "../support/bzip2.ts";

const MAX_BYTES = 512 * 1024;

Deno.test("bunzip2() gives back what Python compressed", () => {
  const sample = readSamples().find(({ name }) => name === "floatingip.update.end.disassociate");
  assert.equal(new TextDecoder().decode(bunzip2(BZIP2_SAMPLE, MAX_BYTES)), sample?.sample.wire_body);
});

Deno.test("bunzip2() gives exactly as many bytes as are allowed", () => {
  const blanks = bunzip2(BZIP2_OF_HALF_A_MEBIBYTE, MAX_BYTES);
  assert.equal(blanks.byteLength, MAX_BYTES);
  assert.ok(blanks.every((byte) => byte === 0x20));
});

Deno.test("bunzip2() gives back a block that is larger than it tries first", () => {
  const text = new TextDecoder().decode(bunzip2(BZIP2_OF_ONE_LARGE_BLOCK, MAX_BYTES));
  assert.equal(text, "0123456789abcdef".repeat(18_750));
});

Deno.test("bunzip2() throws a RangeError one byte above the limit", () => {
  assert.throws(() => bunzip2(BZIP2_OF_ONE_BYTE_TOO_MANY, MAX_BYTES), RangeError);
});

Deno.test("bunzip2() throws a RangeError at a bomb", () => {
  assert.throws(() => bunzip2(BZIP2_BOMB, MAX_BYTES), RangeError);
});

Deno.test("bunzip2() throws a RangeError at more blocks than the limit can need, before it works through them", () => {
  // Each of the 46,000 blocks that fit into 1 MiB costs half a millisecond and gives one byte.
  assert.throws(() => bunzip2(repeatedBlock(BZIP2_OF_ONE_BYTE, 200), MAX_BYTES), RangeError);
});

Deno.test("bunzip2() throws when the stream is cut off, wherever", () => {
  for (let length = 0; length < BZIP2_SAMPLE.byteLength; length += length < 50 ? 1 : 13) {
    assert.throws(() => bunzip2(BZIP2_SAMPLE.subarray(0, length), MAX_BYTES), `${length} bytes`);
  }
});

Deno.test("bunzip2() throws at a wrong checksum", () => {
  const broken = BZIP2_SAMPLE.slice();
  broken[10]! ^= 1;
  assert.throws(() => bunzip2(broken, MAX_BYTES), TypeError);
});

Deno.test("bunzip2() throws at a size of blocks that does not exist", () => {
  const broken = BZIP2_SAMPLE.slice();
  broken[3] = "z".charCodeAt(0);
  assert.throws(() => bunzip2(broken, MAX_BYTES), TypeError);
});

/** A stream's only block over and over. Blocks begin at any bit, so this works on the text of the bits. */
function repeatedBlock(stream: Uint8Array, times: number): Uint8Array {
  const bits = [...stream.subarray(4)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const block = bits.slice(0, bits.indexOf(END_OF_STREAM));
  const all = block.repeat(times);
  const bytes = all.match(/.{1,8}/g)!.map((eight) => parseInt(eight.padEnd(8, "0"), 2));
  return Uint8Array.from([...stream.subarray(0, 4), ...bytes]);
}

/** 0x177245385090. */
const END_OF_STREAM = "000101110111001001000101001110000101000010010000";
