import type { RabbitSource } from "../model/config.ts";
import type { Logger } from "../model/plugin.ts";
import type { AmqpEndpoint } from "../wire/amqp/amqp_options.ts";
import { Management, managementRefusal } from "./management.ts";
import { deliveryLimitLoss } from "./queue_losses.ts";

export interface DeliveryLimitOptions {
  readonly source: RabbitSource;
  readonly endpoint: AmqpEndpoint;
  /** The broker's release, as `4.0.5`. */
  readonly version: string;
  /** URL of the management API, if it is not on its default port. */
  readonly management?: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Warns if the watched queue has a delivery limit, with which RabbitMQ drops messages that are
 * redelivered too often. Our own queue is declared without such a limit. Before RabbitMQ 4 no queue
 * has one by default.
 */
export async function warnOfDeliveryLimit(options: DeliveryLimitOptions): Promise<void> {
  const { source, endpoint, version, management, log, signal } = options;
  if (source.watchQueue === undefined || !(parseInt(version) >= 4)) return;
  const name = source.watchQueue;
  const tls = typeof source.tls === "object" ? source.tls : {};
  await using api = new Management(endpoint, { ...management !== undefined && { url: management }, tls, signal });
  try {
    const queue = (await api.queues()).find((one) => one.name === name);
    if (queue === undefined) return;
    const facts = { version, vhost: endpoint.vhost };
    for (const text of deliveryLimitLoss(queue, facts)) log.warn(`Queue "${name}": ${text}`);
  } catch (error) {
    if (signal.aborted) return;
    log.info(
      `Cannot see whether queue "${name}" has a delivery limit: ${
        managementRefusal(error)
      }. If it is a quorum queue, ` +
        `RabbitMQ ${version} drops messages that are redelivered more than 20 times, unless a policy says otherwise`,
    );
  }
}
