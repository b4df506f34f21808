/**
 * SQL: wakes the other processes when the transaction is committed. NOTIFY reaches a whole database,
 * so the channel is named like the schema.
 *
 * @param what `recorded`: notifications; `changed`: what waits for delivery.
 * @param from A table expression: one call per row.
 */
export function notifying(what: "recorded" | "changed", from?: string): string {
  return `SELECT pg_notify(current_schema(), '${what}')${from === undefined ? "" : ` FROM ${from}`}`;
}
