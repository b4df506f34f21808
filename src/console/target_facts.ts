import type { PluginsAnswer } from "./api.ts";
import type { PluginState } from "../model/operations.ts";

/** What the worker knows of a plugin, for the overview and the page of plugins. */
export interface TargetFacts extends PluginState {
  readonly settings: PluginsAnswer["plugins"][number]["settings"];
  readonly can: PluginsAnswer["plugins"][number]["can"];
  readonly retry: PluginsAnswer["plugins"][number]["retry"];
}
