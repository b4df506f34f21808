import type { ShownDelivery, ShownEvent } from "../../model/operations.ts";
import { type RecentEvent, storedEvent } from "../recent_events.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import { listedState } from "./delivery_states.ts";
import { WAITS_FOR } from "./order_queries.ts";
import { pauseOfRow } from "./pauses.ts";
import type { PluginNumbers } from "./plugin_numbers.ts";
import { ToldDetails } from "./told_details.ts";

type Row = Readonly<Record<string, unknown>>;

/** Everything that a ledger on SQLite has of one event. */
export class ShownEvents {
  readonly #told: ToldDetails;
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database, plugins: PluginNumbers) {
    this.#told = new ToldDetails(database, plugins);
    this.#sql = prepareAll(database, STATEMENTS);
  }

  show(key: string): ShownEvent | undefined {
    const row = this.#sql.event.get(key);
    if (row === undefined) return undefined;
    const seq = Number(row["seq"]);
    const detail = row["detail"] as string | null;
    const body = row["body"] as string | null;
    const event = storedEvent(row["data"]);
    return {
      event,
      decidedAt: Number(row["decided_at"]),
      notification: body === null ? null : JSON.parse(body),
      detail: detail === null ? null : JSON.parse(detail),
      deliveries: this.#sql.deliveries.all(seq).map((delivery) => this.#showDelivery({ seq, event }, delivery)),
    };
  }

  #showDelivery(
    { seq, event }: { readonly seq: number; readonly event: RecentEvent["event"] },
    row: Row,
  ): ShownDelivery {
    const plugin = Number(row["plugin"]);
    const state = listedState(String(row["state"]), Number(row["attempts"]));
    const open = state === "waiting" || state === "retrying";
    const paused = open ? pauseOfRow(row) : null;
    return {
      plugin: String(row["name"]),
      state,
      attempts: Number(row["attempts"]),
      dueAt: open ? Number(row["due_at"]) : null,
      finishedAt: row["finished_at"] === null ? null : Number(row["finished_at"]),
      ...(event.updates === undefined ? {} : { before: this.#told.before(String(row["name"]), { ...event, seq }) }),
      failures: this.#sql.failures.all(plugin, seq).map((failure) => ({
        attempt: Number(failure["attempt"]),
        startedAt: Number(failure["started_at"]),
        endedAt: Number(failure["ended_at"]),
        reason: failure["reason"] as ShownDelivery["failures"][number]["reason"],
        error: String(failure["error"]),
      })),
      waitsFor: open ? this.#sql.waitsFor.all(plugin, seq).map((earlier) => String(earlier["key"])) : [],
      ...(paused === null ? {} : { paused }),
    };
  }
}

const STATEMENTS = {
  event: `SELECT e.seq, e.decided_at, e.data, e.detail, n.body FROM event AS e
    LEFT JOIN notification AS n ON n.seq = e.notification WHERE e.key = ?`,
  deliveries: `SELECT d.*, p.name, p.paused_at, p.paused_by FROM delivery AS d JOIN plugin AS p ON p.id = d.plugin
      WHERE d.seq = ? ORDER BY p.name`,
  failures: `SELECT * FROM failure WHERE plugin = ? AND seq = ? ORDER BY attempt`,
  waitsFor: WAITS_FOR,
} as const;
