import { type Database, prepareAll, type Statements } from "./database.ts";

/** The number of a name that is not in the file: no row has it. */
const UNKNOWN = 0;

/** The numbers that stand for plugins' names in the file. */
export class PluginNumbers {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #known = new Map<string, number>();

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
  }

  /** The numbers of the configured plugins; a new name gets one. Runs inside a transaction. */
  activate(names: readonly string[]): readonly number[] {
    const numbers = names.map((name) => this.#add(name));
    // Nobody reads the queues of removed plugins. Saving where those begin keeps look-ups short:
    // they start at the start of the oldest queue.
    this.#sql.saveBeginOfOthers.run(JSON.stringify(numbers));
    return numbers;
  }

  #add(name: string): number {
    this.#sql.add.run(name);
    return Number(this.#sql.number.get(name)?.["id"]);
  }

  /** A plugin's number, cached: it never changes. */
  of(name: string): number {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const row = this.#sql.number.get(name);
    if (row === undefined) return UNKNOWN;
    const number = Number(row["id"]);
    this.#known.set(name, number);
    return number;
  }
}

const STATEMENTS = {
  add: `INSERT OR IGNORE INTO plugin (name, queued_from) VALUES (?, (SELECT coalesce(max(seq), 0) + 1 FROM event))`,
  saveBeginOfOthers: `UPDATE plugin SET queued_from = coalesce(
      (SELECT seq FROM delivery AS d WHERE d.plugin = plugin.id AND d.state = 'queued' AND d.seq >= plugin.queued_from ORDER BY d.seq LIMIT 1),
      (SELECT coalesce(max(seq), 0) + 1 FROM event))
    WHERE id NOT IN (SELECT value FROM json_each(?))`,
  number: `SELECT id FROM plugin WHERE name = ?`,
} as const;
