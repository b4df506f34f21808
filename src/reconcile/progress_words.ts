import type { ComparisonProgress } from "./comparison.ts";

/** What a comparison does, for operators. */
export const STEP_WORDS: Readonly<Record<ComparisonProgress["step"], string>> = {
  floatingIps: "Reading floating IPs",
  ports: "Reading ports",
  servers: "Reading servers",
  asking: "Asking for what is not listed",
  waiting: "Waiting before the second question …",
  "asking again": "Asking again",
};

/** How far a comparison is, as `Reading ports: 12 of 40`. */
export function progressWords({ step, done, total }: ComparisonProgress): string {
  if (step === "waiting") return STEP_WORDS.waiting;
  return `${STEP_WORDS[step]}: ${done}${total === null ? "" : ` of ${total}`}`;
}
