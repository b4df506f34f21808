import type { Detail } from "../../model/detail.ts";
import { creationKey, updateKey, updateKeys } from "../../model/event_key.ts";
import type { RecentEvent } from "../recent_events.ts";
import type { Queries } from "./client.ts";
import { plain } from "./columns.ts";

/** The event for which it is asked, by number. */
type Before = Pick<RecentEvent["event"], "serverId" | "updates"> & { readonly seq: number };

/** What plugins were last told of servers that change. Only reads. */
export class ToldDetails {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /**
   * The detail of the last update of the event's server before it, or of its creation, that a plugin
   * was told; `null`: it was told neither.
   */
  async before(plugin: number, { seq, serverId, updates = 0 }: Before): Promise<Detail | null> {
    if (serverId === null) return null;
    const { from, to } = updateKeys(serverId);
    const values = [plugin, updateKey(serverId, updates), creationKey(serverId), from, to];
    const [row] = await this.#queries.rows(BEFORE, [
      ...values.map((value) => typeof value === "string" ? plain(value) : value),
      seq,
    ]);
    return row === undefined ? null : JSON.parse(row["detail"] as string);
  }
}

const TOLD = "JOIN delivery AS d ON d.seq = e.seq AND d.plugin = $1::integer AND d.state = 'done' AND d.attempts > 0";

/** The last update; if the plugin was not told that, the last one that it was told; the creation. */
const BEFORE = `SELECT detail FROM (
    (SELECT 1 AS place, e.detail FROM event AS e ${TOLD} WHERE e.key = $2)
    UNION ALL (SELECT 2, e.detail FROM event AS e ${TOLD} WHERE e.key > $4 AND e.key < $5 AND e.seq < $6 ORDER BY e.seq DESC LIMIT 1)
    UNION ALL (SELECT 3, e.detail FROM event AS e ${TOLD} WHERE e.key = $3)) AS found
  ORDER BY place LIMIT 1`;
