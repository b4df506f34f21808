import type { FailureReason } from "../model/errors.ts";
import type { ServiceName } from "./services.ts";

/** Statuses that concern the whole service or a proxy in front of it, not a single request. */
const SERVICE_WIDE_STATUSES = new Set([401, 429, 502, 503, 504]);

/**
 * An OpenStack service gave no answer or an unusable one; a retry may succeed. Contains no secret.
 */
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
  /**
   * Whether the failure may concern a single request: the service answered, and the status is not
   * one that concerns the whole service.
   */
  get mayConcernOneRequest(): boolean {
    return this.status !== undefined && !SERVICE_WIDE_STATUSES.has(this.status);
  }
}
