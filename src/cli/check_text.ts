import type { Finding } from "../model/finding.ts";
import { printable } from "../wire/escaping/printable.ts";
import { coloured, type Terminal } from "./terminal.ts";
import { wrapped } from "./wrapped.ts";

const INDENT = 11;
const COLOURS = { error: "red", warning: "yellow", ok: "green" } as const;

/**
 * A paragraph for each finding, then the counts. Errors come last: the end of the output is what a
 * reader sees first.
 */
export function describeFindings(findings: readonly Finding[], terminal: Terminal): string {
  const sorted = ORDER.flatMap((level) => findings.filter((finding) => finding.level === level));
  const counts = (["error", "warning", "unchecked"] as const).map((level) => {
    const count = findings.filter((finding) => finding.level === level).length;
    return level === "unchecked" ? `${count} not checked` : `${count} ${level}${count === 1 ? "" : "s"}`;
  });
  return [...sorted.flatMap((finding) => describe(finding, terminal)), "", counts.join(", ")].join("\n");
}

const ORDER = ["ok", "unchecked", "warning", "error"] as const;

function describe({ level, key, text }: Finding, terminal: Terminal): string[] {
  const [first = "", ...rest] = wrapped(`${level.padEnd(INDENT)}${printable(key)}: ${printable(text)}`, {
    indent: INDENT,
  });
  const colour = level === "unchecked" ? undefined : COLOURS[level];
  const word = colour === undefined ? level : coloured(level, colour, terminal);
  return [`${word}${first.slice(level.length)}`, ...rest];
}
