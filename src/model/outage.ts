import type { FailureReason } from "./errors.ts";

/** A time in which a plugin's circuit breaker is open: its target gets one probe at a time. Times are milliseconds since the epoch. */
export interface TargetOutage {
  readonly since: number;
  readonly nextProbeAt: number;
  /** Of the last failure. */
  readonly reason: FailureReason;
  /** What the last failure said, without secrets. */
  readonly error: string;
}
