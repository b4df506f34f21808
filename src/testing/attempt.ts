import assert from "node:assert/strict";
import type { FailureReason, NotifyContext, Plugin } from "../../mod.ts";
import { failureOf } from "../dispatch/failure.ts";
import { policyOf } from "../dispatch/policy.ts";
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

/** How to call `notify`. */
export interface AttemptOptions {
  /** What it must not tell. */
  readonly secrets: readonly string[];
  /** By when it must end. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/** Calls `notify` once. Whatever it throws or logs must hold no secret. */
export async function attempt(plugin: Plugin, event: SampleEvent, options: AttemptOptions): Promise<Verdict> {
  const lines: string[] = [];
  const note = (message: string) => void lines.push(message);
  const log = { debug: note, info: note, warn: note, error: note };
  const context: NotifyContext = { ...event.context, log, ...(options.signal ? { signal: options.signal } : {}) };
  const notified = (async () => await plugin.notify(event.detail, event.created, context))();
  const verdict = await settled(within(notified, "notify() did not end", options.deadlineMs));
  discreet({ error: verdict.error, log: lines, plugin }, options.secrets);
  return verdict;
}

/** Calls `notify` once, and wants it done. */
export async function succeed(plugin: Plugin, event: SampleEvent, options: AttemptOptions): Promise<void> {
  const { outcome, error } = await attempt(plugin, event, options);
  if (outcome === "done") return;
  throw new assert.AssertionError({ message: `notify() threw although the target accepts: ${textOf(error)}` });
}

async function settled(notified: Promise<void>): Promise<Verdict> {
  try {
    await notified;
    return { outcome: "done", reason: null, retryAfterMs: 0, error: undefined };
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return verdictOf(error);
  }
}

/** The promise's value, or a failed test if it takes too long. */
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

/** What an error means to the service, with the settings that it has by default. */
export function verdictOf(error: unknown): Verdict {
  const { permanentStatuses } = policyOf("any");
  const { permanent, reason, retryAfterMs } = failureOf(error, { permanentStatuses, redact: (text) => text });
  return { outcome: permanent ? "permanent" : "retry", reason, retryAfterMs, error };
}

/** For messages of failed tests. */
export function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
