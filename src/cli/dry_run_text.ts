import type { Json } from "../model/notification.ts";
import type { DryRunEvent, DryRunResult } from "../runtime/dry_run.ts";
import type { PluginPreview } from "../runtime/preview.ts";
import { printable } from "../wire/escaping/printable.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { describeChanges } from "./changes_text.ts";
import { previewLines } from "./preview_lines.ts";
import { wrapped } from "./wrapped.ts";

/** One line for programs: the shape of `--dry-run --json`. */
export function jsonLine({ messageId, event, events, plugins, reason }: DryRunResult): string {
  const previews = plugins.map(({ method, ...preview }) => method === "update" ? { method, ...preview } : preview);
  return safeJson({ messageId, event, events, plugins: previews, reason });
}

/** The events and requests that a notification causes, for a terminal of 80 columns. */
export function describeResult(result: DryRunResult): string {
  const { messageId, event, time, reason } = result;
  const title = `${printable(event)}  ${time ?? "no time"}`;
  if (result.events.length === 0) {
    return [title, ...wrapped(`  nothing to send: ${printable(reason ?? "")}`, { indent: 4 })].join("\n");
  }
  const events = result.events.flatMap((one) => [...describeEvent(one, result), ""]);
  return [title, `  message ${printable(messageId)}`, ...events].join("\n");
}

function describeEvent(
  { key, created, detail, before, changed }: DryRunEvent,
  { plugins, creationSeen, keysToAsk }: DryRunResult,
): string[] {
  const what = changed === undefined ? meaning(key, created) : "update: a server changed";
  return [
    `  ${what}${creationSeen.get(key) ? "" : "; its beginning is not remembered"}`,
    `  key ${printable(key)}`,
    ...(changed === undefined || before === undefined
      ? []
      : ["  changed", ...describeChanges(changed, { before, detail, indent: 4 })]),
    `  detail`,
    ...block(detail as Json, 4),
    ...describeKeysToAsk(keysToAsk.get(key) ?? []),
    ...plugins.filter((preview) => preview.key === key).flatMap(describePreview),
  ];
}

function describeKeysToAsk(keys: readonly string[]): string[] {
  return keys.length === 0
    ? []
    : wrapped(`  keys that OpenStack would be asked for: ${keys.join(", ")}`, { indent: 4 });
}

function describePreview({ name, preview, created, method, error, skipped }: PluginPreview): string[] {
  if (skipped) return [`  ${printable(name)} would not be called: skipped by its filter (when)`];
  if (error !== undefined) return [`  ${printable(name)}: its preview failed: ${printable(error)}`];
  if (preview === null) {
    const call = method === "update" ? "update(detail)" : `notify(detail, ${created})`;
    return [`  ${printable(name)} would be called: ${call}; it has no preview`];
  }
  const lines = previewLines(preview).map((line) => `    ${printable(line)}`.trimEnd());
  return [`  ${printable(name)} would send`, ...lines];
}

function block(value: Json, indent: number): string[] {
  return JSON.stringify(value, null, 2).split("\n").map((line) => " ".repeat(indent) + printable(line));
}

/** What an event says. */
export function meaning(key: string, created: boolean): string {
  if (key.startsWith("server/")) return created ? "creation: a server came" : "deletion: a server went";
  return created ? "creation: a floating IP was associated" : "deletion: a floating IP was disassociated";
}
