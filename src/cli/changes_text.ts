import type { Detail } from "../model/detail.ts";
import { printable } from "../wire/escaping/printable.ts";

/** The values of changed keys before and after, as a diff. */
export function describeChanges(
  changed: readonly string[],
  { before, detail, indent }: { readonly before: Detail; readonly detail: Detail; readonly indent: number },
): string[] {
  const line = (sign: string, key: string, value: unknown = null) =>
    `${" ".repeat(indent)}${sign} ${printable(`${JSON.stringify(key)}: ${JSON.stringify(value)}`)}`;
  return changed.flatMap((key) => [line("-", key, before[key]), line("+", key, detail[key])]);
}
