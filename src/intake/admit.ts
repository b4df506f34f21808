import { type Admission, admitNotification, type AdmittedNotification } from "./admit_notification.ts";
import { isUnwanted } from "./classify.ts";
import { decodeBody } from "./envelope.ts";
import { plainBytes } from "./plain_bytes.ts";

/** A notification to record, with the size of its uncompressed body. */
export interface AdmittedMessage extends AdmittedNotification {
  readonly bytes: number;
}

/**
 * Decides what to do with a message. Most messages are ignored after a search in their bytes; only
 * wanted ones are parsed.
 */
export function admit(
  message: { readonly body: Uint8Array; readonly compression: string | null },
  wanted: ReadonlySet<string>,
): Admission<AdmittedMessage> {
  const bytes = plainBytes(message.body, message.compression);
  if ("refused" in bytes) return bytes;
  if (isUnwanted(bytes, wanted)) return { ignored: "not an event type that is handled" };
  const decoded = decodeBody(bytes);
  if ("refused" in decoded) return decoded;
  const admission = admitNotification(decoded.notification, wanted);
  return "notification" in admission ? { ...admission, bytes: bytes.byteLength } : admission;
}
