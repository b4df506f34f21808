import type { LoopHeartbeat } from "../model/loop_heartbeat.ts";
import type { Tenancy, Tenure } from "../model/tenancy.ts";

export interface TenuresOptions {
  readonly tenancy: Tenancy;
  /** Aborts when the service stops. */
  readonly signal: AbortSignal;
}

/** A part of the work, and what tells that it moves. */
export interface TenuredWork {
  readonly name: string;
  readonly heartbeat: LoopHeartbeat;
  readonly work: (tenure: Tenure) => Promise<unknown>;
}

/** Does a part of the work whenever it is ours. Meanwhile, and otherwise, its heartbeat is idle. */
export async function holdWork(
  { tenancy, signal }: TenuresOptions,
  { name, heartbeat, work }: TenuredWork,
): Promise<void> {
  let begun = Promise.withResolvers<void>();
  void heartbeat.whileIdle(begun.promise);
  await tenancy.hold(name, async (tenure) => {
    begun.resolve();
    try {
      await work(tenure);
    } finally {
      begun = Promise.withResolvers();
      void heartbeat.whileIdle(begun.promise);
    }
  }, signal);
}

/**
 * Runs parts that end with a signal. When one fails, the others are ended, too.
 *
 * @throws the error of the first that failed, once all have ended.
 */
export async function allEnded(
  parts: readonly ((signal: AbortSignal) => Promise<unknown>)[],
  ending: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([ending, failed.signal]);
  const errors: unknown[] = [];
  await Promise.all(parts.map((part) =>
    part(signal).catch((error) => {
      errors.push(error);
      failed.abort();
    })
  ));
  if (errors.length > 0) throw errors[0];
}
