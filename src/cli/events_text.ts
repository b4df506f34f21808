import type { Listed, ShownDelivery, ShownEvent, Treated } from "../model/operations.ts";
import { printable } from "../wire/escape.ts";
import { WIDTH, wrapped } from "./wrapped.ts";

/** The beginning of a listing for a terminal of 80 columns: a line of facts, the key, and what was wrong. */
export function describeFirst(listed: readonly Listed[]): string {
  const heading = `${"TIME (UTC)".padEnd(19)}  ${"STATE".padEnd(10)}  TRIES  PLUGIN`;
  return `${heading}\n${describeMore(listed)}`;
}

/** Further lines of a listing. */
export function describeMore(listed: readonly Listed[]): string {
  return listed.map(describeListed).join("\n");
}

/** What is said at the end of a listing; `null` for nothing. */
export function describeEnd({ count, limit }: { readonly count: number; readonly limit: number }): string | null {
  if (count === 0) return "Nothing in the ledger fits.";
  return count === limit ? `The newest ${limit}; --limit shows more.` : null;
}

function describeListed({ key, state, plugin, at, attempts, dueAt, reason }: Listed): string {
  const next = state === "retrying" && dueAt !== null ? `next ${due(dueAt)}: ` : "";
  return [
    short(`${utc(at)}  ${state.padEnd(10)}  ${String(attempts).padStart(5)}  ${plugin ?? "-"}`),
    `  ${printable(key)}`,
    ...(reason === null ? [] : [short(`  ${next}${reason}`)]),
  ].join("\n");
}

/** Everything about one event, top down: what, from which notification, with which detail, and what became of it. */
export function describeEvent({ event, decidedAt, notification, detail, deliveries }: ShownEvent): string {
  return [
    printable(event.key),
    `  ${event.created ? "creation" : "deletion"}, from ${printable(event.eventType)} of ${event.time}`,
    `  decided ${utc(decidedAt)} UTC${event.creationSeen ? "" : "; its beginning is not remembered"}`,
    "notification",
    ...json(notification ?? "no longer kept"),
    "detail",
    ...json(detail ?? "not made yet"),
    ...deliveries.flatMap(describeDelivery),
  ].join("\n");
}

function describeDelivery({ plugin, state, attempts, dueAt, finishedAt, failures, waitsFor }: ShownDelivery): string[] {
  const when = finishedAt !== null
    ? ` at ${utc(finishedAt)} UTC`
    : dueAt !== null
    ? `, due ${due(dueAt)}${dueAt === 0 ? "" : " UTC"}`
    : "";
  return [
    `${printable(plugin)}: ${state}${when}, ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`,
    ...waitsFor.map((key) => `  waits for ${printable(key)}`),
    ...failures.flatMap(({ attempt, endedAt, reason, error }) =>
      wrapped(`  ${String(attempt).padStart(5)}  ${utc(endedAt)}  ${reason}: ${printable(error)}`, { indent: 9 })
    ),
  ];
}

/** What was done to which delivery, and what was not. */
export function describeTreated(treated: readonly Treated[], verb: "replayed" | "dropped"): string {
  const refused = treated.filter((one) => one.refused !== null);
  return [
    ...refused.flatMap(({ key, plugin, refused: why }) => [
      `not ${verb}: ${printable(key)}`,
      ...wrapped(`  ${printable(plugin)}: ${printable(why ?? "")}`, { indent: 4 }),
    ]),
    `${treated.length - refused.length} ${verb}, ${refused.length} refused`,
  ].join("\n");
}

/** What was interrupted or replayed is due before everything else. */
function due(at: number): string {
  return at === 0 ? "at once" : utc(at);
}

function utc(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

function short(text: string): string {
  return printable(text, WIDTH);
}

function json(value: unknown): string[] {
  return JSON.stringify(value, null, 2).split("\n").map((line) => `  ${printable(line)}`);
}
