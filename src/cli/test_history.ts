import type { LoadedConfig } from "../config/load_config.ts";
import { ComparisonCounts } from "../inspect/compare/comparison_counts.ts";
import type { EventComparison } from "../inspect/compare/compare_events.ts";
import { EventPairs } from "../inspect/compare/event_pairs.ts";
import { type ReplayedEvent, replayedEvents } from "../inspect/compare/replayed_event.ts";
import { UserError } from "../model/errors.ts";
import type { Logger } from "../model/plugin.ts";
import { documentsFrom } from "../runtime/documents.ts";
import { replay } from "../runtime/replay.ts";
import { expectedText, readExpected } from "./expected_events.ts";
import type { History } from "./histories.ts";
import { historyBytes } from "./history_file.ts";
import { reproducibleRun } from "./reproducible_run.ts";
import { writeText } from "./write_failure.ts";

/** How the replay of one history ended. */
export interface HistoryResult {
  readonly history: History;
  /**
   * `unwritten`: there is no file of expected events yet. `orphan`: there is such a file, and no
   * history. `broken`: the history cannot be replayed, or its expectation cannot be read.
   */
  readonly outcome: "passed" | "failed" | "unwritten" | "orphan" | "broken" | "written" | "kept";
  /** How many events came. */
  readonly events: number;
  /** Expected events against those that came: the ones that differ. */
  readonly differences: readonly EventComparison[];
  readonly counts: ComparisonCounts;
  /** Why it is broken; why no events came. */
  readonly reasons: readonly string[];
  readonly durationMs: number;
}

export interface TestOptions {
  readonly loaded: LoadedConfig;
  readonly log: (part: string) => Logger;
  /** Whether what comes is written as what is expected. */
  readonly update: boolean;
}

/** Replays a history and compares what comes with what is expected, or writes it. Never rejects. */
export async function testHistory(history: History, options: TestOptions): Promise<HistoryResult> {
  const startedMs = performance.now();
  const result = await replayAndCompare(history, options).catch((error) => {
    if (!(error instanceof UserError)) throw error;
    return { ...NOTHING, outcome: "broken" as const, reasons: [error.message] };
  });
  return { history, ...result, durationMs: performance.now() - startedMs };
}

const NOTHING = { events: 0, differences: [], counts: new ComparisonCounts(), reasons: [] };

type Ending = Omit<HistoryResult, "history" | "durationMs">;

async function replayAndCompare({ path, expectedPath }: History, options: TestOptions): Promise<Ending> {
  const { events, reasons, isUnknown } = await eventsOf(path, options);
  const came = { ...NOTHING, events: events.length, reasons };
  // What is not known can be expected by nobody.
  if (isUnknown) return { ...came, outcome: "broken" };
  const expected = await readExpected(expectedPath);
  if (expected === null && !options.update) return { ...came, outcome: "unwritten" };
  const { differences, counts } = compare(expected?.events ?? [], events);
  const compared = { ...came, differences, counts };
  if (!options.update) return { ...compared, outcome: counts.differ ? "failed" : "passed" };
  const text = expectedText(events);
  if (expected?.text === text) return { ...compared, outcome: "kept" };
  await writeText(expectedPath, text);
  return { ...compared, outcome: "written" };
}

/** The events of a history; or, if it cannot be replayed as a whole, the reasons. */
async function eventsOf(path: string, { loaded, log }: TestOptions) {
  const run = reproducibleRun(loaded, log);
  const events: ReplayedEvent[] = [];
  const problems: string[] = [];
  const ignored = new Map<string, number>();
  const bytes = historyBytes(path, () => Promise.resolve(new Uint8Array()));
  for await (const { document: { line }, ...step } of replay(run, documentsFrom(bytes))) {
    if ("refused" in step) {
      problems.push(`line ${line}: ${step.refused}`);
      continue;
    }
    const { outcome, reason, plugins } = step.result;
    if (outcome === "refused") problems.push(`line ${line}: ${reason}`);
    if (reason !== null) ignored.set(reason, (ignored.get(reason) ?? 0) + 1);
    problems.push(
      ...plugins.flatMap(({ name, error }) => error === undefined ? [] : [`line ${line}: ${name}: ${error}`]),
    );
    events.push(...replayedEvents(step.result));
  }
  if (problems.length > 0) return { events, reasons: problems, isUnknown: true };
  return { events, reasons: events.length > 0 ? [] : [mostFrequent(ignored)], isUnknown: false };
}

function mostFrequent(reasons: ReadonlyMap<string, number>): string {
  const [first] = [...reasons].sort(([, one], [, other]) => other - one);
  return first?.[0] ?? "it has no notification";
}

function compare(expected: readonly ReplayedEvent[], came: readonly ReplayedEvent[]) {
  const pairs = new EventPairs(Infinity);
  const comparisons = [
    ...expected.flatMap((event) => pairs.add("before", event)),
    ...came.flatMap((event) => pairs.add("after", event)),
    ...pairs.end(),
  ];
  const counts = new ComparisonCounts();
  for (const comparison of comparisons) counts.add(comparison);
  return { differences: comparisons.filter(({ change }) => change !== "same"), counts };
}
