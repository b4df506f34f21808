import type { Clock } from "../model/clock.ts";
import type { ComparisonLedger } from "../model/comparison_ledger.ts";
import type { RabbitSource } from "../model/config.ts";
import { queueOf, queueState } from "../rabbitmq/queue_state.ts";
import { NoConclusion } from "../reconcile/no_conclusion.ts";

export interface SettledOptions {
  readonly sources: readonly RabbitSource[];
  /**
   * Messages that the service has taken from a source so far; `null`: this is not the service, and
   * a queue must be seen empty.
   */
  readonly delivered: ((source: number) => number) | null;
  /** Records the messages that were taken. */
  readonly flush: () => Promise<void>;
  readonly ledger: Pick<ComparisonLedger, "decisions">;
  readonly clock: Clock;
}

/** Time between two looks at a queue, or at the ledger. */
const LOOK_EVERY_MS = 1000;
/** A comparison is given up after this time: there is a backlog, which has to be decided first. */
const MAX_WAIT_MS = 5 * 60_000;

/**
 * Waits until every notification that had been published before the call is decided: those that
 * wait in a queue, those that are being recorded, and those in the ledger.
 *
 * @throws {NoConclusion} when that takes too long.
 * @throws {UserError} when a queue cannot be looked at.
 */
export async function settled(options: SettledOptions, signal: AbortSignal): Promise<void> {
  const { sources, flush, clock } = options;
  const endMs = clock.passedMs() + MAX_WAIT_MS;
  await Promise.all(sources.map((source, index) => queueTaken(source, { ...options, index, endMs }, signal)));
  await flush();
  await decided(options, { endMs, signal });
}

/** Waits until the messages that are in a queue now have been taken from it. */
async function queueTaken(
  source: RabbitSource,
  { delivered, clock, index, endMs }: SettledOptions & { readonly index: number; readonly endMs: number },
  signal: AbortSignal,
): Promise<void> {
  const name = queueOf(source);
  const before = delivered?.(index) ?? 0;
  let waiting: number | null = null;
  for (;;) {
    const { messages, consumers } = await queueState(source, signal);
    waiting ??= messages;
    if (messages === 0 || (delivered !== null && delivered(index) - before >= waiting)) return;
    const isUnread = delivered === null && consumers === 0;
    if (isUnread || clock.passedMs() > endMs) {
      throw new NoConclusion(
        `Queue "${name}" holds messages that are older than the comparison (${messages}): nothing is concluded before ` +
          `they are decided. ${
            isUnread ? "Nobody reads it: start" : "Start"
          } the service, or wait until it has taken them`,
      );
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}

/** Waits until the notifications that are recorded now have been decided. */
async function decided(
  { ledger, clock }: SettledOptions,
  { endMs, signal }: { readonly endMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const { newest } = await ledger.decisions();
  for (;;) {
    const { oldestUndecided } = await ledger.decisions();
    if (oldestUndecided === null || newest === null || oldestUndecided > newest) return;
    if (clock.passedMs() > endMs) {
      throw new NoConclusion(
        "The ledger has notifications that are not decided: nothing is concluded before they are. Start the service, " +
          "or wait until it has decided them",
      );
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}
