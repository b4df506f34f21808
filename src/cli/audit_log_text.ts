import type { AuditRecord } from "../model/audit_trail.ts";
import { printable } from "../wire/escaping/printable.ts";
import { wrapped } from "./wrapped.ts";

/** Entries of the audit trail for a terminal: when and who, then what. */
export function describeTrail(records: readonly AuditRecord[]): string {
  return records.flatMap(({ at, who, action, what }) => [
    `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC  ${action}  ${printable(who)}`,
    ...wrapped(`  ${printable(what)}`, { indent: 4 }),
  ]).join("\n");
}
