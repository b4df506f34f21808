import type { ReplayedEvent, Sent } from "./replayed_event.ts";

/** What a change of the configuration does to an event, or to what a plugin sends for it. */
export type Change = "same" | "changed" | "onlyBefore" | "onlyAfter";

/** What one plugin sends for an event, before and after. */
export interface PluginComparison {
  readonly name: string;
  readonly change: Change;
  /** `null`: it is not told of the event. */
  readonly before: Sent | null;
  readonly after: Sent | null;
}

/** An event before and after a change of the configuration. */
export interface EventComparison {
  readonly key: string;
  readonly change: Change;
  /** `null`: there is no such event. */
  readonly before: ReplayedEvent | null;
  readonly after: ReplayedEvent | null;
  /** Whether it is there before and after, with the same detail. */
  readonly isSameEvent: boolean;
  /** The keys of the detail whose values differ; empty for an event that is there on one side alone. */
  readonly changedKeys: readonly string[];
  /** The plugins that are told of it, before or after. */
  readonly plugins: readonly PluginComparison[];
}

/**
 * Compares what two configurations make of the same event. Which notification led to it is not
 * compared: Nova says the same thing in several.
 */
export function compareEvents(
  before: ReplayedEvent | null,
  after: ReplayedEvent | null,
): EventComparison {
  const names = new Set([...before?.plugins ?? [], ...after?.plugins ?? []].map(({ name }) => name));
  const isSameDetail = isSame(before?.detail, after?.detail);
  const plugins = [...names].flatMap((name) => {
    const [old, now] = [sentBy(before, name), sentBy(after, name)];
    return isTold(old) || isTold(now) ? [comparePlugin(name, { before: old, after: now, isSameDetail })] : [];
  });
  const key = (before ?? after)?.key ?? "";
  const isSameEvent = isSameDetail && isSame(circumstancesOf(before), circumstancesOf(after));
  const isUnchanged = isSameEvent && plugins.every(({ change }) => change === "same");
  const change = changeOf(before !== null, after !== null, isUnchanged);
  return { key, change, before, after, isSameEvent, changedKeys: changedKeys(before, after), plugins };
}

function changedKeys(before: ReplayedEvent | null, after: ReplayedEvent | null): readonly string[] {
  if (before === null || after === null) return [];
  const keys = new Set([...Object.keys(before.detail), ...Object.keys(after.detail)]);
  return [...keys].filter((key) => !isSame(valueOf(before, key), valueOf(after, key)));
}

/** Keys may have names of a prototype's members. */
function valueOf({ detail }: ReplayedEvent, key: string): unknown {
  return Object.hasOwn(detail, key) ? detail[key] : undefined;
}

/** What is decided about an event beside its detail. */
function circumstancesOf(event: ReplayedEvent | null) {
  return event && [event.changed, event.creationSeen, event.keysToAsk];
}

function comparePlugin(
  name: string,
  { before, after, isSameDetail }: {
    readonly before: Sent | null;
    readonly after: Sent | null;
    readonly isSameDetail: boolean;
  },
): PluginComparison {
  // Without a preview nothing is known of what it sends but what it is given.
  const isUnseen = after?.preview === null && after.error === undefined;
  const isUnchanged = isSame(before, after) && (isSameDetail || !isUnseen);
  return { name, before, after, change: changeOf(isTold(before), isTold(after), isUnchanged) };
}

function changeOf(isBefore: boolean, isAfter: boolean, isUnchanged: boolean): Change {
  if (!isBefore) return "onlyAfter";
  if (!isAfter) return "onlyBefore";
  return isUnchanged ? "same" : "changed";
}

function sentBy(event: ReplayedEvent | null, name: string): Sent | null {
  return event?.plugins.find((sent) => sent.name === name) ?? null;
}

function isTold(sent: Sent | null): boolean {
  return sent !== null && sent.skipped !== true;
}

/** The order of keys counts: a body is sent as it is written. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
