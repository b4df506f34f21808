// What is printed of the scenarios: one line each, then what is wrong.
import type { Outcome } from "./outcome.ts";

const COLUMNS: readonly (readonly [title: string, value: (outcome: Outcome) => string | number])[] = [
  ["scenario", ({ title }) => title],
  ["published", ({ published }) => published],
  ["recorded", ({ recorded }) => recorded],
  ["events", ({ events }) => events],
  ["delivered", ({ delivered }) => delivered],
  ["lost", ({ lost }) => lost],
  ["duplicated", ({ duplicated }) => duplicated],
  ["reordered", ({ reordered }) => reordered],
  ["kills", ({ kills, serverKills }) => kills + serverKills],
  ["between", ({ killsBetween }) => killsBetween],
  ["s", ({ seconds }) => Math.round(seconds)],
];

export const LEGEND =
  `published: messages the broker confirmed; recorded: notifications in the ledger; events: expected, for all plugins together;
duplicated: accepted again with the same key; between: kills that fell between an attempt and its recording, counted for each plugin`;

/** One line for each outcome under one line of titles. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const rows = [COLUMNS.map(([title]) => title), ...outcomes.map((one) => COLUMNS.map(([, value]) => `${value(one)}`))];
  const widths = COLUMNS.map((_, index) => Math.max(...rows.map((row) => row[index]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, index) => index === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[index]!)).join("  ");
  return rows.map(line).join("\n");
}

/** What is wrong with them, all problems of all outcomes; and if no kill hit where it hurts most, that. */
export function problemsOf(outcomes: readonly Outcome[]): string[] {
  const problems = outcomes.flatMap(({ title, problems }) => problems.map((problem) => `${title}: ${problem}`));
  const sum = (count: "kills" | "killsBetween") => outcomes.reduce((total, outcome) => total + outcome[count], 0);
  if (sum("kills") > 0 && sum("killsBetween") === 0) {
    problems.push("No kill fell between an attempt and its recording: this run proves nothing");
  }
  return problems;
}
