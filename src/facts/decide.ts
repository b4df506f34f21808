import type { Decision } from "../model/decision.ts";
import type { WatcherEvent } from "../model/event.ts";
import type { Memory } from "../model/memory.ts";
import type { Notification } from "../model/notification.ts";
import { floatingIpChanged, floatingIpDeleted } from "./floating_ip.ts";
import { portChanged, portCreated, portDeleted } from "./port.ts";
import { Draft } from "./draft.ts";
import { decideObservation } from "./observed.ts";
import { serverCreated, serverDeleted, serverInterfacesChanged, serverSoftDeleted } from "./server.ts";
import { followChanges, serverChanged, statesNothingNew } from "./server_change.ts";
import { DecisionContext, type Finding, type Rules } from "./decision_context.ts";

/**
 * The function that decides each event type; every other type is ignored. docs/NOTIFICATIONS.md
 * lists which operation of Nova and Neutron publishes which of them.
 */
const HANDLERS: ReadonlyMap<string, (context: DecisionContext) => Finding> = new Map(Object.entries({
  "compute.instance.create.end": serverCreated,
  "instance.create.end": serverCreated,
  "compute.instance.delete.end": serverDeleted,
  "instance.delete.end": serverDeleted,
  "compute.instance.force_delete.end": serverDeleted,
  "compute.instance.soft_delete.end": serverSoftDeleted,
  "floatingip.create.end": floatingIpChanged,
  "floatingip.update.end": floatingIpChanged,
  "floatingip.delete.end": floatingIpDeleted,
  "port.create.end": portCreated,
  "port.update.end": portChanged,
  "port.delete.end": portDeleted,
}));

/** The event types that intake records: all that concern a server or an association. */
export const WATCHED_EVENT_TYPES: ReadonlySet<string> = new Set(HANDLERS.keys());

/** The operations of Nova, unversioned and versioned, whose notifications state a changed server. */
const CHANGES_LEGACY = [
  ...["update", "exists", "finish_resize.end", "resize.confirm.end", "resize.revert.end", "rebuild.end"],
  ...["live_migration.post.dest.end", "shelve.end", "shelve_offload.end", "unshelve.end", "restore.end"],
  ...["power_on.end", "power_off.end", "reboot.end", "pause.end", "unpause.end", "suspend.end", "resume.end"],
  ...["rescue.end", "unrescue.end", "delete.start"],
];
const CHANGES_VERSIONED = [
  ...["update", "exists", "resize_finish.end", "resize_confirm.end", "resize_revert.end", "rebuild.end"],
  ...["live_migration_post_dest.end", "shelve.end", "shelve_offload.end", "unshelve.end", "restore.end"],
  ...["power_on.end", "power_off.end", "reboot.end", "pause.end", "unpause.end", "suspend.end", "resume.end"],
  ...["rescue.end", "unrescue.end", "soft_delete.end", "delete.start"],
];

/** The functions for what is watched beside that where changes of servers are followed. */
const CHANGE_HANDLERS: ReadonlyMap<string, (context: DecisionContext) => Finding> = new Map([
  ...CHANGES_LEGACY.map((operation) => [`compute.instance.${operation}`, serverChanged] as const),
  ...CHANGES_VERSIONED.map((operation) => [`instance.${operation}`, serverChanged] as const),
  ["instance.interface_attach.end", serverInterfacesChanged],
  ["instance.interface_detach.end", serverInterfacesChanged],
]);

const FOLLOWED_EVENT_TYPES: ReadonlySet<string> = new Set([...WATCHED_EVENT_TYPES, ...CHANGE_HANDLERS.keys()]);

/** The event types that intake records, by whether changes of servers are followed. */
export function watchedEventTypes({ follows = false }: Pick<Rules, "follows">): ReadonlySet<string> {
  return follows ? FOLLOWED_EVENT_TYPES : WATCHED_EVENT_TYPES;
}

/**
 * Decides a notification with the remembered state: which events it causes, and what to remember. A
 * pure function: the same notification and memory give the same decision. No clock is read; the
 * order in which notifications were recorded counts.
 */
export function decide(notification: Notification, memory: Memory, rules: Rules): Decision {
  const context = new DecisionContext(notification, new Draft(memory), rules);
  const handler = notification.origin === "reconcile" ? decideObservation : handlerOf(notification, rules);
  const finding = handler === undefined ? UNHANDLED : handler(context);
  const changedServers = rules.follows ? followChanges(context.draft, memory) : [];
  const { events, draft, unclaimed } = context;
  const changes = draft.changes();
  const isIdle = isOfChange(notification, rules) && statesNothingNew(changes, memory);
  const { outcome, reason } = events.length > 0 ? announced(events) : unclaimed ? UNCLAIMED : finding;
  return {
    outcome,
    reason,
    ...(finding.isDoubtful && events.length === 0 ? { isDoubtful: true } : {}),
    events,
    fill: finding.fill === undefined ? null : asFollowed(finding.fill, context),
    changes,
    ...(isIdle ? { isIdle } : {}),
    ...(changedServers.length > 0 ? { changedServers } : {}),
    warnings: [...context.warnings],
  };
}

/** The server of a fill after `followChanges`, which completes servers from their ports. */
function asFollowed(
  fill: NonNullable<Finding["fill"]>,
  { rules, draft }: Pick<DecisionContext, "rules" | "draft">,
): NonNullable<Decision["fill"]> {
  const { id } = fill.server;
  const server = rules.follows && id !== null ? draft.server(id)?.snapshot : undefined;
  return server === undefined ? fill : { ...fill, server };
}

function handlerOf(notification: Notification, rules: Rules) {
  const { eventType } = notification;
  return HANDLERS.get(eventType) ?? (isOfChange(notification, rules) ? CHANGE_HANDLERS.get(eventType) : undefined);
}

/** Whether a message is recorded only because changes of servers are followed. */
function isOfChange({ eventType, origin }: Notification, { follows = false }: Rules): boolean {
  return follows && origin !== "reconcile" && CHANGE_HANDLERS.has(eventType);
}

/** Keys listed in a reason; one message may cause hundreds of events. */
const MAX_NAMED = 20;

function announced(events: readonly WatcherEvent[]): Pick<Decision, "outcome" | "reason"> {
  const named = events.slice(0, MAX_NAMED).map(({ key }) => key).join(", ");
  const more = events.length > MAX_NAMED ? ` and ${events.length - MAX_NAMED} more` : "";
  return { outcome: "event", reason: `announced ${named}${more}` };
}

const UNHANDLED: Finding = { outcome: "remembered", reason: "not an event type that is handled" };
const UNCLAIMED: Finding = { outcome: "remembered", reason: "an event that no group of config.ts lists" };
