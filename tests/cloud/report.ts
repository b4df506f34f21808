// The table of fields × events, and what differed.

export interface Finding {
  readonly field: string;
  readonly wanted: unknown;
  readonly got: unknown;
  readonly isRight: boolean;
}

/** One call of the plugin, held against the APIs, or against the call of the beginning. */
export interface Comparison {
  readonly event: typeof EVENTS[number];
  readonly key: string;
  readonly title: string;
  readonly findings: readonly Finding[];
}

export const EVENTS = [
  ...["came", "changed", "began", "ended", "went"] as const,
  ...["ended = began", "went = came", "record"] as const,
] as const;

export const LEGEND =
  "came, went: servers; began, ended: associations of floating IPs. Held against what the APIs said at that time,\n" +
  "and an end against its beginning; record: what nova_dirsvc_plugin's hooks gave, made from the detail";

/** Rows are fields, columns events; a cell says how many calls had it right. */
export function tableOf(comparisons: readonly Comparison[]): string {
  const events = EVENTS.filter((event) => comparisons.some((one) => one.event === event));
  const fields = [...new Set(comparisons.flatMap(({ findings }) => findings.map(({ field }) => field)))];
  const rows = [
    ["", ...events],
    ...fields.map((field) => [field, ...events.map((event) => cell(comparisons, event, field))]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((text, column) => text.padEnd(widths[column]!)).join("  ").trimEnd()).join("\n");
}

export function differencesOf(comparisons: readonly Comparison[]): string[] {
  return comparisons.flatMap(({ event, key, title, findings }) =>
    findings.filter(({ isRight }) => !isRight).map(({ field, wanted, got }) =>
      `${title}: ${field} of ${key} (${event}) is ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`
    )
  );
}

function cell(comparisons: readonly Comparison[], event: string, field: string): string {
  const findings = comparisons.filter((one) => one.event === event)
    .flatMap((one) => one.findings.filter((finding) => finding.field === field));
  if (findings.length === 0) return "";
  const wrong = findings.filter(({ isRight }) => !isRight).length;
  return wrong === 0 ? `✓ ${findings.length}` : `✗ ${wrong} of ${findings.length}`;
}
