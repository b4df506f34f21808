import { policyOf } from "../dispatch/policy.ts";
import { openStoredLedger } from "../ledger/open_ledger.ts";
import { placeOf } from "../ledger/place.ts";
import { RetryingLedger } from "../ledger/retrying_ledger.ts";
import type { Config } from "../model/config.ts";
import type { Plugin } from "../model/plugin.ts";
import { filterOf } from "../model/plugin_filter.ts";
import type { StoredLedger, StoredLedgerOptions } from "../model/stored_ledger.ts";
import type { ServiceOptions } from "./service_options.ts";
import { LEDGER_DEFAULTS } from "../model/config_defaults.ts";

const DAY_MS = 86_400_000;
/**
 * Creations from a queue are not too old before this age, whatever `keepDays` is: outages may last.
 */
const MIN_OLD_DAYS = 30;

/**
 * Opens the ledger that config.ts names.
 *
 * @param options As in `StoredLedgerOptions`.
 * @throws {UserError} when it cannot be opened.
 */
export async function openServiceLedger(
  service: ServiceOptions,
  { onRescheduled, onRecorded }: Pick<StoredLedgerOptions, "onRescheduled" | "onRecorded">,
): Promise<StoredLedger> {
  const { config, version, plugins, clock, log } = service;
  return await openStoredLedger(placeOf(config.ledger), {
    plugins: [...plugins.keys()],
    version,
    announces: await announcesOf(config, plugins),
    clock,
    keepDays: keepDaysOf(config),
    maxDelayMs: Math.max(...[...plugins.keys()].map((name) => policyOf(name, config.retry).maxDelayMs)),
    log: log("ledger"),
    onRescheduled,
    onRecorded,
  });
}

export interface ServiceLedgerOptions {
  readonly service: ServiceOptions;
  readonly stored: StoredLedger;
  /** Ends all waiting for a ledger that is unavailable. */
  readonly signal: AbortSignal;
  /** Called once when the ledger becomes unavailable. */
  readonly onDown: () => void;
  /** Called once when the ledger can be written again. */
  readonly onUp: () => void;
}

/** The service's ledger, with retries around it. */
export class ServiceLedger {
  readonly stored: StoredLedger;
  /** What the stages use. */
  readonly retrying: RetryingLedger;
  readonly #now: () => number;
  readonly #keepDays: number;

  constructor({ service, stored, signal, onDown, onUp }: ServiceLedgerOptions) {
    const { config, clock } = service;
    const log = service.log("ledger");
    this.stored = stored;
    this.#now = clock.now;
    this.#keepDays = keepDaysOf(config);
    this.retrying = new RetryingLedger({
      ledger: service.telemetry?.tracedLedger(stored) ?? stored.ledger,
      clock,
      signal,
      testWrite: () => stored.testWrite(),
      onDown: ({ message }) => {
        log.error(
          `Cannot write the ledger: ${message}. Nothing is acknowledged and nothing is sent until it can be written`,
        );
        onDown();
      },
      onUp: () => {
        log.info("The ledger can be written again");
        onUp();
      },
    });
  }

  /**
   * Creations before this time (ISO 8601, UTC) count as old; `null`: none does. After a forward
   * clock jump, age limits are not applied.
   */
  oldestCreation(): string | null {
    if (!this.stored.trustsClock()) return null;
    const days = Math.max(this.#keepDays, MIN_OLD_DAYS);
    return new Date(this.#now() - days * DAY_MS).toISOString();
  }
}

/** What makes two configurations announce the same: events, and what of detail and filters is no function. */
async function announcesOf({ events, detail }: Config, plugins: ReadonlyMap<string, Plugin>): Promise<string> {
  const filters = Object.fromEntries([...plugins].flatMap(([name, plugin]) => {
    const filter = filterOf(plugin);
    return filter === null ? [] : [[name, filter.options]];
  }));
  const all = { events, detail, ...(Object.keys(filters).length === 0 ? {} : { filters }) };
  const text = JSON.stringify(all, (_, value) => typeof value === "function" ? "function" : value);
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash).toHex().slice(0, 16);
}

function keepDaysOf({ ledger }: Config): number {
  return ledger?.keepDays ?? LEDGER_DEFAULTS.keepDays;
}
