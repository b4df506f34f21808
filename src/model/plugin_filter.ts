import type { Detail } from "./detail.ts";
import type { Subject } from "./event.ts";
import type { Plugin } from "./plugin.ts";

/** Which events a plugin is told, as `when` of config.ts says. */
export interface PluginFilter {
  /** The plugin that is filtered; it may have a filter itself, which is part of this one. */
  readonly plugin: Plugin;
  /** What config.ts says, for operators: the outer filter first. */
  readonly options: readonly object[];
  /** Whether creations (`true`) or deletions (`false`) are told at all. */
  tells(created: boolean): boolean;
  /**
   * Whether a creation matches, or a deletion whose creation the plugin was never offered.
   *
   * @throws {PermanentError} when that cannot be said; its text is safe to print.
   */
  matches(detail: Detail, event: { readonly subject: Subject; readonly created: boolean }): boolean;
}

/**
 * The key of a plugin's filter. Not of a class: a config.ts that is loaded from disk may have its own
 * copy of `when`.
 */
export const FILTER: unique symbol = Symbol.for("oss-watcher.filter") as never;

/** A plugin that may have a filter. */
export interface Filterable extends Plugin {
  readonly [FILTER]?: PluginFilter;
}

/** The filter of a plugin; `null`: it is told everything. */
export function filterOf(plugin: Plugin): PluginFilter | null {
  return (plugin as Filterable)[FILTER] ?? null;
}
