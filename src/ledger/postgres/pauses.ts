import { UserError } from "../../model/errors.ts";
import type { PauseState, PluginPause } from "../../model/pause.ts";
import { told } from "./channel.ts";
import type { Queries, Row } from "./client.ts";
import { original, plain } from "./columns.ts";

/** Processes with an older schema go on delivering. */
const FIRST_SCHEMA = 2;

/**
 * Pauses a plugin. Returns whether it was not paused before.
 *
 * @throws {UserError} while a process runs that would not heed it.
 */
export async function pausePlugin(queries: Queries, plugin: string, { at, by }: PluginPause): Promise<boolean> {
  const [older] = await queries.rows(OLDER, [FIRST_SCHEMA]);
  if (older !== undefined) {
    const process = `"${original(older["name"] as string)}" (${older["version"]})`;
    throw new UserError(
      `Cannot pause the plugin "${plugin}": process ${process} is of an older version, which would go on delivering. ` +
        "Update that process, then pause",
    );
  }
  return (await queries.rows(PAUSE, [plain(plugin), at, plain(by)])).length > 0;
}

/** Ends a pause. Returns whether there was one. */
export async function resumePlugin(queries: Queries, plugin: string, at: number): Promise<boolean> {
  return (await queries.rows(RESUME, [plain(plugin), at])).length > 0;
}

/** The plugins that are paused, by name. */
export async function readPauses(queries: Queries): Promise<ReadonlyMap<string, PluginPause>> {
  const rows = await queries.rows(PAUSED);
  return new Map(rows.flatMap((row) => {
    const { paused } = pauseStateOf(row);
    return paused === null ? [] : [[original(row["name"] as string), paused] as const];
  }));
}

/** The pause of a row of table `plugin`. */
export function pauseStateOf({ paused_at: at, paused_by: by, resumed_at: resumed = null }: Row): PauseState {
  return {
    paused: at === null ? null : { at: Number(at), by: original(by as string) },
    resumedAt: resumed === null ? null : Number(resumed),
  };
}

const OLDER = `SELECT name, version FROM process
  WHERE schema_version < $1 AND stopped_at IS NULL AND seen_at > clock_timestamp() - make_interval(secs => lease_seconds)
  ORDER BY name LIMIT 1`;

const PAUSE = `WITH paused AS (
    UPDATE plugin SET paused_at = $2, paused_by = $3 WHERE name = $1 AND paused_at IS NULL RETURNING 1)
  SELECT ${told("changed")} FROM paused`;

const RESUME = `WITH resumed AS (
    UPDATE plugin SET paused_at = NULL, paused_by = NULL, resumed_at = $2
    WHERE name = $1 AND paused_at IS NOT NULL RETURNING 1)
  SELECT ${told("changed")} FROM resumed`;

const PAUSED = "SELECT name, paused_at, paused_by FROM plugin WHERE paused_at IS NOT NULL ORDER BY name";
