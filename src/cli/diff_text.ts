import type { Change, EventComparison } from "../inspect/compare/compare_events.ts";
import type { ComparisonCounts, Counts } from "../inspect/compare/comparison_counts.ts";
import { printable } from "../wire/escaping/printable.ts";
import type { ComparisonSummary } from "./compare_replays.ts";
import { coloured, type Terminal } from "./terminal.ts";
import { wrapped } from "./wrapped.ts";

/** What the signs of the diff mean. */
export function heading([old, now]: readonly [string, string], terminal: Terminal): string {
  const lines = [
    coloured(`--- ${printable(old)}`, "red", terminal),
    coloured(`+++ ${printable(now)}`, "green", terminal),
  ];
  return `${lines.join("\n")}\n`;
}

/** The counts of a comparison, with a row for each plugin. */
export function describeSummary({ notifications, plugins, counts }: ComparisonSummary): string {
  const names = [...new Set([...plugins.before, ...plugins.after])];
  const width = Math.max(...names.map((name) => printable(name).length), "PLUGIN".length);
  const titles = ["BEFORE", "AFTER", ...COLUMNS.map(({ title }) => title)];
  const state = (name: string) =>
    !plugins.after.includes(name) ? "removed" : !plugins.before.includes(name) ? "added" : "";
  const rows = names.map((name) => {
    const cells = cellsOf(counts.of(name)).map((count, index) => String(count).padStart(titles[index]?.length ?? 0));
    return [printable(name).padEnd(width), ...cells, state(name)].join("  ").trimEnd();
  });
  return [
    ...wrapped(totals(notifications, counts), { indent: 2 }),
    ...describeKeys(counts.changedKeys),
    "",
    [`PLUGIN`.padEnd(width), ...titles].join("  "),
    ...rows,
    ...describeRenaming({ before: plugins.before.filter(state), after: plugins.after.filter(state) }),
    "",
    "Nothing was sent.",
  ].join("\n");
}

const COLUMNS: readonly { readonly title: string; readonly change: Change }[] = [
  { title: "SAME", change: "same" },
  { title: "CHANGED", change: "changed" },
  { title: "ONLY BEFORE", change: "onlyBefore" },
  { title: "ONLY AFTER", change: "onlyAfter" },
];

function cellsOf(counts: Counts): readonly number[] {
  const { same, changed, onlyBefore, onlyAfter } = counts;
  const both = same + changed;
  return [both + onlyBefore, both + onlyAfter, ...COLUMNS.map(({ change }) => counts[change])];
}

function totals(notifications: number, { events }: ComparisonCounts): string {
  const read = `${notifications} ${notifications === 1 ? "notification" : "notifications"}`;
  const { same, changed, onlyBefore, onlyAfter } = events;
  const all = same + changed + onlyBefore + onlyAfter;
  if (all === 0) return `${read} and no event, before or after: this recording shows nothing of the change.`;
  const kinds = [[same, "the same"], [changed, "changed"], [onlyBefore, "only before"], [onlyAfter, "only after"]];
  const found = kinds.flatMap(([count, kind]) => count === 0 ? [] : [`${count} ${kind}`]).join(", ");
  return `${read}, ${all} ${all === 1 ? "event" : "events"}: ${same === all ? "all the same" : found}.`;
}

function describeKeys(keys: ReadonlyMap<string, number>): string[] {
  if (keys.size === 0) return [];
  const texts = [...keys].map(([key, count]) => `${printable(key)} in ${count}`);
  return wrapped(`Keys of the detail that changed: ${texts.join(", ")}.`, { indent: 2 });
}

function describeRenaming({ before, after }: Readonly<Record<"before" | "after", readonly string[]>>): string[] {
  if (before.length === 0 || after.length === 0) return [];
  const text = `A plugin is known by its name. If ${printable(after.join(", "))} is ${printable(before.join(", "))} ` +
    "under another name, what waits in the ledger is not delivered by it: set the option name to keep the old one.";
  return ["", ...wrapped(text, { indent: 0 })];
}

/** An event that differs, for programs. */
export function jsonOfComparison({ key, change, before, after, plugins }: EventComparison): unknown {
  return { key, change, plugins: plugins.map(({ name, change }) => ({ name, change })), before, after };
}

/** The counts of a comparison for programs. */
export function jsonOfSummary({ notifications, plugins, counts }: ComparisonSummary): unknown {
  const names = [...new Set([...plugins.before, ...plugins.after])];
  return {
    notifications,
    events: counts.events,
    changedKeys: [...counts.changedKeys].map(([key, events]) => ({ key, events })),
    plugins: names.map((name) => ({
      name,
      isBefore: plugins.before.includes(name),
      isAfter: plugins.after.includes(name),
      ...counts.of(name),
    })),
  };
}
