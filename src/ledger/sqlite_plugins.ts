import { type Database, prepareAll, type Statements } from "./sqlite.ts";

/** No plugin's number. */
const NOBODY = 0;

/** The numbers that stand for plugins' names in the file. */
export class PluginNumbers {
  readonly #sql: Statements<typeof STATEMENTS>;
  readonly #known = new Map<string, number>();

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
  }

  /** A new name gets one. Inside a transaction. */
  add(name: string): number {
    this.#sql.add.run(name);
    return Number(this.#sql.number.get(name)?.["id"]);
  }

  /** Numbers are for ever, and what is asked of a plugin was written with its own. */
  of(name: string): number {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const row = this.#sql.number.get(name);
    if (row === undefined) return NOBODY;
    const number = Number(row["id"]);
    this.#known.set(name, number);
    return number;
  }
}

const STATEMENTS = {
  add: `INSERT OR IGNORE INTO plugin (name) VALUES (?)`,
  number: `SELECT id FROM plugin WHERE name = ?`,
} as const;
