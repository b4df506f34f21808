import type { Json } from "./notification.ts";

/** What operators do to deliveries and plugins. */
export const ACTIONS = [
  "replay",
  "drop",
  "pause",
  "resume",
  "try",
  "reconcile",
  "prime",
  "audit",
  "sign-in",
] as const;
export type Action = typeof ACTIONS[number];

/** One line of the audit trail: who did what, and when. */
export interface AuditEntry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Who did it: `root@controller-1 (command)`, `alice (console)`. */
  readonly who: string;
  readonly action: Action;
  /** What it was done to, in one line: `RestNotify`, `12 dead letters of RestNotify`. */
  readonly what: string;
  /** Figures and keys, at most 64 KiB of JSON; without secrets. */
  readonly details: Json;
}

/** Characters of all keys that an entry names. */
const MAX_KEYS = 8000;

/** The first of many keys, as an entry names them beside their number: it must not be refused for its length. */
export function firstKeys(keys: readonly string[]): readonly string[] {
  let length = 0;
  const end = keys.findIndex((key) => (length += key.length) > MAX_KEYS);
  return end < 0 ? keys : keys.slice(0, end);
}

/** An entry as it is read, with its number. */
export interface AuditRecord extends AuditEntry {
  readonly seq: number;
}

/** The audit trail in the ledger. It is kept for as long as `ledger.keepDays` says, at least a year. */
export interface AuditTrail {
  /** Writes an entry. It is written before the action begins: an action that cannot be told is not done. */
  write(entry: AuditEntry): Promise<void>;
  /** Newest first. */
  read(page: { readonly before?: number; readonly limit: number }): Promise<readonly AuditRecord[]>;
}
