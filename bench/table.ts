// The results as a table for people.
import type { Outcome } from "./contest.ts";
import type { Line } from "./stand.ts";

/** A row's lines under its name. */
export function tableOf(name: string, lines: readonly Line[]): string {
  const rows = lines.map(({ what, value, unit, aim }) => [
    `  ${what}`,
    shown(value, unit),
    aim === undefined ? "" : "atLeast" in aim ? `≥ ${short(aim.atLeast)}` : `≤ ${short(aim.atMost)}`,
    verdictOf({ value, aim }),
  ]);
  return [
    name,
    ...rows.map(([what = "", figure = "", aim = "", verdict = ""]) =>
      `${what.padEnd(48)}${figure.padStart(14)}  ${aim.padEnd(8)} ${verdict}`.trimEnd()
    ),
  ].join("\n");
}

/** Whether an aim was reached; empty where there is none. */
export function verdictOf({ value, aim }: { readonly value: Outcome; readonly aim?: Line["aim"] }): string {
  if (typeof value !== "number") return `refused: ${value.refused.split("\n")[0]}`;
  if (aim === undefined) return "";
  return ("atLeast" in aim ? value >= aim.atLeast : value <= aim.atMost) ? "met" : "missed";
}

function shown(value: Outcome, unit: string): string {
  return typeof value === "number" ? `${short(value)} ${unit}`.trimEnd() : "—";
}

/** Three significant digits. */
function short(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return Number(value.toPrecision(3)).toString();
}
