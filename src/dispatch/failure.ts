import { FAILURE_REASONS, type FailureReason } from "../model/errors.ts";

/** What an attempt's error means for the delivery. */
export interface Failure {
  readonly reason: FailureReason;
  readonly error: string;
  /** Trying again cannot help. */
  readonly permanent: boolean;
  readonly retryAfterMs: number;
}

/** The longest text of an error that is kept. */
export const MAX_ERROR_LENGTH = 500;

/** A receiver that asks for more than a day is not believed. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * Reads an error by its shape, since a config loaded from disk may carry a second copy of the classes: `PermanentError` by name,
 * `reason`, `status` and `retryAfterMs` where they are, and what the network says of connections. Never throws, whatever was thrown.
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

/** A property of whatever was thrown, a primitive or a hostile proxy included. */
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

/** What a plugin may say. That an attempt was interrupted is known only here: it is repeated without a delay. */
const DECLARABLE: readonly FailureReason[] = FAILURE_REASONS.filter((reason) =>
  reason !== "permanent" && reason !== "interrupted"
);

function reasonOfStatus(status: number): FailureReason {
  if (status === 401) return "unauthorized";
  if (status === 429) return "rate_limited";
  return status >= 500 ? "server_error" : "client_error";
}

/** How many causes behind each other are looked at. */
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

/** Names of Deno's own errors, and codes of the system. */
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

/** What Deno's `fetch` says where there was no answer. */
const FETCH_FAILURE = /^error sending request\b/;

function textOf(error: unknown): string {
  try {
    return String(read(error, "message") || error);
  } catch {
    return "The plugin threw what has no text";
  }
}
