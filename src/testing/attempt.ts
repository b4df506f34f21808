import assert from "node:assert/strict";
import type { FailureReason, Plugin } from "../../mod.ts";
import { failureOf } from "../dispatch/failure.ts";
import { policyOf } from "../dispatch/policy.ts";
import { discreet } from "./secrets.ts";
import type { SampleEvent } from "./sample_event.ts";
import type { SampleUpdate } from "./sample_update.ts";

/** The arguments of `notify` or of `update`. */
export type SampleCall = SampleEvent | SampleUpdate;

/** The outcome of an attempt for the service. */
export interface Verdict {
  /** `permanent`: a dead letter at once. */
  readonly outcome: "done" | "retry" | "permanent";
  readonly reason: FailureReason | null;
  readonly retryAfterMs: number;
  /** The thrown value. */
  readonly error: unknown;
}

/** Options of a call of `notify` or `update`. */
export interface AttemptOptions {
  /** The secrets that it must not show. */
  readonly secrets: readonly string[];
  /** The time limit. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/** Calls `notify` or `update` once. Whatever it throws or logs must hold no secret. */
export async function attempt(plugin: Plugin, event: SampleCall, options: AttemptOptions): Promise<Verdict> {
  const lines: string[] = [];
  const note = (message: string) => void lines.push(message);
  const log = { debug: note, info: note, warn: note, error: note };
  const changes = { log, ...(options.signal ? { signal: options.signal } : {}) };
  const called = (async () => await call(plugin, event, changes))();
  const verdict = await settled(within(called, `${methodOf(event)} did not end`, options.deadlineMs));
  discreet({ error: verdict.error, log: lines, plugin }, options.secrets);
  return verdict;
}

/** Calls `notify` or `update` once; the attempt must succeed. */
export async function succeed(plugin: Plugin, event: SampleCall, options: AttemptOptions): Promise<void> {
  const { outcome, error } = await attempt(plugin, event, options);
  if (outcome === "done") return;
  throw new assert.AssertionError({
    message: `${methodOf(event)} threw although the target accepts: ${textOf(error)}`,
  });
}

/** Whether the call is one of `update`. */
export function isUpdate(event: SampleCall): event is SampleUpdate {
  return event.context.kind === "update";
}

async function call(
  plugin: Plugin,
  event: SampleCall,
  changes: Partial<Pick<SampleCall["context"], "log" | "signal">>,
): Promise<void> {
  if (isUpdate(event)) await plugin.update?.(event.detail, { ...event.context, ...changes });
  else await plugin.notify(event.detail, event.created, { ...event.context, ...changes });
}

function methodOf(event: SampleCall): string {
  return isUpdate(event) ? "update()" : "notify()";
}

async function settled(called: Promise<void>): Promise<Verdict> {
  try {
    await called;
    return { outcome: "done", reason: null, retryAfterMs: 0, error: undefined };
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return verdictOf(error);
  }
}

/** Resolves to the promise's value; fails the test if it takes too long. */
export async function within<T>(promise: Promise<T>, otherwise: string, deadlineMs: number): Promise<T> {
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

/** The service's reaction to an error, with its default settings. */
export function verdictOf(error: unknown): Verdict {
  const { permanentStatuses } = policyOf("any");
  const { permanent, reason, retryAfterMs } = failureOf(error, { permanentStatuses, redact: (text) => text });
  return { outcome: permanent ? "permanent" : "retry", reason, retryAfterMs, error };
}

/** For messages of failed tests. */
export function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
