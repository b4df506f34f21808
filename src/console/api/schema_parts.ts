import type * as api from "../api.ts";
import { FAILURE_REASONS } from "../../model/errors.ts";
import type { PluginPause } from "../../model/pause.ts";
import { BOOL, NUMBER, objectOf, oneOf, orNull, type Schema, TEXT, TIME, WHOLE } from "./api_schema.ts";

/** What several schemas have. */
export const ROLE = oneOf(["viewer", "operator"]);
export const STATES = ["waiting", "retrying", "done", "skipped", "dead", "dropped"] as const;
export const KINDS = ["creation", "update", "deletion"] as const;
export const SUBJECTS = ["server", "floatingip"] as const;
export const METHODS = ["notify", "update"] as const;
export const ORIGIN = oneOf(["bus", "reconcile"]);
/** Keys of the detail: those of docs/CONFIGURATION.md, and config.ts's own. */
export const DETAIL: Schema = { type: "object", description: "the JSON that plugins get" };
export const REASON = oneOf(FAILURE_REASONS);
export const PAUSE = objectOf<PluginPause>({ at: TIME, by: TEXT });

/** A schema of the document by its name. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** The keys of one plugin in figures. */
export function pluginOverview(): { readonly [Key in keyof Required<api.PluginOverview>]: Schema } {
  return {
    name: TEXT,
    isConfigured: BOOL,
    waiting: WHOLE,
    retrying: WHOLE,
    dead: WHOLE,
    oldestAt: orNull(TIME),
    breaker: { anyOf: [oneOf(["open", "closed"]), { type: "null" }] },
    paused: orNull(PAUSE),
    outage: orNull(ref("TargetOutage")),
    attemptsPerMinute: NUMBER,
    failuresPerMinute: NUMBER,
    p50Seconds: orNull(NUMBER),
    p99Seconds: orNull(NUMBER),
  };
}
