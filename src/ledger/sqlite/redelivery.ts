import type { Redelivery } from "../../model/delivered.ts";
import type { OperatorResult } from "../../model/operations.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import { Deliveries } from "./deliveries.ts";
import { UNFINISHED } from "./delivery_states.ts";
import { inSlices } from "./in_slices.ts";
import { partitionsFrom } from "./partitions.ts";
import type { PluginNumbers } from "./plugin_numbers.ts";
import { Queues } from "./queues.ts";
import { RecentEvents } from "../recent_events.ts";

/** Makes deliveries again that are done, at their old place in the order, to repair a target. */
export class Redeliveries {
  readonly #database: Database;
  readonly #plugins: PluginNumbers;
  readonly #queues: Queues;
  readonly #deliveries: Deliveries;
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database, plugins: PluginNumbers) {
    this.#database = database;
    this.#plugins = plugins;
    this.#queues = new Queues(database);
    this.#deliveries = new Deliveries(database, { plugins, queues: this.#queues, recent: new RecentEvents() });
    this.#sql = prepareAll(database, STATEMENTS);
  }

  /**
   * Opens the deliveries oldest first: a later one that shares an order key waits for the earlier
   * one, and the running service may begin with the first slice.
   */
  redeliver({ plugin, seqs, through }: Redelivery): readonly OperatorResult[] {
    const number = this.#plugins.of(plugin);
    const oldestFirst = seqs.toSorted((one, other) => one - other);
    const blocked = this.#blocked(oldestFirst, { number, through });
    return inSlices(this.#database, oldestFirst, {
      begin: () => this.#queues.begin(),
      process: (seq) => {
        const row = this.#sql.delivery.get(number, seq);
        if (row === undefined) return [];
        // Read again: the service writes between the slices.
        const refused = blocked.get(seq) ?? this.#whyNot(row, { number, seq, through });
        if (refused === null) this.#reopen(number, seq);
        return [{ key: String(row["key"]), plugin, refused }];
      },
      finish: () => {
        this.#queues.deleteReleased();
        this.#queues.markChanged(number);
      },
    });
  }

  /**
   * Why deliveries cannot be made again, by event. A refused one also blocks the earlier ones that
   * share an order key with it: they would undo it.
   */
  #blocked(
    oldestFirst: readonly number[],
    { number, through }: { readonly number: number; readonly through: number },
  ): ReadonlyMap<number, string> {
    const blocked = new Map<number, string>();
    const keys = new Map<number, string>();
    for (const seq of oldestFirst.toReversed()) {
      const row = this.#sql.delivery.get(number, seq);
      if (row === undefined) continue;
      const orderKeys = JSON.parse(row["order_keys"] as string) as readonly number[];
      const blocker = orderKeys.flatMap((key) => keys.get(key) ?? [])[0];
      const why = blocker === undefined
        ? this.#whyNot(row, { number, seq, through })
        : `the later event ${blocker} cannot be delivered again behind it`;
      if (why === null) continue;
      blocked.set(seq, why);
      for (const key of orderKeys) keys.set(key, String(row["key"]));
    }
    return blocked;
  }

  #reopen(plugin: number, seq: number): void {
    this.#sql.markRepair.run(plugin, seq);
    this.#sql.forgetProgress.run(plugin, seq);
    this.#deliveries.reopen(plugin, seq);
  }

  /** Why a delivery is not made again: a later one must not be undone, nor overtaken. */
  #whyNot(
    row: Readonly<Record<string, unknown>>,
    { number, seq, through }: { readonly number: number; readonly seq: number; readonly through: number },
  ): string | null {
    const state = String(row["state"]);
    if (state !== "done") return `it is ${state === "dead" || state === "dropped" ? state : "being made"} by now`;
    const later = this.#sql.laterHeld.get(number, seq) ?? this.#sql.laterAdded.get(number, seq, through);
    return later === undefined ? null : `the later event ${later["key"]} came meanwhile; run audit again`;
  }
}

/**
 * SQL: a later event that shares an order key with event ?2, and whose delivery by plugin ?1 is
 * unfinished and was attempted or reopened.
 */
const LATER_HELD = `SELECT e.key FROM event AS own CROSS JOIN json_each(own.order_keys) AS k
    CROSS JOIN held AS h ON h.plugin = ?1 AND h.order_key = k.value AND h.seq > own.seq
    CROSS JOIN delivery AS d ON d.seq = h.seq AND d.plugin = ?1 AND ${UNFINISHED}
    CROSS JOIN event AS e ON e.seq = h.seq WHERE own.seq = ?2 LIMIT 1`;

/**
 * SQL: a later event that shares an order key with event ?2, and whose delivery by plugin ?1 is
 * queued, or whose number is above ?3.
 */
export const LATER_ADDED = `SELECT e.key FROM event AS own CROSS JOIN json_each(own.order_keys) AS k
    CROSS JOIN (${partitionsFrom("min(?3, (SELECT queued_from FROM plugin WHERE id = ?1))")}) AS s
    CROSS JOIN event_order AS o ON o.span = s.span AND o.order_key = k.value AND o.seq > own.seq
    CROSS JOIN delivery AS d ON d.plugin = ?1 AND d.seq = o.seq AND (d.state = 'queued' OR d.seq > ?3)
    CROSS JOIN event AS e ON e.seq = o.seq WHERE own.seq = ?2 LIMIT 1`;

const STATEMENTS = {
  delivery:
    `SELECT d.state, e.key, e.order_keys FROM delivery AS d JOIN event AS e ON e.seq = d.seq WHERE d.plugin = ? AND d.seq = ?`,
  laterHeld: LATER_HELD,
  laterAdded: LATER_ADDED,
  markRepair: `UPDATE delivery SET repair = 1 WHERE plugin = ? AND seq = ?`,
  // A part of the target that is lost counts as not done.
  forgetProgress: `UPDATE failure SET progress = NULL WHERE plugin = ? AND seq = ?`,
} as const;
