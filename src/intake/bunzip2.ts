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
 * A compressor says how large its blocks may be, mostly 900 KB, of which the decoder takes four times as
 * much for each stream. Shorter streams are tried with the smallest blocks first.
 */
const SHORT_BYTES = 16_384;
const SMALLEST_LEVEL = "1".charCodeAt(0);
const LARGEST_LEVEL = "9".charCodeAt(0);
const LEVEL_AT = 3;

/** The first size of the output, which grows. */
const FIRST_BYTES = 16_384;

/**
 * Decompresses a bzip2 stream.
 *
 * @throws {RangeError} as soon as the output exceeds `maxBytes`, or the stream has more blocks than
 * `maxBytes` need; also when the stream is truncated. A few bytes of bzip2 can expand to gigabytes,
 * and 1 MB can contain 50 000 blocks of one byte each, which take half a minute.
 * @throws {TypeError} when the input is not bzip2.
 */
export function bunzip2(compressed: Uint8Array, maxBytes: number): Uint8Array {
  const level = compressed[LEVEL_AT];
  const isLarger = level !== undefined && level > SMALLEST_LEVEL && level <= LARGEST_LEVEL;
  if (compressed.length > SHORT_BYTES || !isLarger) {
    return inflate(compressed, maxBytes);
  }
  const small = compressed.slice();
  small[LEVEL_AT] = SMALLEST_LEVEL;
  try {
    return inflate(small, maxBytes);
  } catch (error) {
    // Its blocks are larger, or it is not bzip2.
    if (error instanceof TypeError) return inflate(compressed, maxBytes);
    throw error;
  }
}

function inflate(compressed: Uint8Array, maxBytes: number): Uint8Array {
  let bytes = new Uint8Array(Math.min(FIRST_BYTES, maxBytes));
  let length = 0;
  decode(sourceOf(compressed, 1 + Math.ceil(maxBytes * RUN_LENGTH_GROWTH / SMALLEST_BLOCK_BYTES)), {
    writeByte(byte) {
      if (length === maxBytes) throw new RangeError(`Cannot inflate bzip2: more than ${maxBytes} bytes`);
      if (length === bytes.length) bytes = grown(bytes, maxBytes);
      bytes[length++] = byte;
    },
  });
  return bytes.subarray(0, length);
}

function grown(bytes: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(2 * bytes.length, maxBytes));
  larger.set(bytes);
  return larger;
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
