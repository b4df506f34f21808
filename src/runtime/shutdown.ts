import type { Lane } from "../dispatch/lane.ts";
import type { Clock } from "../model/clock.ts";
import type { Plugin } from "../model/plugin.ts";
import type { Listening } from "./listening.ts";

/** How long work in flight may continue after a stop. */
const GRACE_MS = 10_000;
/** How long it may take to record the outcomes of aborted attempts. */
const RECORDING_MS = 2_000;

export interface ShutdownOptions {
  readonly listening: Listening;
  readonly lanes: Iterable<Lane>;
  readonly plugins: Iterable<Plugin>;
  /** Settles when all stages have ended. */
  readonly work: Promise<unknown>;
  readonly clock: Clock;
  /** Stops the stages. */
  readonly stopping: AbortController;
  /** Ends all waiting. */
  readonly ended: AbortController;
}

/**
 * Stops a service: no more messages, no more attempts. Attempts in flight may end within the grace
 * period; then they are aborted, and recorded as interrupted. Recorded notifications that are not
 * decided are decided at the next start. Messages that are not recorded are delivered again.
 */
export async function shutDown(options: ShutdownOptions): Promise<void> {
  const { listening, lanes, plugins, work, clock, stopping, ended } = options;
  stopping.abort();
  const grace = clock.sleep(GRACE_MS, ended.signal);
  await Promise.race([listening.end(), grace]);
  await Promise.race([listening.intake.flush(), grace]);
  await Promise.race([work, grace]);
  for (const lane of lanes) lane.abortInFlight();
  await Promise.race([work, clock.sleep(RECORDING_MS, ended.signal)]);
  ended.abort();
  await Promise.allSettled(listening.brokers.map((broker) => broker.stop()));
  await Promise.allSettled([...plugins].map((plugin) => plugin[Symbol.asyncDispose]?.()));
}
