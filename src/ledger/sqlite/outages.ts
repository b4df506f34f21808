import type { TargetOutage } from "../../model/outage.ts";
import { type Database, prepareAll, type Statements } from "./database.ts";

/**
 * Outages of plugins' targets, and operators' requests to probe them: rows of table `fact`, by
 * which the service and the commands tell each other.
 */
export class Outages {
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.#sql = prepareAll(database, STATEMENTS);
  }

  /**
   * Begins a new run, which has not tried its targets yet: forgets all outages, and notes which
   * plugins are configured. Runs inside a transaction.
   */
  begin(plugins: readonly string[]): void {
    this.#sql.clear.run();
    this.#sql.put.run(CONFIGURED, JSON.stringify(plugins));
  }

  /** Whether a plugin is configured in the last run; also if that is not known. */
  isConfigured(plugin: string): boolean {
    const value = this.#sql.fact.get(CONFIGURED)?.["value"];
    return value === undefined || (JSON.parse(String(value)) as readonly string[]).includes(plugin);
  }

  /** Stores an outage, or with `null` its end. Runs inside a transaction. */
  note(plugin: string, outage: TargetOutage | null): void {
    if (outage === null) this.#sql.forget.run(OUTAGE + plugin);
    else this.#sql.put.run(OUTAGE + plugin, JSON.stringify(outage));
  }

  of(plugin: string): TargetOutage | null {
    const value = this.#sql.fact.get(OUTAGE + plugin)?.["value"];
    return value === undefined ? null : JSON.parse(String(value));
  }

  /** Runs inside a transaction. */
  requestProbe(plugin: string): void {
    this.#sql.count.run(PROBE_REQUESTS + plugin);
  }

  /** How often operators have requested a probe. */
  probeRequests(plugin: string): number {
    return Number(this.#sql.fact.get(PROBE_REQUESTS + plugin)?.["value"] ?? 0);
  }
}

/** The name of a row in table `fact`. */
const CONFIGURED = "configured_plugins";

/** Prefixes of names in table `fact`; a plugin's name follows. */
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
