import type { FailureReason } from "../model/errors.ts";

/** What an attempt's error means for the delivery. */
export interface Failure {
  readonly reason: FailureReason;
  readonly error: string;
  /** Trying again cannot help. */
  readonly permanent: boolean;
  readonly retryAfterMs: number;
}

/** The longest text of an error that is kept. */
const MAX_ERROR_LENGTH = 500;

/**
 * Reads an error by its shape, since a config loaded from disk may carry a second copy of the classes: `PermanentError` by name,
 * `reason`, `status` and `retryAfterMs` where they are, and what the network says of connections.
 */
export function failureOf(
  error: unknown,
  { permanentStatuses, redact }: {
    readonly permanentStatuses: ReadonlySet<number>;
    readonly redact: (text: string) => string;
  },
): Failure {
  const shape = (typeof error === "object" && error !== null ? error : {}) as Readonly<Record<string, unknown>>;
  const status = typeof shape["status"] === "number" ? shape["status"] : null;
  const declared = shape["name"] === "PermanentError";
  const permanent = declared || (status !== null && permanentStatuses.has(status));
  const retryAfter = shape["retryAfterMs"];
  return {
    reason: declared ? "permanent" : reasonOf(shape, status),
    error: redact(textOf(error)).slice(0, MAX_ERROR_LENGTH),
    permanent,
    retryAfterMs: typeof retryAfter === "number" && retryAfter > 0 ? Math.min(retryAfter, MAX_RETRY_AFTER_MS) : 0,
  };
}

/** A receiver that asks for more than a day is not believed. */
const MAX_RETRY_AFTER_MS = 86_400_000;

function reasonOf(shape: Readonly<Record<string, unknown>>, status: number | null): FailureReason {
  const declared = REASONS.find((reason) => reason === shape["reason"]);
  if (declared !== undefined) return declared;
  if (shape["name"] === "TimeoutError") return "timeout";
  if (status !== null) return reasonOfStatus(status);
  return typeof shape["code"] === "string" && CONNECTION_CODES.has(shape["code"]) || isNetworkError(shape["name"])
    ? "connection"
    : "other";
}

function reasonOfStatus(status: number): FailureReason {
  if (status === 401) return "unauthorized";
  if (status === 429) return "rate_limited";
  return status >= 500 ? "server_error" : "client_error";
}

const REASONS: readonly FailureReason[] = [
  "connection",
  "timeout",
  "unauthorized",
  "rate_limited",
  "client_error",
  "server_error",
  "permanent",
  "interrupted",
  "other",
];

const CONNECTION_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
]);

/** Names of Deno's own network errors. */
function isNetworkError(name: unknown): boolean {
  return typeof name === "string" &&
    /^(Connection(Refused|Reset|Aborted)|NotConnected|BrokenPipe|UnexpectedEof)$/.test(name);
}

function textOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  return String(error);
}
