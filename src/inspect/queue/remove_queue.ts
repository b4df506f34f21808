import type { OwnQueue, RabbitSource } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import { visitAny } from "../../rabbitmq/visit_any.ts";

/** The result of removing a queue. */
export interface RemovedQueue {
  readonly queue: string;
  /** `host:port`. */
  readonly address: string;
  /** The number of messages in it; `null` when it did not exist. */
  readonly messages: number | null;
}

/**
 * Removes our own queue of a source from its broker.
 *
 * @throws {UserError} when it holds messages or is consumed, unless `force`; when it is a
 * watchQueue; when the broker cannot be reached.
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
  if (!force) refuseUsedQueue(queue, { ...state, address });
  await visit.remove(queue.name);
  return { queue: queue.name, address, messages: state.messages };
}

function refuseUsedQueue(
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
