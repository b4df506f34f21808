import type { FailureReason } from "./errors.ts";

/**
 * An outage of a plugin's target: its circuit breaker is open, so that it gets one probe at a time.
 * Times are milliseconds since the epoch.
 */
export interface TargetOutage {
  readonly since: number;
  readonly nextProbeAt: number;
  /** Of the last failure. */
  readonly reason: FailureReason;
  /** Text of the last failure, without secrets. */
  readonly error: string;
}
