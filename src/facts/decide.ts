import type { Decision } from "../model/decision.ts";
import type { WatcherEvent } from "../model/event.ts";
import type { Memory } from "../model/memory.ts";
import type { Notification } from "../model/notification.ts";
import { floatingIpChanged, floatingIpDeleted } from "./floating_ip.ts";
import { portChanged, portCreated, portDeleted } from "./port.ts";
import { Draft } from "./draft.ts";
import { decideObservation } from "./observed.ts";
import { serverCreated, serverDeleted, serverSoftDeleted } from "./server.ts";
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

/**
 * Decides a notification with the remembered state: which events it causes, and what to remember. A
 * pure function: the same notification and memory give the same decision. No clock is read; the
 * order in which notifications were recorded counts.
 */
export function decide(notification: Notification, memory: Memory, rules: Rules): Decision {
  const context = new DecisionContext(notification, new Draft(memory), rules);
  const handler = notification.origin === "reconcile" ? decideObservation : HANDLERS.get(notification.eventType);
  const finding = handler === undefined ? UNHANDLED : handler(context);
  const { events, draft, unclaimed } = context;
  const { outcome, reason } = events.length > 0 ? announced(events) : unclaimed ? UNCLAIMED : finding;
  return {
    outcome,
    reason,
    ...(finding.isDoubtful && events.length === 0 ? { isDoubtful: true } : {}),
    events,
    fill: finding.fill ?? null,
    changes: draft.changes(),
    warnings: [...context.warnings],
  };
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
