import seekBzip from "seek-bzip";

/** What seek-bzip reads from and writes to; the package has no types. */
interface ByteSource {
  readByte(): number;
  read(into: Uint8Array, offset: number, length: number): number;
  /** Asked before each block. */
  eof(): boolean;
}
interface ByteSink {
  writeByte(byte: number): void;
}
const { decode } = seekBzip as { decode(input: ByteSource, output: ByteSink): unknown };

/** The smallest block that a compressor fills, and by how much the run lengths in it may be longer than what they stand for. */
const SMALLEST_BLOCK_BYTES = 99_981;
const RUN_LENGTH_GROWTH = 1.25;

/**
 * The inflated bytes of a bzip2 stream.
 *
 * @throws {RangeError} as soon as there are more than `maxBytes`, or more blocks than those need: a few bytes of bzip2 can hold gigabytes,
 * and a million of them fifty thousand blocks of a byte each, half a minute of work. Also when the stream is cut off.
 * @throws {TypeError} when it is no bzip2.
 */
export function bunzip2(compressed: Uint8Array, maxBytes: number): Uint8Array {
  const bytes = new Uint8Array(maxBytes);
  let length = 0;
  decode(sourceOf(compressed, 1 + Math.ceil(maxBytes * RUN_LENGTH_GROWTH / SMALLEST_BLOCK_BYTES)), {
    writeByte(byte) {
      if (length === maxBytes) throw new RangeError(`Cannot inflate bzip2: more than ${maxBytes} bytes`);
      bytes[length++] = byte;
    },
  });
  return bytes.subarray(0, length);
}

function sourceOf(compressed: Uint8Array, maxBlocks: number): ByteSource {
  let at = 0;
  let blocks = 0;
  const readByte = () => {
    const byte = compressed[at++];
    if (byte === undefined) throw new RangeError("Cannot inflate bzip2: it is cut off");
    return byte;
  };
  return {
    readByte,
    read(into, offset, length) {
      for (let index = 0; index < length; index++) into[offset + index] = readByte();
      return length;
    },
    eof() {
      if (blocks++ > maxBlocks) throw new RangeError(`Cannot inflate bzip2: more than ${maxBlocks} blocks`);
      return false;
    },
  };
}
