/** Of `try`, as JSON: 4 MiB, and what JSON writes with two characters. */
const MAX_BYTES = 9 * 1024 * 1024;

/** The bytes of a request's JSON, which the worker reads, or why they are refused. */
export async function readBody(
  request: Request,
): Promise<{ readonly bytes: Uint8Array<ArrayBuffer> } | { readonly error: string; readonly status: 400 | 413 | 415 }> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    return { status: 415, error: "Cannot read the request: its content-type is not application/json" };
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of request.body ?? []) {
      size += part.length;
      if (size > MAX_BYTES) return { status: 413, error: "Cannot read the request: it is larger than 9 MiB" };
      parts.push(part);
    }
  } catch {
    return { status: 400, error: "Cannot read the request: it breaks off" };
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes };
}
