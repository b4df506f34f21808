import type { ManagedQueue } from "./management.ts";

/** More redeliveries than this do not happen by themselves. */
const MANY_DELIVERIES = 100_000;

/** What else it takes to know what a queue does. */
export interface BrokerFacts {
  /** The broker's release, as `4.0.5`; empty when it is not known. */
  readonly version: string;
  readonly vhost: string;
}

/** How a queue loses messages while nobody reads it, or too often, and what would change that. */
export function losses(queue: ManagedQueue, broker: BrokerFacts): readonly string[] {
  const { durable, limits, policy } = queue;
  const from = policy === null ? "its declaration" : `the policy "${policy}" or its declaration`;
  const mend = policy === null
    ? "Delete the queue once it is empty, and have it declared without"
    : `Exempt the queue: rabbitmqctl list_policies shows the pattern of "${policy}"`;
  const told = (what: string) => `${what} (from ${from}). ${mend}`;
  return [
    ...(durable ? [] : ["it is not durable: it is gone with all that it holds when RabbitMQ restarts. " + OWN]),
    ...(["max-length", "max-length-bytes"].filter((name) => limits[name] !== undefined).map((name) =>
      told(`${name} ${limits[name]}: when it is full, ${whatGoes(limits["overflow"])}`)
    )),
    ...(limits["message-ttl"] === undefined
      ? []
      : [told(`message-ttl ${limits["message-ttl"]} ms: what waits longer than that is thrown away`)]),
    ...(limits["expires"] === undefined
      ? []
      : [told(`expires ${limits["expires"]} ms: without a consumer for so long it is deleted`)]),
    ...deliveryLimitLoss(queue, broker),
  ];
}

const OWN = "Use rabbit.queue, or set amqp_durable_queues in the services and delete the queue";

function whatGoes(overflow: unknown): string {
  return typeof overflow === "string" && overflow.startsWith("reject-publish")
    ? "new notifications are refused"
    : "the oldest notifications are thrown away";
}

/**
 * How a quorum queue throws messages away that come back too often, and what lifts that; empty when it does not. A message comes back with each
 * connection that is lost, or service that is restarted, before the message was acknowledged.
 */
export function deliveryLimitLoss(queue: ManagedQueue, { version, vhost }: BrokerFacts): readonly string[] {
  const limit = deliveryLimit(queue, version);
  if (limit >= MANY_DELIVERIES) return [];
  const { name, type, arguments: given, limits, policy } = queue;
  const times = limit === 0 ? "comes back" : `comes back more than ${limit} ${limit === 1 ? "time" : "times"}`;
  const what = `delivery-limit ${limit}: what ${times} is thrown away (${type} queue, RabbitMQ ${
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
  // Of several policies one alone applies to a queue.
  return [`${what}; ${where}). Set delivery-limit in the policy "${policy}", or with a higher --priority: ${lift}`];
}

const REDECLARE = "Delete the queue once it is empty, and have it declared without";

/** RabbitMQ 4's, of quorum queues without another. */
const DEFAULT_DELIVERY_LIMIT = 20;

/** Infinite: none. A fresh queue's row lacks it for some seconds. */
function deliveryLimit({ type, arguments: given, limits, deliveryLimit }: ManagedQueue, version: string): number {
  if (type !== "quorum" || deliveryLimit === "unlimited") return Infinity;
  if (deliveryLimit !== undefined) return deliveryLimit;
  const set = [given["delivery-limit"], limits["delivery-limit"]].filter((one) => one !== undefined).map(Number);
  // To RabbitMQ 3 a negative number is no limit that can be kept: it drops what comes back once.
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
