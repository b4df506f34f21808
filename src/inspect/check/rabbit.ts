import { brokersOf, BrokerVisit } from "../../rabbitmq/visit.ts";
import type { OwnQueue, RabbitSource } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import type { Finding } from "../../model/finding.ts";
import { Deadline } from "../../wire/deadline.ts";
import { Management, managementRefusal } from "../../rabbitmq/management.ts";
import { orRefusal } from "../shared/or_refusal.ts";
import { losses } from "../../rabbitmq/queue_losses.ts";
import { QUEUE_DEFAULTS } from "../../model/config_defaults.ts";

export interface RabbitCheck {
  /** The key of the source in the configuration. */
  readonly key: string;
  readonly source: RabbitSource;
  /** The URL of the management API, if not the default. */
  readonly management?: string;
  readonly signal: AbortSignal;
}

const CONNECT_SECONDS = 20;

/**
 * Logs in at every broker of a source, and checks queue, exchanges, rights and limits. Changes
 * nothing.
 */
export async function checkRabbit(check: RabbitCheck): Promise<readonly Finding[]> {
  const { key, source, signal } = check;
  const found: Finding[] = [];
  let looked = false;
  for (const endpoint of brokersOf(source)) {
    using deadline = new Deadline(signal, CONNECT_SECONDS);
    try {
      await using visit = await BrokerVisit.open(endpoint, source, { signal: deadline.signal });
      found.push({ level: "ok", key, text: `logged in at ${endpoint.label} as "${endpoint.user}"` });
      if (looked) continue;
      looked = true;
      found.push(...await look(visit, check), ...await lookAtLimits(visit, check));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      found.push({ level: "error", key, text: error.message });
    }
  }
  // The service starts while one of several brokers is down.
  return looked
    ? found.map((finding) => finding.key === key && finding.level === "error" ? warned(finding) : finding)
    : found;
}

function look(visit: BrokerVisit, { key, source }: RabbitCheck): Promise<readonly Finding[]> {
  return source.queue === undefined
    ? lookAtWatched(visit, { key: `${key}.watchQueue`, queue: source.watchQueue })
    : lookAtOwn(visit, { key: `${key}.queue`, queue: source.queue });
}

async function lookAtWatched(
  visit: BrokerVisit,
  { key, queue }: { readonly key: string; readonly queue: string },
): Promise<readonly Finding[]> {
  const state = await orRefusal(visit.queue(queue));
  if (typeof state === "string") return [{ level: "error", key, text: state }];
  if (state === null) {
    const text =
      `"${queue}": there is no such queue. Services declare it with their first notification to that topic: ` +
      "check the name; oss-watcher doctor shows what comes. Or use rabbit.queue";
    return [{ level: "error", key, text }];
  }
  const { messages, consumers } = state;
  return [
    { level: "ok", key, text: `"${queue}" is there; messages: ${messages}, consumers: ${consumers}` },
    ...(consumers > 0 ? [{ level: "warning" as const, key, text: `"${queue}" is consumed already. ${OTHER}` }] : []),
    { level: "unchecked", key, text: "whether our user may read it: only reading it can tell" },
  ];
}

const OTHER = "If that is not our own service, stop it: it takes notifications away";

async function lookAtOwn(
  visit: BrokerVisit,
  { key, queue }: { readonly key: string; readonly queue: OwnQueue },
): Promise<readonly Finding[]> {
  const { name, exchanges = QUEUE_DEFAULTS.exchanges } = queue;
  const found: Finding[] = [];
  const state = await orRefusal(visit.queue(name));
  const refused = await visit.useRefusal(name);
  if (refused !== null) found.push({ level: "error", key, text: `${refused}. ${rights(name, exchanges)}` });
  if (typeof state === "string") {
    if (refused === null) found.push({ level: "error", key, text: `${state}. ${rights(name, exchanges)}` });
  } else if (state === null) {
    found.push({ level: "ok", key, text: `"${name}" is not there yet: the service declares it when it starts` });
    found.push({ level: "unchecked", key, text: `whether our user may declare "${name}" (the right to configure)` });
  } else found.push(await redeclared(visit, { key, queue, ...state }));
  for (const exchange of exchanges) {
    found.push(...await lookAtExchange(visit, { key, queue: name, exchange, exchanges }));
  }
  return found;
}

async function redeclared(
  visit: BrokerVisit,
  { key, queue, messages, consumers }: {
    readonly key: string;
    readonly queue: OwnQueue;
    readonly messages: number;
    readonly consumers: number;
  },
): Promise<Finding> {
  try {
    await visit.redeclare(queue);
    return { level: "ok", key, text: `"${queue.name}" is there; messages: ${messages}, consumers: ${consumers}` };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { level: "error", key, text: error.message };
  }
}

async function lookAtExchange(
  visit: BrokerVisit,
  { key, queue, exchange, exchanges }: {
    readonly key: string;
    readonly queue: string;
    readonly exchange: string;
    readonly exchanges: readonly string[];
  },
): Promise<readonly Finding[]> {
  const at = `${key}.exchanges`;
  const refused = await visit.bindRefusal({ queue, exchange });
  if (refused !== null) return [{ level: "error", key: at, text: `${refused}. ${rights(queue, exchanges)}` }];
  if (await visit.hasExchange(exchange)) {
    return [{ level: "ok", key: at, text: `"${exchange}" is there, and our user may bind to it` }];
  }
  const text =
    `"${exchange}" is not there: its service declares it with its first notification. Check the name and the ` +
    "service's [oslo_messaging_notifications] driver; oss-watcher doctor tells more";
  return [{ level: "warning", key: at, text }];
}

function rights(queue: string, exchanges: readonly string[]): string {
  const own = `^${escaped(queue)}`;
  return "rabbitmqctl set_permissions USER " +
    `'${own}' '${own}' '^(${[`${escaped(queue)}.*`, ...exchanges.map(escaped)].join("|")})$' gives the rights`;
}

function escaped(name: string): string {
  return name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** Checks limits, which are not part of AMQP: only the management API has them. */
async function lookAtLimits(
  { endpoint, version }: BrokerVisit,
  { key, source, management, signal }: RabbitCheck,
): Promise<readonly Finding[]> {
  const tls = typeof source.tls === "object" ? source.tls : {};
  const url = management === undefined ? {} : { url: management };
  await using api = new Management(endpoint, { ...url, tls, signal });
  try {
    const name = source.queue?.name ?? source.watchQueue;
    const queue = (await api.queues()).find((one) => one.name === name);
    if (queue === undefined) return [];
    const found = losses(queue, { version, vhost: endpoint.vhost }).map((text): Finding => ({
      level: "warning",
      key: `${key} queue "${name}"`,
      text,
    }));
    return found.length > 0 ? found : [{ level: "ok", key, text: `no limit of "${name}" loses messages` }];
  } catch (error) {
    signal.throwIfAborted();
    const text = `limits that lose messages (max-length, message-ttl, …): ${managementRefusal(error)}`;
    return [{ level: "unchecked", key, text }];
  }
}

function warned({ key, text }: Finding): Finding {
  return { level: "warning", key, text };
}
