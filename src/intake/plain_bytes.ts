import { inflateSync } from "node:zlib";
import { bunzip2 } from "./bunzip2.ts";
import type { Refused } from "./envelope.ts";

/** Larger bodies are refused before they are parsed; decompression stops at this size. */
export const MAX_BODY_BYTES = 1024 * 1024;

/**
 * The limit for bzip2, before and after decompression: at 200 ns per byte, 1 MiB would block the
 * event loop for too long.
 */
export const MAX_BZIP2_BYTES = MAX_BODY_BYTES / 2;

/**
 * The uncompressed bytes of a body. oslo.messaging's kombu driver names the compression in the
 * header `compression`.
 *
 * @param compression `application/x-gzip` (which is zlib, not gzip), `application/x-bz2`, or `null`
 */
export function plainBytes(body: Uint8Array, compression: string | null): Uint8Array | Refused {
  if (body.byteLength > MAX_BODY_BYTES) return refuse(`${body.byteLength} bytes, more than ${MAX_BODY_BYTES}`);
  switch (compression) {
    case null:
    case "":
      return body;
    case "application/x-gzip":
    case "gzip":
    case "zlib":
      return inflated("zlib", MAX_BODY_BYTES, (maxBytes) => inflateSync(body, { maxOutputLength: maxBytes }));
    case "application/x-bz2":
    case "bzip2":
      if (body.byteLength > MAX_BZIP2_BYTES) {
        return refuse(`${body.byteLength} bytes of bzip2, more than ${MAX_BZIP2_BYTES}`);
      }
      return inflated("bzip2", MAX_BZIP2_BYTES, (maxBytes) => bunzip2(body, maxBytes));
    default:
      return refuse("the compression is unknown");
  }
}

function inflated(
  name: string,
  maxBytes: number,
  inflate: (maxBytes: number) => Uint8Array,
): Uint8Array | Refused {
  try {
    return inflate(maxBytes);
  } catch {
    return refuse(`not ${name}, or more than ${maxBytes} bytes of it`);
  }
}

function refuse(reason: string): Refused {
  return { refused: reason };
}
