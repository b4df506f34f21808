import type { ManagedQueue } from "./management.ts";

/** More redeliveries than this do not happen by themselves. */
const MANY_DELIVERIES = 100_000;

/** How a queue loses messages while nobody reads it, or too often, and what would change that. */
export function losses({ durable, limits, policy }: ManagedQueue): readonly string[] {
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
    ...(Number(limits["delivery-limit"] ?? Infinity) < MANY_DELIVERIES
      ? [told(`delivery-limit ${limits["delivery-limit"]}: what was delivered so often is thrown away`)]
      : []),
  ];
}

const OWN = "Use rabbit.queue, or set amqp_durable_queues in the services and delete the queue";

function whatGoes(overflow: unknown): string {
  return typeof overflow === "string" && overflow.startsWith("reject-publish")
    ? "new notifications are refused"
    : "the oldest notifications are thrown away";
}
