import { UserError } from "../model/errors.ts";
import { redact } from "../wire/secrets/redact.ts";
import type { FailedMessage } from "./worker_messages.ts";

/** What an isolate says of an error. Only the isolate knows which values are secrets. */
export function failure(error: unknown): FailedMessage {
  const text = error instanceof Error ? error.message : String(error);
  return { kind: "failed", error: redact(text), isUsers: error instanceof UserError };
}
