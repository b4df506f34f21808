import type { Examination, QueueLook } from "./examine.ts";
import { losses } from "../../rabbitmq/queue_losses.ts";
import {
  bind,
  boundQueues,
  grant,
  type Remedy,
  SEND_CHANGES,
  SEND_UNVERSIONED,
  sendNotifications,
  takeRoutingKeys,
} from "./remedies.ts";
import { topicMatches } from "./topic.ts";
import type { Flow } from "./traffic.ts";

/** A reason why notifications do not arrive, or may be lost. */
export interface Problem {
  /**
   * `error`: notifications do not arrive. `warning`: they may be lost, or fill a queue of others.
   */
  readonly level: "error" | "warning";
  readonly text: string;
  readonly remedies: readonly Remedy[];
}

/** Whether messages of a routing key reach our queue; `null`: unknown. */
export type Bound = boolean | null;

/** The problems of a broker, the most serious first. */
export function diagnose(seen: Examination): readonly Problem[] {
  return [
    ...listeningProblems(seen),
    ...queueProblems(seen),
    ...seen.queue.exchanges.flatMap((exchange) => exchangeProblems(seen, exchange)),
    ...formatProblems(seen),
    ...changeProblems(seen),
    ...limitProblems(seen),
    ...unreadQueueProblems(seen),
  ];
}

/** Whether a flow reaches our queue. */
export function isBound(seen: Examination, { exchange, routingKey }: Pick<Flow, "exchange" | "routingKey">): Bound {
  const { queue, managed } = seen;
  if (queue.refused === null && queue.before === null) return false;
  if ("bindings" in managed) {
    return managed.bindings.some((binding) =>
      binding.queue === queue.name && binding.exchange === exchange && topicMatches(binding.routingKey, routingKey)
    );
  }
  if (!queue.exchanges.includes(exchange) || !isWanted(seen, routingKey)) return false;
  if (queue.before === null) return null;
  // Without a consumer, every message that reached the queue is still in it.
  if (queue.before.consumers > 0 || queue.after === null || queue.after.consumers > 0) return null;
  const came = wantedFlows(seen).reduce((sum, { count }) => sum + count, 0);
  const grew = queue.after.messages - queue.before.messages;
  return grew >= came ? true : grew === 0 ? false : null;
}

function listeningProblems({ deaf, user, vhost, queue }: Examination): readonly Problem[] {
  if (deaf === null) return [];
  return [{
    level: "error",
    text: deaf.text,
    remedies: deaf.lacksRights ? [grant({ user, vhost, queue: queue.name, exchanges: queue.exchanges })] : [],
  }];
}

function queueProblems(seen: Examination): readonly Problem[] {
  const { queue: { name, isOwn, before, after, refused, mismatch } } = seen;
  if (refused !== null) return [{ level: "error", text: refused, remedies: [] }];
  if (before === null) {
    const text = isOwn
      ? `Queue "${name}" is not there: oss-watcher has never run with this configuration, or the queue was deleted`
      : `Queue "${name}" is not there: no service sends to the topic "${topicOf(name)}"`;
    const remedies = isOwn
      ? [{ where: "On this host", lines: ["systemctl start oss-watcher"] }]
      : seen.queue.exchanges.flatMap((exchange) => sendNotifications(exchange, [topicOf(name)]));
    return [{ level: "error", text, remedies }];
  }
  const unread = isOwn && (after ?? before).consumers === 0;
  return [
    ...(mismatch === null ? [] : [{ level: "error" as const, text: mismatch, remedies: [] }]),
    ...(unread
      ? [{
        level: "error" as const,
        text: `Queue "${name}" has no consumer: oss-watcher does not run, or not with this configuration`,
        remedies: [{ where: "On this host", lines: ["systemctl start oss-watcher"] }],
      }]
      : []),
  ];
}

/** The first problem of the service behind an exchange: later ones follow from it. */
function exchangeProblems(seen: Examination, exchange: string): readonly Problem[] {
  const { queue, exchanges, flows, deaf } = seen;
  if (deaf !== null) return [];
  const topics = queue.routingKeys.map(topicOf).filter((topic) => topic !== "versioned_notifications");
  if (exchanges.get(exchange) === false) {
    const text = `Exchange "${exchange}" is not there: its service has sent nothing since RabbitMQ started`;
    return [{ level: "error", text, remedies: sendNotifications(exchange, topics) }];
  }
  const own = flows.filter((flow) => flow.exchange === exchange);
  if (own.length === 0) return silentExchange(seen, { exchange, topics });
  const wanted = own.filter(({ routingKey }) => isWanted(seen, routingKey));
  if (wanted.length === 0) return wrongTopic(seen, { exchange, topics, own });
  return wanted.some((flow) => isBound(seen, flow) === false) ? unboundQueue(seen, { exchange, topics, wanted }) : [];
}

/**
 * Publishers declare a queue named as the routing key: without that queue no notification was ever
 * sent there.
 */
function silentExchange(
  seen: Examination,
  { exchange, topics }: { readonly exchange: string; readonly topics: readonly string[] },
): readonly Problem[] {
  if (hasEverSent(seen, exchange)) {
    if (seen.flows.length === 0) return [];
    const text =
      `Exchange "${exchange}" brought nothing while others did: if an operation of its service ended meanwhile, that ` +
      "service has no driver for notifications";
    return [{ level: "warning", text, remedies: sendNotifications(exchange, topics).slice(0, 1) }];
  }
  const text = `Exchange "${exchange}" has brought no notification: its service has no driver for them`;
  return [{ level: "error", text, remedies: sendNotifications(exchange, topics) }];
}

function hasEverSent({ queue, managed, defaultQueues }: Examination, exchange: string): boolean {
  // Without the management API the queues that services declare are the only trace of earlier
  // notifications. A queue that our user may not look at counts: what it holds is unknown.
  if (!("bindings" in managed)) return defaultQueues.length > 0 || (!queue.isOwn && queue.before !== null);
  return managed.bindings.some((binding) =>
    binding.exchange === exchange && binding.queue === binding.routingKey &&
    /\.(?:info|error|warn|debug|audit|critical|sample)$/.test(binding.routingKey)
  );
}

function wrongTopic(
  { queue }: Examination,
  { exchange, topics, own }: {
    readonly exchange: string;
    readonly topics: readonly string[];
    readonly own: readonly Flow[];
  },
): readonly Problem[] {
  const keys = [
    ...new Set(
      own.filter(({ handled, routingKey }) => handled > 0 || /\.info$/.test(routingKey))
        .map(({ routingKey }) => routingKey),
    ),
  ];
  if (keys.length === 0) return [];
  const text =
    `Exchange "${exchange}" brings ${keys.join(", ")}, and oss-watcher waits for ${queue.routingKeys.join(", ")}: ` +
    "the service sends to another topic";
  const remedies = queue.isOwn
    ? [takeRoutingKeys([...new Set([...queue.routingKeys, ...keys])])]
    : [{ where: "Or in config.ts, in rabbit", lines: [`watchQueue: ${JSON.stringify(keys[0])},`] }];
  const all = [...topics, ...keys.map(topicOf).filter((topic) => topic !== "versioned_notifications")];
  return [{ level: "error", text, remedies: [...sendNotifications(exchange, all), ...remedies] }];
}

function unboundQueue(
  { queue, vhost }: Examination,
  { exchange, topics, wanted }: {
    readonly exchange: string;
    readonly topics: readonly string[];
    readonly wanted: readonly Flow[];
  },
): readonly Problem[] {
  const keys = [...new Set(wanted.map(({ routingKey }) => routingKey))].join(", ");
  const text = `Queue "${queue.name}" is not bound to exchange "${exchange}": ${keys} came by, and nothing reached it`;
  const remedies = queue.isOwn
    ? [{ where: "On this host: oss-watcher binds its queue when it starts", lines: ["systemctl restart oss-watcher"] }]
    : [
      ...sendNotifications(exchange, topics).slice(0, 1),
      { where: "Or, until RabbitMQ restarts", lines: bind({ exchange, queue: queue.name, vhost }) },
    ];
  return [{ level: "error", text, remedies }];
}

/** Some deletions have no versioned notification (docs/NOTIFICATIONS.md). */
function formatProblems({ flows }: Examination): readonly Problem[] {
  const formats = flows.flatMap(({ serverFormats }) => serverFormats);
  if (!formats.includes("versioned") || formats.includes("unversioned")) return [];
  const text =
    "Nova sends versioned notifications alone: when a server is force-deleted while its compute host is down, or has " +
    "no host, Nova sends no notification";
  return [{ level: "warning", text, remedies: [SEND_UNVERSIONED] }];
}

/** A server that is built or deleted changes its state: Nova says so, if it says any change. */
function changeProblems({ follows, flows }: Examination): readonly Problem[] {
  const isOfServers = flows.some(({ serverFormats }) => serverFormats.length > 0);
  if (!follows || !isOfServers || flows.some(({ serverUpdates }) => serverUpdates > 0)) return [];
  const text = "Nova sends notifications of servers, and none of their changes (compute.instance.update), which " +
    "events.update of config.ts follows: most changes would not be told";
  return [{ level: "warning", text, remedies: [SEND_CHANGES] }];
}

function limitProblems({ queue, managed, version, vhost }: Examination): readonly Problem[] {
  if (!("queues" in managed)) return [];
  const found = managed.queues.find(({ name }) => name === queue.name);
  if (found === undefined) return [];
  return losses(found, { version, vhost }).map((text) => ({
    level: "warning",
    text: `Queue "${queue.name}": ${text}`,
    remedies: [],
  }));
}

/** Default queues without a consumer, which fill RabbitMQ's memory. */
function unreadQueueProblems({ defaultQueues, vhost }: Examination): readonly Problem[] {
  const unread = defaultQueues.filter(isUnread);
  if (unread.length === 0) return [];
  const text = `Nobody reads ${unread.map(({ name, after }) => `${name} (${after?.messages})`).join(", ")}: ` +
    "services declare these queues and fill them, whether anybody reads them or not";
  return [{ level: "warning", text, remedies: [boundQueues(unread.map(({ name }) => name), vhost)] }];
}

function isUnread({ before, after }: QueueLook): boolean {
  return after !== null && after.consumers === 0 && (before?.consumers ?? 0) === 0 && after.messages > 0;
}

function isWanted({ queue }: Examination, routingKey: string): boolean {
  return queue.routingKeys.some((pattern) => topicMatches(pattern, routingKey));
}

function wantedFlows(seen: Examination): readonly Flow[] {
  return seen.flows.filter(({ exchange, routingKey }) =>
    seen.queue.exchanges.includes(exchange) && isWanted(seen, routingKey)
  );
}

/** The topic of a routing key, which is a topic and a priority. */
function topicOf(routingKey: string): string {
  return routingKey.replace(/\.[^.]+$/, "");
}
