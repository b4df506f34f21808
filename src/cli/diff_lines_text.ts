import { type DiffLine, diffLines } from "../inspect/compare/line_diff.ts";
import { printable } from "../wire/escaping/printable.ts";
import { coloured, type Terminal } from "./terminal.ts";

/** Unchanged lines that are shown before and after a changed one. */
const CONTEXT = 2;
/** Of two long lines only the part that differs is shown, with so many characters beside it. */
const LONG = 120;
const BESIDE = 40;

const COLOURS = { "-": "red", "+": "green" } as const;

/** The diff of two texts for a terminal: changed lines with some of those around them. */
export function describeLineDiff(
  before: readonly string[],
  after: readonly string[],
  { indent, terminal }: { readonly indent: number; readonly terminal: Terminal },
): string[] {
  const lines = withShortPairs(diffLines(before.map((line) => printable(line)), after.map((line) => printable(line))));
  const shown = lines.map((_, index) => lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(isChanged));
  const margin = " ".repeat(indent);
  return lines.flatMap((line, index) => {
    if (shown[index]) return [(margin + describe(line, terminal)).trimEnd()];
    return index === 0 || shown[index - 1] ? [`${margin}  …`] : [];
  });
}

function isChanged({ sign }: DiffLine): boolean {
  return sign !== " ";
}

function describe({ sign, text }: DiffLine, terminal: Terminal): string {
  if (sign === " ") return `  ${text.length > LONG ? `${text.slice(0, LONG - 1).toWellFormed()}…` : text}`.trimEnd();
  return coloured(`${sign} ${text}`.trimEnd(), COLOURS[sign], terminal);
}

/** Shortens each removed line and the added one that takes its place, where both are long. */
function withShortPairs(lines: readonly DiffLine[]): readonly DiffLine[] {
  const result = [...lines];
  for (let start = 0; start < lines.length; start++) {
    if (lines[start]?.sign !== "-") continue;
    const removed = runLength(lines, start, "-");
    const added = runLength(lines, start + removed, "+");
    for (let index = 0; removed === added && index < removed; index++) {
      const [one, other] = [start + index, start + removed + index];
      const [before, after] = shortPair(lines[one]?.text ?? "", lines[other]?.text ?? "");
      [result[one], result[other]] = [{ sign: "-", text: before }, { sign: "+", text: after }];
    }
    start += removed + added - 1;
  }
  return result;
}

function runLength(lines: readonly DiffLine[], start: number, sign: DiffLine["sign"]): number {
  const end = lines.findIndex((line, index) => index >= start && line.sign !== sign);
  return (end === -1 ? lines.length : end) - start;
}

function shortPair(before: string, after: string): readonly [string, string] {
  if (before.length <= LONG || after.length <= LONG) return [before, after];
  const most = Math.min(before.length, after.length);
  let [start, end] = [0, 0];
  while (start < most && before[start] === after[start]) start++;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  return [before, after].map((text) => {
    const [from, to] = [Math.max(0, start - BESIDE), Math.min(text.length, text.length - end + BESIDE)];
    return `${from > 0 ? "…" : ""}${text.slice(from, to).toWellFormed()}${to < text.length ? "…" : ""}`;
  }) as [string, string];
}
