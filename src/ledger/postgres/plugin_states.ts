import type { PluginState } from "../../model/operations.ts";
import type { Queries } from "./client.ts";
import { original, plain } from "./columns.ts";
import { pauseStateOf } from "./pauses.ts";
import { listedState } from "./delivery_states.ts";

/** Reads the states of all plugins: some tenths of a second for a million deliveries. */
export async function pluginStates(queries: Queries): Promise<readonly PluginState[]> {
  const [plugins, counts, configured] = [
    await queries.rows("SELECT id, name, outage, paused_at, paused_by FROM plugin ORDER BY name"),
    await queries.rows(COUNTS),
    await configuredPlugins(queries),
  ];
  return plugins.map(({ id, name, outage, ...row }) => {
    const deliveries = { waiting: 0, retrying: 0, done: 0, skipped: 0, dead: 0, dropped: 0 };
    for (const row of counts) {
      if (row["plugin"] !== id) continue;
      deliveries[listedState(row["state"], row["tried"]) as keyof typeof deliveries] += Number(row["count"]);
    }
    const plugin = original(name as string);
    return {
      plugin,
      deliveries,
      isConfigured: configured === null || configured.has(plugin),
      outage: outage === null ? null : JSON.parse(outage as string),
      paused: pauseStateOf(row).paused,
    };
  });
}

/** Whether a plugin is configured in a process that runs, or was in the last that ran. */
export async function isConfigured(queries: Queries, plugin: string): Promise<boolean> {
  const configured = await configuredPlugins(queries);
  return configured === null || configured.has(plugin);
}

/** The plugins of all living processes, or of the last one; `null`: there never was one. */
async function configuredPlugins(queries: Queries): Promise<ReadonlySet<string> | null> {
  const rows = await queries.rows(PROCESSES);
  const living = rows.filter((row) => row["living"] === true);
  const counted = living.length > 0 ? living : rows.slice(0, 1);
  if (counted.length === 0) return null;
  return new Set(counted.flatMap((row) => JSON.parse(row["plugins"] as string) as string[]));
}

/** Makes all retries of a plugin due at once. Returns their number. */
export async function bringRetriesForward(queries: Queries, plugin: number): Promise<number> {
  const [row] = await queries.rows(BRING_FORWARD, [plugin]);
  return Number(row?.["count"]);
}

/** Reads the number of a plugin; `null`: it is not known. */
export async function pluginNumber(queries: Queries, name: string): Promise<number | null> {
  const [row] = await queries.rows("SELECT id FROM plugin WHERE name = $1", [plain(name)]);
  return row === undefined ? null : Number(row["id"]);
}

/** What waits has no row: it is counted from where each plugin's queue begins. */
const COUNTS = `SELECT plugin, state, (attempts > 0)::integer AS tried, count(*) AS count FROM delivery
    GROUP BY plugin, state, attempts > 0
  UNION ALL SELECT p.id, 'waiting', 0, count(*) FROM plugin AS p
    JOIN event AS e ON e.seq >= p.queued_from AND p.id = ANY(e.plugins)
    WHERE NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq = e.seq AND d.plugin = p.id)
    GROUP BY p.id`;

const PROCESSES = `SELECT plugins,
    stopped_at IS NULL AND seen_at > clock_timestamp() - make_interval(secs => lease_seconds) AS living
  FROM process ORDER BY seen_at DESC`;

const BRING_FORWARD = `WITH brought AS (
    UPDATE delivery SET due_at = 0 WHERE plugin = $1::integer AND state = 'open' AND attempts > 0 RETURNING 1),
  requested AS (UPDATE plugin SET probe_requests = probe_requests + 1 WHERE id = $1::integer)
  SELECT count(*) AS count FROM brought`;
