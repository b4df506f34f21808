import seekBzip from "seek-bzip";

/** The input and output interfaces of seek-bzip; the package has no types. */
interface ByteSource {
  readByte(): number;
  read(into: Uint8Array, offset: number, length: number): number;
  /** Called before each block. */
  eof(): boolean;
}
interface ByteSink {
  writeByte(byte: number): void;
}
const { decode } = seekBzip as { decode(input: ByteSource, output: ByteSink): unknown };

/**
 * The size of the smallest full block of a compressor, and the factor by which its run-length
 * encoding may enlarge data.
 */
const SMALLEST_BLOCK_BYTES = 99_981;
const RUN_LENGTH_GROWTH = 1.25;

/**
 * Decompresses a bzip2 stream.
 *
 * @throws {RangeError} as soon as the output exceeds `maxBytes`, or the stream has more blocks than
 * `maxBytes` need; also when the stream is truncated. A few bytes of bzip2 can expand to gigabytes,
 * and 1 MB can contain 50 000 blocks of one byte each, which take half a minute.
 * @throws {TypeError} when the input is not bzip2.
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
