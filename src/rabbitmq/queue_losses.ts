import type { ManagedQueue } from "./management.ts";

/** A limit of at least this many redeliveries is not reached in practice. */
const MANY_DELIVERIES = 100_000;

/** Facts about the broker on which a queue's limits depend. */
export interface BrokerFacts {
  /** The broker's release, as `4.0.5`; empty when it is not known. */
  readonly version: string;
  readonly vhost: string;
}

/**
 * The ways in which a queue can lose messages, because they are not consumed or are redelivered too
 * often, each with its remedy.
 */
export function losses(queue: ManagedQueue, broker: BrokerFacts): readonly string[] {
  const { durable, limits, policy } = queue;
  const from = policy === null ? "its declaration" : `the policy "${policy}" or its declaration`;
  const mend = policy === null
    ? "Delete the queue once it is empty, and have it declared without"
    : `Exempt the queue: rabbitmqctl list_policies shows the pattern of "${policy}"`;
  const told = (what: string) => `${what} (from ${from}). ${mend}`;
  return [
    ...(durable ? [] : ["it is not durable: it is deleted with all its messages when RabbitMQ restarts.  " + OWN]),
    ...(["max-length", "max-length-bytes"].filter((name) => limits[name] !== undefined).map((name) =>
      told(`${name} ${limits[name]}: when it is full, ${whatGoes(limits["overflow"])}`)
    )),
    ...(limits["message-ttl"] === undefined
      ? []
      : [told(`message-ttl ${limits["message-ttl"]} ms: messages that wait longer are dropped`)]),
    ...(limits["expires"] === undefined
      ? []
      : [told(`expires ${limits["expires"]} ms: it is deleted after this time without a consumer`)]),
    ...deliveryLimitLoss(queue, broker),
  ];
}

const OWN = "Use rabbit.queue, or set amqp_durable_queues in the services and delete the queue";

function whatGoes(overflow: unknown): string {
  return typeof overflow === "string" && overflow.startsWith("reject-publish")
    ? "new notifications are refused"
    : "the oldest notifications are dropped";
}

/**
 * The warning about a quorum queue's delivery limit, and the command that lifts it; empty without a
 * limit. A message is redelivered whenever the connection is lost or the service restarts before
 * the message was acknowledged.
 */
export function deliveryLimitLoss(queue: ManagedQueue, { version, vhost }: BrokerFacts): readonly string[] {
  const limit = deliveryLimit(queue, version);
  if (limit >= MANY_DELIVERIES) return [];
  const { name, type, arguments: given, limits, policy } = queue;
  const times = limit === 0
    ? "are redelivered"
    : `are redelivered more than ${limit} ${limit === 1 ? "time" : "times"}`;
  const what = `delivery-limit ${limit}: messages that ${times} are dropped (${type} queue, RabbitMQ ${
    version || "of unknown release"
  }`;
  if (given["delivery-limit"] !== undefined && Number(given["delivery-limit"]) <= limit) {
    return [`${what}; from its declaration, which no policy lifts). ${REDECLARE}`];
  }
  const at = vhost === "/" ? "" : ` -p ${shellWord(vhost)}`;
  const lift = `rabbitmqctl set_policy${at} --apply-to queues unlimited-delivery ` +
    `${shellWord(`^${escaped(name)}$`)} '{"delivery-limit": ${major(version) >= 4 ? -1 : 2 ** 31 - 1}}'`;
  if (policy === null) return [`${what}; the broker's default). ${lift} lifts it`];
  const isFromPolicy = limits["delivery-limit"] !== undefined;
  const where = isFromPolicy ? `from the policy "${policy}"` : "the broker's default";
  // Only one policy applies to a queue.
  return [`${what}; ${where}). Set delivery-limit in the policy "${policy}", or with a higher --priority: ${lift}`];
}

const REDECLARE = "Delete the queue once it is empty, and have it declared without";

/** RabbitMQ 4's default for quorum queues. */
const DEFAULT_DELIVERY_LIMIT = 20;

/**
 * The effective delivery limit; `Infinity` for none. The API reports it some seconds after the
 * queue was declared: until then it is derived from arguments and policy.
 */
function deliveryLimit({ type, arguments: given, limits, deliveryLimit }: ManagedQueue, version: string): number {
  if (type !== "quorum" || deliveryLimit === "unlimited") return Infinity;
  if (deliveryLimit !== undefined) return deliveryLimit;
  const set = [given["delivery-limit"], limits["delivery-limit"]].filter((one) => one !== undefined).map(Number);
  // RabbitMQ 3 takes a negative limit for 0: it drops a message at its first redelivery.
  const least = major(version) >= 4 ? set.map((one) => one < 0 ? Infinity : one) : set.map((one) => Math.max(one, 0));
  return Math.min(...least, set.length > 0 || major(version) < 4 ? Infinity : DEFAULT_DELIVERY_LIMIT);
}

function major(version: string): number {
  return parseInt(version) || 0;
}

function escaped(name: string): string {
  return name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
