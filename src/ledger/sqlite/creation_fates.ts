import { creationBefore } from "../../model/event_key.ts";
import type { CreationFate } from "../../model/ledger.ts";
import { fateOf } from "../creation_fate.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import type { PluginNumbers } from "./plugin_numbers.ts";

/** What plugins have heard of creations. Only reads. */
export class CreationFates {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #plugins: PluginNumbers;

  constructor(database: Database, plugins: PluginNumbers) {
    this.#sql = prepareAll(database, STATEMENTS);
    this.#plugins = plugins;
  }

  /** As {@linkcode Ledger.creationFate}. */
  of(plugin: string, { seq, key }: { readonly seq: number; readonly key: string }): CreationFate {
    const place = creationBefore(key);
    if (place === null) return "unknown";
    const number = this.#plugins.of(plugin);
    return fateOf(this.#sql.byKey.get(number, place.key) ?? this.#before(number, { seq, range: place.range }));
  }

  /** The delivery of the last earlier event of a floating IP, if that was a creation. */
  #before(
    plugin: number,
    { seq, range }: { readonly seq: number; readonly range: { readonly from: string; readonly to: string } | null },
  ): Record<string, unknown> | undefined {
    if (range === null) return undefined;
    const last = this.#sql.last.get(range.from, range.to, seq);
    return String(last?.["key"]).endsWith("/creation") ? this.#sql.bySeq.get(plugin, Number(last?.["seq"])) : undefined;
  }
}

const SELECT = "SELECT d.state, d.attempts, d.last_attempt_at FROM";

const STATEMENTS = {
  byKey: `${SELECT} event AS e CROSS JOIN delivery AS d ON d.seq = e.seq AND d.plugin = ? WHERE e.key = ?`,
  bySeq: `${SELECT} delivery AS d WHERE d.plugin = ? AND d.seq = ?`,
  // The key is that of the row with the greatest number.
  last: `SELECT max(seq) AS seq, key FROM event WHERE key > ? AND key < ? AND +seq < ?`,
} as const;
