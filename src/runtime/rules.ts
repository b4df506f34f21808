import type { Config } from "../model/config.ts";
import type { Subject } from "../model/event.ts";
import { followingOf, optionalKeysOf } from "../model/following.ts";
import type { Rules } from "../facts/decision_context.ts";
import { EVENTS_DEFAULTS } from "../model/config_defaults.ts";

/** The rules that depend on the time and on the ledger. */
type RulesOfTime = Partial<Pick<Rules, "oldestCreation" | "restoredAtMs" | "latestStatement">>;

/**
 * Turns what config.ts says of events into rules. Nova's event types in the legacy and the
 * versioned format mean the same, so either claims both.
 */
export function rulesOf(
  config: Pick<Config, "events" | "detail">,
  { oldestCreation = null, restoredAtMs = 0, latestStatement }: RulesOfTime = {},
): Rules {
  const { events } = config;
  return {
    follows: followingOf(events) !== null,
    optional: new Set(optionalKeysOf(config)),
    creation: subjectsOf(events.creation),
    deletion: subjectsOf(events.deletion),
    anyPort: events.anyPort ?? EVENTS_DEFAULTS.anyPort,
    oldestCreation,
    restoredAtMs,
    ...(latestStatement === undefined ? {} : { latestStatement }),
  };
}

function subjectsOf(eventTypes: readonly string[]): ReadonlySet<Subject> {
  return new Set(eventTypes.map((eventType) => eventType.startsWith("floatingip.") ? "floatingip" : "server"));
}
