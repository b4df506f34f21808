import type { Change, ComparisonReport, Difference, PastComparisons, Undecided } from "../model/comparison.ts";
import { duration } from "../observe/duration.ts";
import type { ComparisonProgress, Plan } from "../reconcile/comparison.ts";
import { STEP_WORDS } from "../reconcile/progress_words.ts";
import { describeDrift } from "../reconcile/report.ts";
import { printable } from "../wire/escaping/printable.ts";
import { coloured, type Terminal } from "./terminal.ts";
import { wrapped } from "./wrapped.ts";

interface Compared {
  readonly report: ComparisonReport;
  readonly plan: Plan;
  readonly terminal: Terminal;
  /** The options that the next command needs, too, as `--accept-scope`; empty for none. */
  readonly flags?: string;
}

const SIGNS: Readonly<Record<Change, { readonly sign: string; readonly colour: "green" | "red" | "yellow" }>> = {
  untold: { sign: "+", colour: "green" },
  gone: { sign: "-", colour: "red" },
  moved: { sign: "~", colour: "yellow" },
  changed: { sign: "*", colour: "yellow" },
};

const SUBJECTS: Readonly<Record<Undecided["subject"], string>> = {
  server: "server",
  floatingip: "floating IP",
  port: "port",
};

/** A comparison as a plan: each difference with its events and evidence, then counts. */
export function describeComparison({ report, plan, terminal, flags = "" }: Compared): string {
  const { differences, undecided } = plan;
  return [
    ...differences.flatMap((difference) => [...describeDifference(difference, terminal), ""]),
    ...(undecided.length > 0 ? [...describeUndecided(undecided), ""] : []),
    ...(differences.length > 0 ? [LEGEND, ""] : []),
    ...wrapped(summary(report, plan), { indent: 2 }),
    ...(plan.seesAllProjects ? [] : wrapped(UNSEEN, { indent: 2 })),
    ...conclusion(report, flags),
  ].join("\n");
}

const LEGEND = "+ never told, - gone, ~ moved to another server, * changed";

const UNSEEN =
  "The account is not proven to see the resources of all projects: nothing is concluded about what is gone from others.";

function describeDifference({ change, subject, id, name, address, keys, evidence }: Difference, terminal: Terminal) {
  const { sign, colour } = SIGNS[change];
  const known = [name, address].filter((one) => one !== null).join("  ");
  return [
    coloured(printable(`${sign} ${SUBJECTS[subject]}  ${id}  ${known}`.trimEnd()), colour, terminal),
    ...evidence.flatMap((sentence) => wrapped(printable(`    ${sentence}`), { indent: 4 })),
    ...keys.map((key) => printable(`    → ${key}`)),
  ];
}

function describeUndecided(undecided: readonly Undecided[]): string[] {
  return [
    "Nothing is concluded about:",
    ...undecided.flatMap(({ subject, id, reason }) =>
      wrapped(printable(`  ${SUBJECTS[subject]}  ${id}: ${reason}`), { indent: 4 })
    ),
  ];
}

function summary(report: ComparisonReport, { found }: Plan): string {
  const { corrected, startedAt, endedAt } = report;
  const seconds = Math.round((endedAt - startedAt) / 1000);
  const rows = corrected === 1 ? "1 row of memory alone is" : `${corrected} rows of memory alone are`;
  const memory = corrected === 0 ? "" : `; ${rows} out of date`;
  return `Compared ${found.servers} servers, ${found.ports} ports, ${found.floatingIps} floating IPs in ${seconds} s: ` +
    `${describeDrift(report)}${memory}.`;
}

function conclusion({ outcome, problem }: ComparisonReport, flags: string): readonly string[] {
  const apply = ["oss-watcher reconcile", flags, "--apply"].filter((part) => part !== "").join(" ");
  switch (outcome) {
    case "applied":
      return wrapped("It is recorded; the service tells it, in order. See: oss-watcher events", { indent: 2 });
    case "planned":
    case "withheld":
      return wrapped(
        problem === null
          ? `Nothing was told. To tell it: ${apply}`
          : `Nothing was told: ${problem}. If that is right: ${apply} --force`,
        { indent: 2 },
      );
    default:
      return [];
  }
}

/** When memory was last compared with OpenStack, and what was found. */
export function describeComparisons({ beganAt, restoredAt, last, agreedAt }: PastComparisons, now: number): string {
  if (beganAt === null) return "OpenStack: the ledger has not read yet what is there.";
  const agreed = agreedAt === null
    ? "OpenStack: no comparison of what targets were told with it was complete yet."
    : `OpenStack: what targets were told agreed with it ${duration(now - agreedAt)} ago.`;
  return [
    ...wrapped(agreed, { indent: 2 }),
    ...(last === null ? [] : wrapped(printable(describeLast(last, now)), { indent: 2 })),
    ...(restoredAt === null
      ? []
      : wrapped("The ledger was restored from a backup, or copied, and not compared since.", { indent: 2 })),
  ].join("\n");
}

function describeLast(report: ComparisonReport, now: number): string {
  const { outcome, problem, endedAt } = report;
  const how = problem === null ? describeDrift(report) : problem;
  return `The last comparison was ${duration(now - endedAt)} ago: ${outcome}, ${how}.`;
}

/** A state of the progress line. */
export function describeProgress({ step, done, total }: ComparisonProgress): string {
  if (step === "waiting") return STEP_WORDS.waiting;
  const bar = total === null || total === 0 ? "" : ` ${barOf(Math.min(1, done / total))}`;
  return `${STEP_WORDS[step]}${bar} ${done}${total === null ? "" : ` of ${total}`}`;
}

const BAR_WIDTH = 24;

function barOf(share: number): string {
  const full = Math.round(share * BAR_WIDTH);
  return `[${"#".repeat(full)}${".".repeat(BAR_WIDTH - full)}]`;
}
