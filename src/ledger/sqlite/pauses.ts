import { NEVER_PAUSED, type PauseState, type PluginPause } from "../../model/pause.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";

/** Pauses of plugins, by which operators' commands and the service tell each other. */
export class Pauses {
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
  }

  of(plugin: string): PauseState {
    const row = this.#sql.of.get(plugin);
    if (row === undefined) return NEVER_PAUSED;
    return { paused: pauseOfRow(row), resumedAt: row["resumed_at"] === null ? null : Number(row["resumed_at"]) };
  }

  /** The plugins that are paused, by name. */
  all(): ReadonlyMap<string, PluginPause> {
    return new Map(
      this.#sql.all.all().flatMap((row) => {
        const pause = pauseOfRow(row);
        return pause === null ? [] : [[String(row["name"]), pause] as const];
      }),
    );
  }

  /** Returns whether it was not paused before. Runs inside a transaction. */
  pause(plugin: string, { at, by }: PluginPause): boolean {
    return this.#sql.pause.run(at, by, plugin).changes > 0;
  }

  /** Returns whether it was paused. Runs inside a transaction. */
  resume(plugin: string, at: number): boolean {
    return this.#sql.resume.run(at, plugin).changes > 0;
  }
}

/** The pause of a row of table `plugin`; `null`: it is not paused. */
export function pauseOfRow(
  { paused_at: at, paused_by: by }: Readonly<Record<string, unknown>>,
): PluginPause | null {
  return at === null ? null : { at: Number(at), by: String(by) };
}

const STATEMENTS = {
  of: `SELECT paused_at, paused_by, resumed_at FROM plugin WHERE name = ?`,
  all: `SELECT name, paused_at, paused_by FROM plugin WHERE paused_at IS NOT NULL ORDER BY name`,
  pause: `UPDATE plugin SET paused_at = ?, paused_by = ? WHERE name = ? AND paused_at IS NULL`,
  resume:
    `UPDATE plugin SET paused_at = NULL, paused_by = NULL, resumed_at = ? WHERE name = ? AND paused_at IS NOT NULL`,
} as const;
