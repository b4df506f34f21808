import type { RabbitSource } from "../model/config.ts";
import type { QueueState } from "./visit.ts";
import { visitAny } from "./visit_any.ts";

/** The name of the queue that a source consumes. */
export function queueOf({ queue, watchQueue }: RabbitSource): string {
  return queue?.name ?? watchQueue as string;
}

/**
 * The state of the queue that a source consumes; empty if it does not exist.
 *
 * @throws {UserError} when no broker of the source lets us look at it.
 */
export async function queueState(source: RabbitSource, signal: AbortSignal): Promise<QueueState> {
  await using visit = await visitAny(source, signal);
  return await visit.queue(queueOf(source)) ?? { messages: 0, consumers: 0 };
}
