import type { LedgerOperations } from "../../model/operations.ts";
import type { LoadedConfig } from "../../config/load_config.ts";
import type { Clock } from "../../model/clock.ts";
import type { Logger, Plugin } from "../../model/plugin.ts";

/** What the worker's operations work with. */
export interface WorkerContext {
  readonly loaded: LoadedConfig;
  /** Its own copies of the configured plugins, by name. They are never notified. */
  readonly plugins: ReadonlyMap<string, Plugin>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: (part: string) => Logger;
  /** Calls back with the ledger, which is opened when it is first needed. */
  readonly withLedger: <T>(work: (ledger: LedgerOperations) => Promise<T>) => Promise<T>;
  /** Work begins or ends that goes on after the answer. */
  readonly onBackground: (change: 1 | -1) => void;
}

/** A request, checked. */
export interface WorkerRequest {
  readonly query: Readonly<Record<string, string | number | boolean>>;
  /** As the route's schema says; `undefined`: it has none. */
  readonly body: unknown;
  /** Who asks, for the audit trail. */
  readonly who: string;
}

/** Answers one route. */
export type WorkerHandler = (request: WorkerRequest, context: WorkerContext) => Promise<unknown>;

/** Something that is asked for is not there, or cannot be done as it is: the answer says so. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: 400 | 404 | 409 | 413;

  constructor(status: 400 | 404 | 409 | 413, message: string) {
    super(message);
    this.status = status;
  }
}
