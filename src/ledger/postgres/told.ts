import type { Detail } from "../../model/detail.ts";
import { creationKey, updateKey, updateKeys } from "../../model/event_key.ts";
import type { RecentEvent } from "../recent_events.ts";
import type { Queries } from "./client.ts";
import { Columns, plain, unnested } from "./columns.ts";

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
  async before(plugin: number, event: Before): Promise<Detail | null> {
    return (await this.beforeAll(plugin, [event])).get(event.seq) ?? null;
  }

  /** The same of several events, by number, with one question. Those without such a detail are left out. */
  async beforeAll(plugin: number, events: readonly Before[]): Promise<ReadonlyMap<number, Detail>> {
    const asked = new Columns(5);
    let isAny = false;
    for (const { seq, serverId, updates = 0 } of events) {
      if (serverId === null) continue;
      const { from, to } = updateKeys(serverId);
      asked.add(seq, plain(updateKey(serverId, updates)), plain(creationKey(serverId)), plain(from), plain(to));
      isAny = true;
    }
    if (!isAny) return new Map();
    const rows = await this.#queries.rows(BEFORE, [plugin, ...asked.texts]);
    return new Map(rows.map((row) => [Number(row["seq"]), JSON.parse(row["detail"] as string)]));
  }
}

const TOLD = "JOIN delivery AS d ON d.seq = e.seq AND d.plugin = $1::integer AND d.state = 'done' AND d.attempts > 0";

/** The last update; if the plugin was not told that, the last one that it was told; the creation. */
const BEFORE = `SELECT a.seq, found.detail
  FROM ${unnested(2, ["bigint", "text", "text", "text", "text"])} AS a (seq, last, creation, updates_from, updates_to)
  CROSS JOIN LATERAL (
    (SELECT 1 AS place, e.detail FROM event AS e ${TOLD} WHERE e.key = a.last)
    UNION ALL (SELECT 2, e.detail FROM event AS e ${TOLD}
      WHERE e.key > a.updates_from AND e.key < a.updates_to AND e.seq < a.seq ORDER BY e.seq DESC LIMIT 1)
    UNION ALL (SELECT 3, e.detail FROM event AS e ${TOLD} WHERE e.key = a.creation)
    ORDER BY place LIMIT 1) AS found`;
