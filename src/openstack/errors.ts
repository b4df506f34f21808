import type { FailureReason } from "../model/errors.ts";
import type { ServiceName } from "./services.ts";

/** The answers below and above 500 that say something of the whole service, or of what stands before it. */
const SERVICE_WIDE_STATUSES = new Set([401, 429, 502, 503, 504]);

/** OpenStack does not answer as it should, which waiting may mend. Holds no secret. */
export class OpenStackUnavailable extends Error {
  override readonly name = "OpenStackUnavailable";
  readonly service: ServiceName;
  readonly reason: FailureReason;
  /** The HTTP status, where there was one. */
  readonly status?: number;
  /** How long the service asked us to wait. */
  readonly retryAfterMs?: number;

  constructor(
    message: string,
    details: {
      readonly service: ServiceName;
      readonly reason: FailureReason;
      readonly status?: number;
      readonly retryAfterMs?: number | undefined;
    },
  ) {
    super(message);
    this.service = details.service;
    this.reason = details.reason;
    if (details.status !== undefined) this.status = details.status;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
  }
  /** Whether it may be one question alone that the service fails at: it answered, and not that it answers nobody. */
  get mayConcernOneRequest(): boolean {
    return this.status !== undefined && !SERVICE_WIDE_STATUSES.has(this.status);
  }
}
