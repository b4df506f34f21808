import { brokersOf, BrokerVisit } from "../intake/broker_visit.ts";
import type { OwnQueue, RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import { Deadline } from "../wire/deadline.ts";

/** What became of a queue. */
export interface RemovedQueue {
  readonly queue: string;
  /** `host:port`. */
  readonly address: string;
  /** What it held; `null` when there was none. */
  readonly messages: number | null;
}

const CONNECT_SECONDS = 20;

/**
 * Removes our own queue of a source from its broker.
 *
 * @throws {UserError} when it holds messages or is consumed, unless `force`; when it is somebody else's; when we cannot get there.
 */
export async function removeQueue(
  source: RabbitSource,
  { force, signal }: { readonly force: boolean; readonly signal: AbortSignal },
): Promise<RemovedQueue> {
  const { queue } = source;
  if (queue === undefined) {
    throw new UserError(
      `Cannot remove the queue "${source.watchQueue}": it is a watchQueue, so others made it and may need it. ` +
        "Take its topic from the services' configuration, then rabbitmqctl delete_queue",
    );
  }
  await using visit = await visitAny(source, signal);
  const state = await visit.queue(queue.name);
  const { address } = visit;
  if (state === null) return { queue: queue.name, address, messages: null };
  if (!force) mustBeFree(queue, { ...state, address });
  await visit.remove(queue.name);
  return { queue: queue.name, address, messages: state.messages };
}

/** The first broker of a source that lets us in. */
export async function visitAny(source: RabbitSource, signal: AbortSignal): Promise<BrokerVisit> {
  const refusals: unknown[] = [];
  for (const endpoint of brokersOf(source)) {
    using deadline = new Deadline(signal, CONNECT_SECONDS);
    try {
      return await BrokerVisit.open(endpoint, source, { signal: deadline.signal });
    } catch (error) {
      signal.throwIfAborted();
      refusals.push(error);
    }
  }
  throw refusals[0];
}

function mustBeFree(
  { name }: OwnQueue,
  { messages, consumers, address }: {
    readonly messages: number;
    readonly consumers: number;
    readonly address: string;
  },
): void {
  const cannot = `Cannot remove the queue "${name}" at ${address}:`;
  if (consumers > 0) {
    throw new UserError(
      `${cannot} it has ${counted(consumers, "consumer")}. Stop oss-watcher everywhere, or add --force`,
    );
  }
  if (messages > 0) {
    throw new UserError(
      `${cannot} it holds ${
        counted(messages, "message")
      } that nobody has handled. Start oss-watcher once more, or add --force`,
    );
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
