import type { Plugin } from "../model/plugin.ts";
import type { LoadedConfig } from "./load_config.ts";

/** The plugins of a configuration by their names, in their order. */
export function pluginsByName(
  { config, pluginNames }: Pick<LoadedConfig, "config" | "pluginNames">,
): ReadonlyMap<string, Plugin> {
  return new Map(config.plugins.map((plugin, index) => [pluginNames[index] as string, plugin]));
}
