import {
  type Change,
  CHANGES,
  type ComparisonOutcome,
  type ComparisonReport,
  type Difference,
} from "../model/comparison.ts";
import type { Plan } from "./comparison.ts";

/** Differences that the ledger keeps of one comparison. */
const MAX_KEPT = 1000;

/** When and why a comparison was made. */
export interface Occasion {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly why: string;
  /** As in `ComparisonReport`. @default false */
  readonly isByHand?: boolean;
  /** As well. @default false */
  readonly isPartial?: boolean;
}

/** The report of a comparison that came to an end. */
export function reportOf(
  plan: Plan,
  { outcome, problem = null, isByHand = false, isPartial = false, ...occasion }: Occasion & {
    readonly outcome: ComparisonOutcome;
    readonly problem?: string | null;
  },
): ComparisonReport {
  const { scope, isFull, found, differences, unanswered } = plan;
  return {
    ...occasion,
    isFull,
    isByHand,
    isPartial,
    outcome,
    problem,
    scope,
    found,
    drift: driftOf(differences),
    corrected: plan.observations.length - differences.length,
    undecided: unanswered,
    differences: differences.slice(0, MAX_KEPT),
  };
}

/** The report of a comparison that did not come to an end. */
export function failedReport(
  problem: string,
  { isFull, isByHand = false, ...occasion }: Occasion & { readonly isFull: boolean },
): ComparisonReport {
  return {
    ...occasion,
    isFull,
    isByHand,
    isPartial: false,
    outcome: "failed",
    problem,
    scope: null,
    found: { floatingIps: 0, ports: 0, servers: 0 },
    drift: driftOf([]),
    corrected: 0,
    undecided: 0,
    differences: [],
  };
}

/** Differences by kind. */
export function driftOf(differences: readonly Difference[]): Readonly<Record<Change, number>> {
  const drift: Record<Change, number> = { untold: 0, gone: 0, moved: 0, changed: 0 };
  for (const { change } of differences) drift[change]++;
  return drift;
}

/** What was found, in words, as `3 never told, 1 gone`. */
export function describeDrift({ drift, undecided }: Pick<ComparisonReport, "drift" | "undecided">): string {
  const counted = CHANGES.filter((change) => drift[change] > 0).map((change) => `${drift[change]} ${WORDS[change]}`);
  const open = undecided === 0 ? [] : [`${undecided} without an answer`];
  return [...counted, ...open].join(", ") || "in agreement";
}

const WORDS: Readonly<Record<Change, string>> = {
  untold: "never told",
  gone: "gone",
  moved: "moved",
  changed: "changed",
};
