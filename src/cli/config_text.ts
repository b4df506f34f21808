import type { EffectiveSetting } from "../inspect/config/effective_config.ts";
import { printable } from "../wire/escaping/printable.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";

/** The widest column of keys or values: longer ones push the rest of their line. */
const MAX_WIDTH = 44;

/** A table of settings for a terminal. */
export function describeSettings(
  settings: readonly EffectiveSetting[],
  { file }: { readonly file: string | null },
): string {
  const rows = settings.map(({ key, value, from }) => [printable(key), safeJson(value), printable(from)] as const);
  const [keys, values] = [0, 1].map((column) =>
    Math.min(MAX_WIDTH, Math.max(0, ...rows.map((row) => row[column]!.length)))
  );
  const lines = rows.map(([key, value, from]) => `${key.padEnd(keys!)}  ${value.padEnd(values!)}  ${from}`);
  return [file === null ? "The configuration that is compiled in" : printable(file), ...lines].join("\n");
}
