import type { Events } from "../model/config.ts";
import type { Subject } from "../model/event.ts";
import type { Rules } from "../facts/decision_context.ts";

/**
 * Turns the event groups of config.ts into rules. Nova's event types in the legacy and the
 * versioned format mean the same, so either claims both.
 */
export function rulesOf(
  events: Events,
  { oldestCreation = null, restoredAtMs = 0 }: Partial<Pick<Rules, "oldestCreation" | "restoredAtMs">> = {},
): Rules {
  return {
    creation: subjectsOf(events.creation),
    deletion: subjectsOf(events.deletion),
    anyPort: events.anyPort ?? false,
    oldestCreation,
    restoredAtMs,
  };
}

function subjectsOf(eventTypes: readonly string[]): ReadonlySet<Subject> {
  return new Set(eventTypes.map((eventType) => eventType.startsWith("floatingip.") ? "floatingip" : "server"));
}
