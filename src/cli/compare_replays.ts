import type { EventComparison } from "../inspect/compare/compare_events.ts";
import { ComparisonCounts } from "../inspect/compare/comparison_counts.ts";
import { EventPairs, type Side } from "../inspect/compare/event_pairs.ts";
import { UserError } from "../model/errors.ts";
import type { GlobalOptions, NewIsolate } from "./context.ts";
import { IsolatedReplay } from "./isolated_replay.ts";
import type { Recording, ReplayedPart } from "./replay_messages.ts";
import { UnknownPreviews } from "./unknown_previews.ts";

export interface CompareReplaysOptions {
  readonly newIsolate: NewIsolate;
  /** The configurations before and after. */
  readonly globals: readonly [GlobalOptions, GlobalOptions];
  readonly recording: Recording;
  /** An event differs. What plugins send that are gone after is left out. */
  readonly onDifference: (comparison: EventComparison) => void;
  /** A line of the recording is no notification that can be used; called for the first of them. */
  readonly onRefused: (lineAndReason: string) => void;
  readonly onProgress: (notifications: number) => void;
}

/** What a comparison of two configurations has found. */
export interface ComparisonSummary {
  readonly notifications: number;
  /** Lines that are no notification that can be used. */
  readonly refused: number;
  /** Names in the order of the configurations. */
  readonly plugins: Readonly<Record<Side, readonly string[]>>;
  /** Whether a plugin is in one of the configurations alone. */
  readonly pluginsDiffer: boolean;
  readonly counts: ComparisonCounts;
  /** For each plugin of which a preview failed, what is not known. */
  readonly unknown: readonly string[];
}

/** Events that may wait for their counterpart: a day of a large cloud in some 10 MB. */
const MAX_WAITING = 1000;

/** Lines that cannot be used, of which each is told. */
const MAX_REFUSED = 20;

const SIDES = ["before", "after"] as const;

/**
 * Compares what two configurations make of a recording, in memory that does not grow with it but
 * for what the service, too, remembers of each resource.
 *
 * @throws {UserError} when a configuration has mistakes, or the recording cannot be read.
 */
export async function compareReplays(options: CompareReplaysOptions): Promise<ComparisonSummary> {
  const { newIsolate, globals, recording, onRefused, onProgress } = options;
  using before = new IsolatedReplay(newIsolate, { globals: globals[0], label: "before", recording });
  using after = new IsolatedReplay(newIsolate, { globals: globals[1], label: "after", recording });
  const [old, now] = await bothLoaded(before, after);
  const counts = new ComparisonCounts();
  const unknown = new UnknownPreviews();
  const pairs = new EventPairs(MAX_WAITING);
  const gone = new Set(old.filter((name) => !now.includes(name)));
  const take = (comparison: EventComparison) => {
    counts.add(comparison);
    const plugins = comparison.plugins.filter(({ name }) => !gone.has(name));
    unknown.add(plugins);
    const isMoreThanGone = !comparison.isSameEvent || plugins.some(({ change }) => change !== "same");
    if (isMoreThanGone) options.onDifference({ ...comparison, plugins });
  };
  let [notifications, refused] = [0, 0];
  for (let isLast = false; !isLast;) {
    const parts = await Promise.all([before.next(), after.next()]);
    for (const found of inOrder(parts).flatMap(({ side, event }) => pairs.add(side, event))) take(found);
    const unread = new Set(parts.flatMap((part) => part.refused).map(({ line, reason }) => `line ${line}: ${reason}`));
    for (const text of [...unread].slice(0, Math.max(0, MAX_REFUSED - refused))) onRefused(text);
    notifications += parts[0].notifications;
    refused += unread.size;
    onProgress(notifications);
    isLast = parts.every((part) => part.isLast);
  }
  for (const found of pairs.end()) take(found);
  const pluginsDiffer = gone.size > 0 || now.some((name) => !old.includes(name));
  const plugins = { before: old, after: now };
  return { notifications, refused, plugins, pluginsDiffer, counts, unknown: unknown.texts };
}

/** All mistakes of both are told at once. */
async function bothLoaded(
  before: IsolatedReplay,
  after: IsolatedReplay,
): Promise<readonly [readonly string[], readonly string[]]> {
  const [one, other] = await Promise.allSettled([before.load(), after.load()]);
  if (one.status === "fulfilled" && other.status === "fulfilled") return [one.value, other.value];
  const reasons = [one, other].flatMap((end) => end.status === "rejected" ? [end.reason as Error] : []);
  const unexpected = reasons.find((reason) => !(reason instanceof UserError));
  throw unexpected ?? new UserError(reasons.map(({ message }) => message).join("\n"));
}

/** The events of both in the order of the documents that led to them. */
function inOrder(parts: readonly [ReplayedPart, ReplayedPart]) {
  const events = SIDES.flatMap((side, index) => (parts[index]?.events ?? []).map((one) => ({ side, ...one })));
  return events.sort((one, other) => one.at - other.at);
}
