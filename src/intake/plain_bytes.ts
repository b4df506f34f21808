import { inflateSync } from "node:zlib";
import { bunzip2 } from "./bunzip2.ts";
import type { Refused } from "./envelope.ts";

/** Larger bodies are refused before they are parsed, and before they are inflated any further. */
export const MAX_BODY_BYTES = 1024 * 1024;

/**
 * The plain bytes of a body, inflated as oslo.messaging's kombu driver says in the header `compression`.
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
      return inflated("zlib", () => inflateSync(body, { maxOutputLength: MAX_BODY_BYTES }));
    case "application/x-bz2":
    case "bzip2":
      return inflated("bzip2", () => bunzip2(body, MAX_BODY_BYTES));
    default:
      return refuse("the compression is unknown");
  }
}

function inflated(name: string, inflate: () => Uint8Array): Uint8Array | Refused {
  try {
    return inflate();
  } catch {
    return refuse(`not ${name}, or more than ${MAX_BODY_BYTES} bytes of it`);
  }
}

function refuse(reason: string): Refused {
  return { refused: reason };
}
