import type { AuditEntry } from "../model/audit_trail.ts";

/** Bytes of JSON of an entry's details. */
const MAX_DETAILS = 65_536;

/** Characters of each of an entry's texts. */
const MAX_TEXT = 2000;

/**
 * Refuses an entry that is too long.
 *
 * @returns Its details, as JSON.
 * @throws {RangeError}
 */
export function detailsOf({ who, what, details }: AuditEntry): string {
  const json = JSON.stringify(details);
  const size = new TextEncoder().encode(json).length;
  if (size > MAX_DETAILS) {
    throw new RangeError(`Cannot write to the audit trail: ${size} bytes; allowed: ${MAX_DETAILS}`);
  }
  const longest = Math.max(who.length, what.length);
  if (longest > MAX_TEXT) {
    throw new RangeError(`Cannot write to the audit trail: ${longest} characters; allowed: ${MAX_TEXT}`);
  }
  return json;
}
