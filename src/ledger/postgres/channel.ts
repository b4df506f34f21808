/**
 * What processes tell each other: notifications were recorded, events announced, a lease is free, or
 * an operator's command has changed what waits for delivery.
 */
export type Word = "recorded" | "events" | "leases" | "changed";

/**
 * SQL, an expression: wakes the other processes when the transaction is committed. NOTIFY reaches a
 * whole database, so the channel is named like the schema.
 */
export function told(word: Word): string {
  return `pg_notify(current_schema(), '${word}')`;
}
