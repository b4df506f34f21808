import { type Admission, admitNotification } from "./admit_notification.ts";
import { isUnwanted } from "./classify.ts";
import { decodeBody } from "./envelope.ts";
import { plainBytes } from "./plain_bytes.ts";

/** Reads a message as far as it must: a look at the bytes for most, both JSON layers for the wanted. */
export function admit(
  message: { readonly body: Uint8Array; readonly compression: string | null },
  wanted: ReadonlySet<string>,
): Admission {
  const bytes = plainBytes(message.body, message.compression);
  if ("refused" in bytes) return bytes;
  if (isUnwanted(bytes, wanted)) return { ignored: "not an event type that is handled" };
  const decoded = decodeBody(bytes);
  return "refused" in decoded ? decoded : admitNotification(decoded.notification, wanted);
}
