import type { LoadedConfig } from "../config/load_config.ts";
import { pluginsByName } from "../config/plugins_by_name.ts";
import type { Logger } from "../model/plugin.ts";
import { DryRun } from "../runtime/dry_run.ts";

/** A dry run of a configuration whose results can be compared with those of another time. */
export function reproducibleRun(
  loaded: Pick<LoadedConfig, "config" | "pluginNames">,
  log: (part: string) => Logger,
): DryRun {
  return new DryRun({ config: loaded.config, plugins: pluginsByName(loaded), log, isReproducible: true });
}
