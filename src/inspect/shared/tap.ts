import { Broker, type Delivered } from "../../rabbitmq/consumer.ts";
import type { TemporaryQueue } from "../../rabbitmq/temporary_queue.ts";
import type { Config, RabbitSource } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import type { Logger } from "../../model/plugin.ts";
import { visitAny } from "../../rabbitmq/visit_any.ts";
import { aborted } from "../../runtime/aborted.ts";
import { configuredSources } from "../../runtime/sources.ts";
import { QUEUE_DEFAULTS } from "../../model/config_defaults.ts";

export type { Delivered };

export interface TapOptions {
  readonly config: Config;
  /** The purpose of the temporary queues: a part of their names. */
  readonly purpose: string;
  /**
   * Whether every notification of every service and topic is heard, or only those that the service
   * gets.
   */
  readonly all: boolean;
  readonly random: () => number;
  readonly log: (part: string) => Logger;
  /** Called for every copy of a message, in the order of its queue. */
  readonly onMessage: (message: Delivered) => void;
  /** Called once it listens at all sources. */
  readonly onListening?: (addresses: readonly string[]) => void;
}

/**
 * Control exchanges beside those of Nova and Neutron. Cinder and others use oslo.messaging's
 * default, `openstack`.
 */
const MORE_EXCHANGES = [...QUEUE_DEFAULTS.exchanges, "keystone", "glance", "cinder", "openstack"];

/**
 * Routing keys of notifications, which end in a priority. RPC calls, which may hold tokens, use the
 * same exchanges; their routing keys are topics and hosts.
 */
const ALL_ROUTING_KEYS = ["audit", "critical", "debug", "error", "info", "sample", "warn"].map((name) => `#.${name}`);

/**
 * Listens on temporary queues beside the service's, until `stop` aborts. They get copies, and go
 * with the connection: no message is taken from another consumer.
 *
 * @throws {UserError} when a broker refuses us or does not answer at first, or none is configured.
 */
export async function tap(options: TapOptions, stop: AbortSignal): Promise<void> {
  const { random, log, onMessage, onListening } = options;
  const onDelivered = (message: Delivered) => {
    message.channel.ackThrough(message.tag);
    onMessage(message);
  };
  const sources = sourcesOf(options.config);
  // The service waits for its broker. A command reports at once that the broker cannot be reached.
  if (!await brokersAnswer(sources, stop)) return;
  const brokers = sources.map((source) => {
    return new Broker({ source, temporary: temporaryQueue(source, options), onDelivered, log: log("broker"), random });
  });
  const ended = aborted(stop);
  try {
    await Promise.race([Promise.all(brokers.map((broker) => broker.start())), ended]);
    if (stop.aborted) return;
    onListening?.(brokers.flatMap(({ addresses }) => addresses));
    await ended;
  } finally {
    await Promise.allSettled(brokers.map((broker) => broker.stop()));
  }
}

/** Returns `true` once every source answers, `false` when `stop` aborts before. */
async function brokersAnswer(sources: readonly RabbitSource[], stop: AbortSignal): Promise<boolean> {
  try {
    for (const source of sources) await (await visitAny(source, stop))[Symbol.asyncDispose]();
    return true;
  } catch (error) {
    if (stop.aborted) return false;
    throw error;
  }
}

/** The brokers of a configuration. */
export function sourcesOf(config: Config): readonly RabbitSource[] {
  const sources = configuredSources(config);
  if (sources.length > 0) return sources;
  throw new UserError(
    "Cannot find RabbitMQ: config.ts has no `rabbit` section. Add one, as rabbit: { host, user, password, queue: { name } }",
  );
}

function temporaryQueue({ queue, watchQueue }: RabbitSource, { purpose, all }: TapOptions): TemporaryQueue {
  const exchanges = queue?.exchanges ?? QUEUE_DEFAULTS.exchanges;
  const prefix = `${queue?.name ?? "oss-watcher"}.${purpose}`;
  if (all) return { prefix, exchanges, moreExchanges: MORE_EXCHANGES, routingKeys: ALL_ROUTING_KEYS };
  // Services name the queues that they declare by the routing key.
  const routingKeys = watchQueue === undefined ? queue?.routingKeys ?? QUEUE_DEFAULTS.routingKeys : [watchQueue];
  return { prefix, exchanges, routingKeys };
}
