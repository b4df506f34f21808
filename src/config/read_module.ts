import { isRecord } from "../model/is_record.ts";
import { isSameData } from "../model/same_data.ts";

/** The exports of a config.ts. */
export type ConfigModule = Readonly<Record<string, unknown>>;

/** The configuration that a module exports, and contradictions between its exports. */
export interface ReadModule {
  readonly config: unknown;
  readonly findings: readonly string[];
}

/**
 * The default export is the configuration. Named exports of the same keys (`events`, `plugins`)
 * must be equal: otherwise edits of the unused one would have no effect, without a message. Without
 * a default export the named ones are it.
 */
export function readModule(module: ConfigModule): ReadModule {
  const { default: whole, ...named } = module;
  if (!("default" in module)) return { config: named, findings: needsExports(named) };
  if (!isRecord(whole)) return { config: whole, findings: [] };
  const differing = Object.keys(named).filter((key) => key in whole && !isSame(named[key], whole[key]));
  return { config: whole, findings: differing.map(contradiction) };
}

function needsExports(named: ConfigModule): string[] {
  if ("events" in named && "plugins" in named) return [];
  return ["the default export: missing; end the file with: export default { events, plugins, … } satisfies Config;"];
}

/** Plugins have private state: only identical objects count as equal. */
function isSame(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other) || !one.some(isRecord)) return isSameData(one, other);
  return one.length === other.length && one.every((item, index) => item === other[index]);
}

function contradiction(key: string): string {
  return `${key}: the export "${key}" and the default export's "${key}" differ; write "${key}," in the default export`;
}
