import { brokersOf, BrokerVisit } from "./visit.ts";
import type { RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import { Deadline } from "../wire/deadline.ts";

const CONNECT_SECONDS = 20;

/**
 * Logs in at the first broker of a source that accepts it. Each broker is tried once.
 *
 * @throws {UserError} with the refusal of the first broker, when none accepts.
 */
export async function visitAny(source: RabbitSource, signal: AbortSignal): Promise<BrokerVisit> {
  const refusals: unknown[] = [];
  for (const endpoint of brokersOf(source)) {
    using deadline = new Deadline(signal, CONNECT_SECONDS);
    try {
      return await BrokerVisit.open(endpoint, source, { signal: deadline.signal });
    } catch (error) {
      if (signal.aborted) throw new UserError(`Cannot connect to RabbitMQ at ${endpoint.label}: interrupted`);
      refusals.push(error);
    }
  }
  throw refusals[0];
}
