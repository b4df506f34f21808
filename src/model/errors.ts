/** Reasons why an attempt failed. The metrics use them as a label. */
export type FailureReason =
  | "connection"
  | "timeout"
  | "unauthorized"
  | "rate_limited"
  | "client_error"
  | "server_error"
  | "permanent"
  | "interrupted"
  | "other";

/** All of {@linkcode FailureReason}, in the order of the metrics. */
export const FAILURE_REASONS = [
  "connection",
  "timeout",
  "unauthorized",
  "rate_limited",
  "client_error",
  "server_error",
  "permanent",
  "interrupted",
  "other",
] as const satisfies readonly FailureReason[];

/** Thrown by a plugin when a retry cannot help: the delivery becomes a dead letter at once. */
export class PermanentError extends Error {
  /** Tells the class where `instanceof` cannot. */
  override readonly name = "PermanentError";
}

/**
 * Thrown by a plugin to classify a failure. Any error with the same properties is treated alike.
 */
export class DeliveryError extends Error {
  /** Tells the class where `instanceof` cannot. */
  override readonly name = "DeliveryError";
  /** Why the attempt failed. */
  readonly reason: FailureReason;
  /** The HTTP status, if there was one. */
  readonly status?: number;
  /** How long the receiver asked us to wait. */
  readonly retryAfterMs?: number;

  /** Takes the text for the log, without secrets, and what the retry policy needs to know. */
  constructor(
    message: string,
    details: { reason: FailureReason; status?: number; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.reason = details.reason;
    if (details.status !== undefined) this.status = details.status;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
  }
}

/** A user's mistake. The program prints the text without a stack trace, and exits with code 1. */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/** All mistakes of a configuration. */
export class ConfigError extends UserError {
  override readonly name = "ConfigError";
  readonly findings: readonly string[];

  constructor(message: string, findings: readonly string[]) {
    super([message, ...findings.map((finding) => `  ${finding}`)].join("\n"));
    this.findings = findings;
  }
}
