import type { EventComparison, PluginComparison } from "../inspect/compare/compare_events.ts";
import type { ReplayedEvent, Sent } from "../inspect/compare/replayed_event.ts";
import type { Json } from "../model/notification.ts";
import { printable } from "../wire/escaping/printable.ts";
import { describeLineDiff } from "./diff_lines_text.ts";
import { meaning } from "./dry_run_text.ts";
import { previewLines } from "./preview_lines.ts";
import { coloured, type Terminal } from "./terminal.ts";

/** What is said of an event that is there on one side alone. */
export interface SideWords {
  readonly onlyBefore: string;
  readonly onlyAfter: string;
}

/** What differs between an event before and after, for a terminal. Ends with an empty line. */
export function describeComparison(
  { key, change, before, after, plugins }: EventComparison,
  { terminal, words }: { readonly terminal: Terminal; readonly words: SideWords },
): string {
  const { event, time, created, changed } = after ?? before as ReplayedEvent;
  const onlyIn = change === "onlyBefore"
    ? [`  ${coloured(`- ${words.onlyBefore}`, "red", terminal)}`]
    : change === "onlyAfter"
    ? [`  ${coloured(`+ ${words.onlyAfter}`, "green", terminal)}`]
    : [];
  return [
    `${printable(event)}  ${time === null ? "no time" : printable(time)}`,
    `  ${changed === undefined ? meaning(key, created) : "update: a server changed"}`,
    `  key ${printable(key)}`,
    ...onlyIn,
    ...section("event", { before: circumstances(before), after: circumstances(after), terminal }),
    ...describeDetail({ before, after, plugins }, terminal),
    ...plugins.flatMap((plugin) => describePlugin(plugin, terminal)),
    "",
  ].join("\n");
}

/** Of an event on one side alone, previews say enough, unless a plugin has none. */
function describeDetail(
  { before, after, plugins }: Pick<EventComparison, "before" | "after" | "plugins">,
  terminal: Terminal,
): string[] {
  const isOneSided = before === null || after === null;
  if (isOneSided && !plugins.some((plugin) => isUnseen(plugin.before) || isUnseen(plugin.after))) return [];
  return section("detail", { before: detailLines(before), after: detailLines(after), terminal });
}

function isUnseen(sent: Sent | null): boolean {
  return sent !== null && sent.preview === null && sent.error === undefined && sent.skipped !== true;
}

function describePlugin({ name, change, before, after }: PluginComparison, terminal: Terminal): string[] {
  if (change === "same") return [];
  const pretty = { before: sentLines(before, true), after: sentLines(after, true) };
  const title = `${printable(name)} would send`;
  if (!isSame(pretty.before, pretty.after)) return section(title, { ...pretty, terminal });
  const exact = { before: sentLines(before, false), after: sentLines(after, false) };
  if (!isSame(exact.before, exact.after)) return section(title, { ...exact, terminal });
  return [`  ${printable(name)} would be given the changed detail; it has no preview`];
}

function section(
  title: string,
  { before, after, terminal }: {
    readonly before: readonly string[];
    readonly after: readonly string[];
    readonly terminal: Terminal;
  },
): string[] {
  return isSame(before, after) ? [] : [`  ${title}`, ...describeLineDiff(before, after, { indent: 4, terminal })];
}

function isSame(before: readonly string[], after: readonly string[]): boolean {
  return before.length === after.length && before.every((line, index) => line === after[index]);
}

/** What is decided about an event beside its detail. */
function circumstances(event: ReplayedEvent | null): string[] {
  const { changed, creationSeen, keysToAsk } = event ?? {};
  return [
    ...(changed === undefined ? [] : [`changed keys: ${changed.join(", ")}`]),
    ...(creationSeen === false ? ["its beginning is not remembered"] : []),
    ...(keysToAsk === undefined ? [] : [`keys that OpenStack would be asked for: ${keysToAsk.join(", ")}`]),
  ];
}

function detailLines(event: ReplayedEvent | null): string[] {
  return event === null ? [] : JSON.stringify(event.detail as Json, null, 2).split("\n");
}

function sentLines(sent: Sent | null, pretty: boolean): string[] {
  if (sent === null) return [];
  const { method = "notify", preview, error, skipped } = sent;
  if (skipped) return ["nothing: skipped by its filter (when)"];
  if (error !== undefined) return [`unknown: its preview failed: ${error}`];
  return preview === null
    ? [`unknown: its method ${method} is called; it has no preview`]
    : previewLines(preview, { pretty });
}
