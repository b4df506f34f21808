import { printable } from "../wire/escaping/printable.ts";
import { shellWord } from "../wire/escaping/shell_word.ts";
import { describeComparison } from "./comparison_text.ts";
import type { JunitCase } from "./junit.ts";
import { coloured, type Terminal } from "./terminal.ts";
import type { HistoryResult } from "./test_history.ts";

/** The most differences and reasons that are shown of one history. */
const SHOWN = 20;

const WORDS = { onlyBefore: "expected, and does not come", onlyAfter: "comes, and is not expected" };

export interface DescribeOptions {
  readonly terminal: Terminal;
  /** Options that name the configuration, as a shell takes them; empty, or with a blank at the end. */
  readonly configOptions: string;
}

/** The line of one history, and below it what is wrong. */
export function describeHistory(result: HistoryResult, options: DescribeOptions): string {
  const { history, outcome } = result;
  const { word, colour } = MARKS[outcome];
  const isWritten = outcome === "written" || outcome === "kept";
  const path = printable(isWritten || outcome === "orphan" ? history.expectedPath : history.path);
  const mark = coloured(word, colour, options.terminal) + " ".repeat(WIDTH - word.length);
  return [`${mark}${path}: ${summary(result)}`, ...below(result, options)].join("\n");
}

const MARKS = {
  passed: { word: "ok", colour: "green" },
  failed: { word: "FAILED", colour: "red" },
  unwritten: { word: "FAILED", colour: "red" },
  orphan: { word: "FAILED", colour: "red" },
  broken: { word: "ERROR", colour: "red" },
  written: { word: "written", colour: "yellow" },
  kept: { word: "kept", colour: "green" },
} as const;
const WIDTH = "written".length + 2;

function summary({ outcome, events, counts, history }: HistoryResult): string {
  if (outcome === "orphan") return `there is no history ${printable(history.path)}`;
  if (outcome === "unwritten") {
    return `${eventCount(events)}, and no ${printable(history.expectedPath)} to compare with`;
  }
  if (outcome === "broken") return "cannot be tested";
  const { changed, onlyBefore, onlyAfter } = counts.events;
  const [gone, come] = outcome === "written" ? ["removed", "added"] : ["missing", "not expected"];
  const kinds = [[changed, "changed"], [onlyBefore, gone], [onlyAfter, come]] as const;
  return [eventCount(events), ...kinds.flatMap(([count, kind]) => count === 0 ? [] : [`${count} ${kind}`])].join(", ");
}

function eventCount(events: number): string {
  return events === 0 ? "no events" : events === 1 ? "1 event" : `${events} events`;
}

function below(result: HistoryResult, options: DescribeOptions): string[] {
  const { outcome, history, differences, reasons } = result;
  if (outcome === "failed") return ["", ...describeDifferences(result, options), ...accept(result, options), ""];
  if (outcome === "unwritten") return accept(result, options);
  if (outcome === "orphan") {
    const file = printable(shellWord(history.expectedPath));
    return [`  Bring the history back, or remove what is expected of it: rm ${file}`];
  }
  // Nobody shall find out from a diff of git alone what is not expected any more.
  const removed = outcome === "written" ? differences.filter(({ change }) => change === "onlyBefore") : [];
  return [
    ...limited(removed.map(({ key }) => `  removed ${printable(key)}`), "events were removed"),
    ...limited(reasons.map((reason) => `  ${printable(reason)}`), "lines"),
  ];
}

function describeDifferences({ history, differences }: HistoryResult, { terminal }: DescribeOptions): string[] {
  const texts = differences.map((one) => describeComparison(one, { terminal, words: WORDS }));
  return [
    coloured(`--- ${printable(history.expectedPath)}`, "red", terminal),
    coloured(`+++ what would be sent`, "green", terminal),
    "",
    ...limited(texts, "events differ"),
  ];
}

function limited(texts: readonly string[], what: string): readonly string[] {
  const more = texts.length - SHOWN;
  return more <= 0 ? texts : [...texts.slice(0, SHOWN), `  … and ${more} more ${what}`];
}

function accept({ history }: HistoryResult, { configOptions }: DescribeOptions): string[] {
  const command = `oss-watcher test ${configOptions}--update ${shellWord(history.path)}`;
  return [`  If this is as it should be: ${printable(command)}`];
}

/** The last line, apart from the others: how many histories ended in which way. */
export function describeTotals(results: readonly HistoryResult[]): string {
  const count = (...outcomes: readonly HistoryResult["outcome"][]) =>
    results.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const kinds = [
    [count("passed"), "passed"],
    [count("written"), "written"],
    [count("kept"), "kept"],
    [count("failed", "unwritten", "orphan"), "failed"],
    [count("broken"), "with errors"],
  ] as const;
  const apart = results.at(-1)?.outcome === "failed" ? "" : "\n";
  return apart + kinds.flatMap(([number, word]) => number === 0 ? [] : [`${number} ${word}`]).join(", ");
}

/** A history as a test of JUnit. */
export function junitCase(result: HistoryResult, options: Omit<DescribeOptions, "terminal">): JunitCase {
  const { history: { path }, outcome, durationMs } = result;
  if (outcome === "passed") return { path, durationMs, problem: null };
  const kind = outcome === "broken" ? "error" : "failure";
  const text = below(result, { ...options, terminal: PLAIN }).join("\n");
  return { path, durationMs, problem: { kind, message: summary(result), text } };
}

const PLAIN: Terminal = { print() {}, error() {}, readInput: () => Promise.resolve(new Uint8Array()) };
