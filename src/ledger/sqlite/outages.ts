import type { TargetOutage } from "../../model/outage.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";

/** What the service tells operators' commands of its plugins' targets, and what they ask of it: facts of the ledger file. */
export class Outages {
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
  }

  /** A new run knows nothing of its targets yet. Inside a transaction, as all that writes. */
  begin(plugins: readonly string[]): void {
    this.#sql.clear.run();
    this.#sql.put.run(CONFIGURED, JSON.stringify(plugins));
  }

  /** Whether the last run has a plugin, as far as that is known. */
  isConfigured(plugin: string): boolean {
    const value = this.#sql.fact.get(CONFIGURED)?.["value"];
    return value === undefined || (JSON.parse(String(value)) as readonly string[]).includes(plugin);
  }

  note(plugin: string, outage: TargetOutage | null): void {
    if (outage === null) this.#sql.forget.run(OUTAGE + plugin);
    else this.#sql.put.run(OUTAGE + plugin, JSON.stringify(outage));
  }

  of(plugin: string): TargetOutage | null {
    const value = this.#sql.fact.get(OUTAGE + plugin)?.["value"];
    return value === undefined ? null : JSON.parse(String(value));
  }

  requestProbe(plugin: string): void {
    this.#sql.count.run(PROBE_REQUESTS + plugin);
  }

  /** How often an operator has asked for a probe. */
  probeRequests(plugin: string): number {
    return Number(this.#sql.fact.get(PROBE_REQUESTS + plugin)?.["value"] ?? 0);
  }
}

/** The name of a fact. */
const CONFIGURED = "configured_plugins";

/** Beginnings of names of facts; a plugin's name follows. */
const OUTAGE = "outage/";
const PROBE_REQUESTS = "probe_requests/";

const STATEMENTS = {
  fact: `SELECT value FROM fact WHERE name = ?`,
  put: `INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)`,
  forget: `DELETE FROM fact WHERE name = ?`,
  clear: `DELETE FROM fact WHERE name >= '${OUTAGE}' AND name < 'outage0'`,
  count: `INSERT INTO fact (name, value) VALUES (?, '1')
    ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1`,
} as const;
