import seekBzip from "seek-bzip";

/** What seek-bzip writes to, byte by byte; the package has no types. */
interface ByteSink {
  writeByte(byte: number): void;
}
const { decode } = seekBzip as { decode(input: Uint8Array, output: ByteSink): unknown };

/**
 * The inflated bytes of a bzip2 stream.
 *
 * @throws {RangeError} as soon as there are more than `maxBytes`: a few bytes of bzip2 can hold gigabytes.
 * @throws {TypeError} when it is no bzip2.
 */
export function bunzip2(compressed: Uint8Array, maxBytes: number): Uint8Array {
  const bytes = new Uint8Array(maxBytes);
  let length = 0;
  decode(compressed, {
    writeByte(byte) {
      if (length === maxBytes) throw new RangeError(`Cannot inflate bzip2: more than ${maxBytes} bytes`);
      bytes[length++] = byte;
    },
  });
  return bytes.subarray(0, length);
}
