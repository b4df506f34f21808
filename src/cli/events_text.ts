import type { Detail } from "../model/detail.ts";
import { kindOf } from "../model/event.ts";
import { asTold, changedKeys } from "../model/following.ts";
import type { Listed, OperatorResult, Selection, ShownDelivery, ShownEvent } from "../model/operations.ts";
import { printable } from "../wire/escaping/printable.ts";
import { describeChanges } from "./changes_text.ts";
import { pausedWords } from "./plugins_text.ts";
import { WIDTH, wrapped } from "./wrapped.ts";

/** The widths of a listing. */
export interface ListLayout {
  readonly pluginWidth: number;
  /** Of the terminal. */
  readonly width: number;
}

/** The layout for the deliveries of these plugins. */
export function listLayout(plugins: readonly string[], width: number = WIDTH): ListLayout {
  return { pluginWidth: Math.max("PLUGIN".length, ...plugins.map(({ length }) => length)), width };
}

/**
 * The heading and first lines of a listing for a terminal: facts and server, key, reason of the
 * failure.
 */
export function describeFirst(listed: readonly Listed[], layout: ListLayout): string {
  const plugin = "PLUGIN".padEnd(layout.pluginWidth);
  return `${"TIME (UTC)".padEnd(19)}  ${"STATE".padEnd(10)}  TRIES  ${plugin}  SERVER\n${describeMore(listed, layout)}`;
}

/** Further lines of a listing. */
export function describeMore(listed: readonly Listed[], layout: ListLayout): string {
  return listed.map((one) => describeListed(one, layout)).join("\n");
}

/** The last line of a listing; `null` for none. */
export function describeEnd({ count, limit }: { readonly count: number; readonly limit: number }): string | null {
  if (count === 0) return "No delivery or notification matches.";
  return count === limit ? `The newest ${limit}; --limit shows more.` : null;
}

function describeListed(
  { key, name, address, state, origin, plugin, at, attempts, dueAt, reason, isPaused }: Listed,
  { pluginWidth, width }: ListLayout,
): string {
  const next = state === "retrying" && dueAt !== null ? `next ${due(dueAt)}: ` : "";
  const facts = `${utc(at)}  ${state.padEnd(10)}  ${String(attempts).padStart(5)}  ${
    (plugin ?? "-").padEnd(pluginWidth)
  }`;
  const server = [name, address].filter((one) => one !== null).join(" ");
  const line = printable(`${facts}  ${server}`.trimEnd());
  // A server that does not fit beside the facts gets a line of its own. The facts are never cut.
  const first = line.length <= width ? [line] : [printable(facts.trimEnd()), printable(`  ${server}`, width)];
  return [
    ...first,
    `  ${printable(key)}${origin === "reconcile" ? "  (found by reconcile)" : ""}${
      isPaused ? "  (plugin paused)" : ""
    }`,
    ...(reason === null ? [] : [printable(`  ${next}${reason}`, width)]),
  ].join("\n");
}

/**
 * Everything about one event: its notification, its detail, and its deliveries with their attempts.
 */
export function describeEvent({ event, decidedAt, notification, detail, deliveries }: ShownEvent): string {
  return [
    printable(event.key),
    `  ${kindOf(event)}, ${sourceOf(event)}`,
    `  decided ${utc(decidedAt)} UTC${event.creationSeen ? "" : "; its beginning is not remembered"}`,
    event.origin === "reconcile" ? "observation" : "notification",
    ...json(notification ?? "not kept"),
    "detail",
    ...json(detail ?? "not made yet"),
    ...deliveries.flatMap((delivery) => [
      ...describeDelivery(delivery),
      ...(detail === null ? [] : describeTold(delivery, { event, detail })),
    ]),
  ].join("\n");
}

function sourceOf({ eventType, time, origin }: ShownEvent["event"]): string {
  if (origin === "reconcile") return `found by a comparison with OpenStack at ${time}: its notification was lost`;
  return `from ${printable(eventType)} of ${time}`;
}

/**
 * Of an update, what has changed since the plugin was last told; of a later event, the values that
 * it gets as they were last told.
 */
function describeTold(
  { before, state }: ShownDelivery,
  { event, detail }: { readonly event: ShownEvent["event"]; readonly detail: Detail },
): string[] {
  if (state === "skipped") return [`  ${skippedWhy({ before: before ?? null, updated: event.updated ?? false })}`];
  if (!before) return [];
  const all = { keys: "all", tellsAssociations: true } as const;
  if (event.updated) return describeChanges(changedKeys(before, detail, all), { before, detail, indent: 2 });
  const told = asTold(detail, { before, subject: event.subject, tellsAssociations: true });
  return changedKeys(detail, told, all).map((key) =>
    printable(`  as it was last told: ${JSON.stringify(key)}: ${JSON.stringify(told[key])}`)
  );
}

/** Why a delivery was skipped. An update whose creation was told is skipped if it says nothing new. */
function skippedWhy({ before, updated }: { readonly before: Detail | null; readonly updated: boolean }): string {
  if (!updated) return "its filter (when) did not match it, or its creation";
  return before === null ? "its creation was skipped" : "nothing to tell: no key that is followed has changed for it";
}

function describeDelivery(
  { plugin, state, attempts, dueAt, finishedAt, failures, waitsFor, paused }: ShownDelivery,
): string[] {
  const when = finishedAt !== null
    ? ` at ${utc(finishedAt)} UTC`
    : dueAt !== null
    ? `, due ${due(dueAt)}${dueAt === 0 ? "" : " UTC"}`
    : "";
  return [
    `${printable(plugin)}: ${state}${when}, ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`,
    ...(paused === undefined ? [] : [printable(`  waits: the plugin is ${pausedWords(paused)}`)]),
    ...waitsFor.map((key) => `  waits for ${printable(key)}`),
    ...failures.flatMap(({ attempt, endedAt, reason, error }) =>
      // A filter that fails makes a dead letter without an attempt.
      wrapped(
        `  ${(attempt === 0 ? "-" : String(attempt)).padStart(5)}  ${utc(endedAt)}  ${reason}: ${printable(error)}`,
        { indent: 9 },
      )
    ),
  ];
}

/** What a command is to act on, in one line. */
export function describeSelection({ keys = [], plugin, dead = false }: Selection): string {
  const [key] = keys;
  const all = dead ? "all dead letters" : "all unfinished deliveries";
  const which = key === undefined ? all : keys.length === 1 ? key : `${keys.length} events`;
  return plugin === undefined ? which : `${which} of ${plugin}`;
}

/** The deliveries that were refused, and the counts. */
export function describeResults(treated: readonly OperatorResult[], verb: "replayed" | "dropped"): string {
  const refused = treated.filter((one) => one.refused !== null);
  return [
    ...refused.flatMap(({ key, plugin, refused: why }) => [
      `not ${verb}: ${printable(key)}`,
      ...wrapped(`  ${printable(plugin)}: ${printable(why ?? "")}`, { indent: 4 }),
    ]),
    `${treated.length - refused.length} ${verb}, ${refused.length} refused`,
  ].join("\n");
}

/** An interrupted or replayed delivery is due before all others. */
function due(at: number): string {
  return at === 0 ? "at once" : utc(at);
}

function utc(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

function json(value: unknown): string[] {
  return JSON.stringify(value, null, 2).split("\n").map((line) => `  ${printable(line)}`);
}
