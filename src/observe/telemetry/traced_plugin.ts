import type { Detail } from "../../model/detail.ts";
import type { NotifyContext, Plugin, UpdateContext } from "../../model/plugin.ts";
import { FILTER, type Filterable, filterOf } from "../../model/plugin_filter.ts";
import type { AttemptSpans } from "./attempt_spans.ts";

/** A plugin whose requests belong to the spans of its attempts: as much of it as its lane uses. */
export function tracedPlugin(name: string, plugin: Plugin, attempts: AttemptSpans): Plugin {
  const filter = filterOf(plugin);
  const traced: Filterable = {
    name,
    notify: (detail: Detail, created: boolean, context: NotifyContext) =>
      attempts.within(name, context, (own) => plugin.notify(detail, created, own)),
    ...(plugin.update && {
      update: (detail: Detail, context: UpdateContext) =>
        attempts.within(name, context, (own) => plugin.update?.(detail, own)),
    }),
    ...(filter && { [FILTER]: filter }),
  };
  return traced;
}
