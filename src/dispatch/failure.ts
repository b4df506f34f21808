import { FAILURE_REASONS, type FailureReason } from "../model/errors.ts";

/** How an attempt failed, and whether to retry. */
export interface Failure {
  readonly reason: FailureReason;
  readonly error: string;
  /** A retry cannot help. */
  readonly permanent: boolean;
  readonly retryAfterMs: number;
}

/** Characters of an error that are kept. */
export const MAX_ERROR_LENGTH = 500;

/** A receiver's `Retry-After` is cut to 1 day. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * Classifies what a plugin threw. Reads errors by their shape, not by `instanceof`: a config.ts
 * that is loaded from disk may have its own copy of the classes. `PermanentError` is recognised by
 * name; `reason`, `status` and `retryAfterMs` by property; errors of connections by name, code and
 * text. Never throws, whatever was thrown.
 */
export function failureOf(
  error: unknown,
  { permanentStatuses, redact }: {
    readonly permanentStatuses: ReadonlySet<number>;
    readonly redact: (text: string) => string;
  },
): Failure {
  const declared = read(error, "name") === "PermanentError" || read(error, "reason") === "permanent";
  const status = read(error, "status");
  const retryAfter = read(error, "retryAfterMs");
  return {
    reason: declared ? "permanent" : reasonOf(error),
    error: redact(textOf(error)).slice(0, MAX_ERROR_LENGTH),
    permanent: declared || (typeof status === "number" && permanentStatuses.has(status)),
    retryAfterMs: typeof retryAfter === "number" && retryAfter > 0 ? Math.min(retryAfter, MAX_RETRY_AFTER_MS) : 0,
  };
}

/** Reads a property of any value, a primitive or a hostile proxy included. */
function read(error: unknown, name: string): unknown {
  try {
    return (error as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): FailureReason {
  const declared = DECLARABLE.find((reason) => reason === read(error, "reason"));
  if (declared !== undefined) return declared;
  const status = read(error, "status");
  return typeof status === "number" ? reasonOfStatus(status) : networkReasonOf(error) ?? "other";
}

/**
 * The reasons that a plugin may state. Not `interrupted`, which only the lane can know, and which
 * is retried without a delay.
 */
const DECLARABLE: readonly FailureReason[] = FAILURE_REASONS.filter((reason) =>
  reason !== "permanent" && reason !== "interrupted"
);

function reasonOfStatus(status: number): FailureReason {
  if (status === 401) return "unauthorized";
  if (status === 429) return "rate_limited";
  return status >= 500 ? "server_error" : "client_error";
}

/** Depth to which `cause` is followed. */
const MAX_CAUSES = 3;

function networkReasonOf(error: unknown): FailureReason | undefined {
  let cause = error;
  for (let depth = 0; depth <= MAX_CAUSES && cause !== undefined; depth++) {
    const found = NETWORK.get(read(cause, "name")) ?? NETWORK.get(read(cause, "code"));
    if (found !== undefined) return found;
    if (FETCH_FAILURE.test(textOf(cause))) return "connection";
    cause = read(cause, "cause");
  }
  return undefined;
}

/** By the names of Deno's errors and the codes of the operating system. */
const NETWORK: ReadonlyMap<unknown, FailureReason> = new Map<unknown, FailureReason>([
  ["TimeoutError", "timeout"],
  ["TimedOut", "timeout"],
  ["ETIMEDOUT", "timeout"],
  ["ConnectionRefused", "connection"],
  ["ConnectionReset", "connection"],
  ["ConnectionAborted", "connection"],
  ["NotConnected", "connection"],
  ["BrokenPipe", "connection"],
  ["UnexpectedEof", "connection"],
  ["ECONNREFUSED", "connection"],
  ["ECONNRESET", "connection"],
  ["ECONNABORTED", "connection"],
  ["EHOSTUNREACH", "connection"],
  ["ENETUNREACH", "connection"],
  ["ENOTFOUND", "connection"],
  ["EAI_AGAIN", "connection"],
  ["EPIPE", "connection"],
]);

/** The message of Deno's `fetch` when there was no response. */
const FETCH_FAILURE = /^error sending request\b/;

function textOf(error: unknown): string {
  try {
    return String(read(error, "message") || error);
  } catch {
    return "The plugin threw what has no text";
  }
}
