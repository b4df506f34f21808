import type { Detail } from "../../model/detail.ts";
import { creationKey, updateKey, updateKeys } from "../../model/event_key.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";
import { wasTold } from "./delivery_states.ts";
import type { PluginNumbers } from "./plugin_numbers.ts";
import type { RecentEvent } from "../recent_events.ts";

/** What plugins were last told of servers that change. Only reads. */
export class ToldDetails {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #plugins: PluginNumbers;

  constructor(database: Database, plugins: PluginNumbers) {
    this.#sql = prepareAll(database, STATEMENTS);
    this.#plugins = plugins;
  }

  /**
   * The detail of the last update of the event's server before it, or of its creation, that a plugin
   * was told; `null`: it was told neither.
   */
  before(plugin: string, { seq, serverId, updates = 0 }: Before): Detail | null {
    if (serverId === null) return null;
    const number = this.#plugins.of(plugin);
    const last = updates === 0 ? undefined : this.#sql.byKey.get(number, updateKey(serverId, updates));
    if (isTold(last)) return detailOf(last);
    // The plugin was not told the last one: it is a dead letter, or the plugin did not follow then.
    const { from, to } = updateKeys(serverId);
    const older = updates === 0 ? null : this.#sql.lastTold.get(number, from, to, seq);
    if (older?.["seq"]) return detailOf(this.#sql.bySeq.get(number, older["seq"] as number));
    const creation = this.#sql.byKey.get(number, creationKey(serverId));
    return isTold(creation) ? detailOf(creation) : null;
  }
}

/** The event for which it is asked, by number. */
type Before = Pick<RecentEvent["event"], "serverId" | "updates"> & { readonly seq: number };

function detailOf(row: Row | undefined): Detail {
  return JSON.parse(row?.["detail"] as string);
}

type Row = Readonly<Record<string, unknown>>;

/** Whether a delivery is done by an attempt: without one, there was nothing to tell. */
function isTold(row: Row | undefined): row is Row {
  return row?.["state"] === "done" && Number(row["attempts"]) > 0;
}

const DELIVERED = `event AS e LEFT JOIN delivery AS d ON d.seq = e.seq AND d.plugin = ?`;

const STATEMENTS = {
  byKey: `SELECT e.detail, d.state, d.attempts FROM ${DELIVERED} WHERE e.key = ?`,
  bySeq: `SELECT e.detail FROM ${DELIVERED} WHERE e.seq = ?`,
  lastTold: `SELECT max(e.seq) AS seq FROM event AS e CROSS JOIN delivery AS d ON d.seq = e.seq AND d.plugin = ? AND ${
    wasTold("d")
  }
    WHERE e.key > ? AND e.key < ? AND e.seq < ?`,
} as const;
