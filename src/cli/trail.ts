import type { Action } from "../model/audit_trail.ts";
import type { Json } from "../model/notification.ts";
import type { LedgerOperations } from "../model/operations.ts";
import { redact } from "../wire/secrets/redact.ts";
import { whoRuns } from "./who.ts";

/** Characters of what was done. */
const MAX_WHAT = 500;

/**
 * Writes to the audit trail what a command is about to do. What cannot be written is not done: the
 * promise rejects then.
 */
export async function writeTrail(
  { trail }: Pick<LedgerOperations, "trail">,
  { action, what, details = {} }: { readonly action: Action; readonly what: string; readonly details?: Json },
): Promise<void> {
  await trail.write({ at: Date.now(), who: whoRuns(), action, what: redact(what).slice(0, MAX_WHAT), details });
}
