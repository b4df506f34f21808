import type { Delivery } from "../model/ledger.ts";
import { LedgerUnavailable } from "../model/ledger.ts";
import type { Logger } from "../model/plugin.ts";
import { LeaseLost } from "../model/tenancy.ts";
import type { Failure } from "./failure.ts";
import type { Verdict } from "./verdict.ts";

/** Logs how an attempt ended. */
export function logAttempt(
  log: Logger,
  { event, attempts }: Delivery,
  { failure, verdict }: { readonly failure: Failure | null; readonly verdict: Verdict },
): void {
  if (failure === null) log.debug(`Delivered ${event.key}`);
  else if (verdict.outcome === "dead") {
    log.error(`Gave up ${event.key} after ${attempts + 1} attempts: ${failure.error}`);
  } else log.warn(`Attempt ${attempts + 1} of ${event.key} failed (${failure.reason}): ${failure.error}`);
}

/** Logs why the outcome of an attempt could not be recorded. */
export function logUnrecorded(log: Logger, { event: { key } }: Delivery, error: unknown): void {
  if (error instanceof LeaseLost) return log.debug(`Cannot record an attempt of ${key}: ${error}`);
  if (!(error instanceof LedgerUnavailable)) return log.error(`Cannot record an attempt of ${key}: ${error}`);
  // Otherwise the ledger is waited for.
  log.warn(`Cannot record an attempt of ${key} before the service stops: ${error.message}. It is made again`);
}
