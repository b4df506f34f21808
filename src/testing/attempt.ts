import assert from "node:assert/strict";
import type { FailureReason, NotifyContext, Plugin } from "../../mod.ts";
import { discreet } from "./secrets.ts";
import type { SampleEvent } from "./sample_event.ts";

/** What the service would make of an attempt. */
export interface Verdict {
  /** `permanent`: a dead letter at once. */
  readonly outcome: "done" | "retry" | "permanent";
  readonly reason: FailureReason | null;
  readonly retryAfterMs: number;
  /** What was thrown. */
  readonly error: unknown;
}

/** An attempt, and a name for what it is about, for whoever reads that it went wrong. */
export interface AttemptOptions {
  readonly secrets: readonly string[];
  readonly signal?: AbortSignal;
}

/** Long enough for a slow machine, short enough for a person. */
const DEADLINE_MS = 10_000;

/** The statuses with which trying again cannot help, unless config.ts says otherwise. */
const PERMANENT_STATUSES: readonly unknown[] = [400, 409, 410, 413, 414, 415, 422, 431];

/** Calls `notify` once. Whatever it throws or logs must hold no secret. */
export async function attempt(plugin: Plugin, event: SampleEvent, options: AttemptOptions): Promise<Verdict> {
  const lines: string[] = [];
  const note = (message: string) => void lines.push(message);
  const log = { debug: note, info: note, warn: note, error: note };
  const context: NotifyContext = { ...event.context, log, ...(options.signal ? { signal: options.signal } : {}) };
  const verdict = await settled(async () => await plugin.notify(event.detail, event.created, context));
  discreet({ error: verdict.error, log: lines, plugin }, options.secrets);
  return verdict;
}

/** Calls `notify` once, and wants it done. */
export async function succeed(plugin: Plugin, event: SampleEvent, options: AttemptOptions): Promise<void> {
  const { outcome, error } = await attempt(plugin, event, options);
  if (outcome === "done") return;
  throw new assert.AssertionError({ message: `notify() threw although the target accepts: ${textOf(error)}` });
}

/** What became of something that may take time, but not for ever. */
export async function settled(work: () => Promise<unknown>): Promise<Verdict> {
  try {
    await within(work(), "notify() did not end");
    return { outcome: "done", reason: null, retryAfterMs: 0, error: undefined };
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return verdictOf(error);
  }
}

/** The promise's value, or a failed test if it takes too long. */
export async function within<T>(promise: Promise<T>, otherwise: string, deadlineMs = DEADLINE_MS): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new assert.AssertionError({ message: `${otherwise} within ${deadlineMs / 1000} s` }));
  }, deadlineMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** What an error means, read by its shape as the service reads it: see `failureOf` in `src/dispatch/failure.ts`. */
export function verdictOf(error: unknown): Verdict {
  const shape = (typeof error === "object" && error !== null ? error : {}) as Readonly<Record<string, unknown>>;
  const declared = shape["name"] === "PermanentError";
  const retryAfterMs = shape["retryAfterMs"];
  return {
    outcome: declared || PERMANENT_STATUSES.includes(shape["status"]) ? "permanent" : "retry",
    reason: declared ? "permanent" : reasonOf(shape),
    retryAfterMs: typeof retryAfterMs === "number" && retryAfterMs > 0 ? Math.min(retryAfterMs, 86_400_000) : 0,
    error,
  };
}

/** For messages of failed tests. */
export function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function reasonOf({ reason, name, status, code }: Readonly<Record<string, unknown>>): FailureReason {
  const declared = REASONS.find((known) => known === reason);
  if (declared !== undefined) return declared;
  if (name === "TimeoutError") return "timeout";
  if (status === 401) return "unauthorized";
  if (status === 429) return "rate_limited";
  if (typeof status === "number") return status >= 500 ? "server_error" : "client_error";
  return NODE_CODE.test(String(code)) || DENO_NAME.test(String(name)) ? "connection" : "other";
}

const NODE_CODE = /^(?:E(?:CONN(?:REFUSED|RESET|ABORTED)|HOSTUNREACH|NETUNREACH|NOTFOUND|PIPE)|EAI_AGAIN)$/;
const DENO_NAME = /^(?:Connection(?:Refused|Reset|Aborted)|NotConnected|BrokenPipe|UnexpectedEof)$/;

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
