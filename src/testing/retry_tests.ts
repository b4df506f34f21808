import assert from "node:assert/strict";
import type { FailureReason } from "../../mod.ts";
import { textOf, type Verdict } from "./attempt.ts";
import type { ContractTest, PluginContract, TargetAnswer } from "./contract.ts";
import { sampleEvent } from "./sample_event.ts";
import { Stage, subjectsOf } from "./stage.ts";
import type { Behaviour, TargetHarness } from "./target_harness.ts";

/** One row of the retry table. */
export interface BehaviourRow {
  readonly behaviour: Behaviour;
  readonly when: string;
  readonly outcome: "retry" | "permanent";
  readonly reason?: FailureReason;
}

/** The outcome that each {@linkcode Behaviour} must have. */
export const BEHAVIOUR_ROWS: readonly BehaviourRow[] = [
  { behaviour: "down", when: "is down", outcome: "retry", reason: "connection" },
  { behaviour: "breaks", when: "cuts the connection", outcome: "retry", reason: "connection" },
  { behaviour: "unauthorized", when: "does not know us", outcome: "retry", reason: "unauthorized" },
  { behaviour: "busy", when: "is busy", outcome: "retry" },
  { behaviour: "fails", when: "has an error of its own", outcome: "retry" },
  { behaviour: "refuses", when: "will never take the event", outcome: "permanent" },
];

/** The next step in the message about a wrong reason. */
const ADVICE: Readonly<Partial<Record<FailureReason, string>>> = {
  connection: `; throw a DeliveryError with reason "connection", or let HttpTarget do so`,
  unauthorized: `; throw a DeliveryError with reason "unauthorized", or let HttpTarget do so`,
};

/** The retry table: from the target's behaviour to the outcome of the delivery. */
export function retryTests<Target extends TargetHarness>(contract: PluginContract<Target>): ContractTest[] {
  return [
    ...BEHAVIOUR_ROWS.map((row) => behaviourTest(contract, row)),
    ...(contract.answers ?? []).map((answer) => answerTest(contract, answer)),
  ];
}

function behaviourTest<Target extends TargetHarness>(
  contract: PluginContract<Target>,
  row: BehaviourRow,
): ContractTest {
  const { behaviour, when, outcome } = row;
  const skipped = contract.cannot?.[behaviour];
  return {
    name: `notify() ${outcomeText(outcome)} when the target ${when}`,
    ...(skipped === undefined ? {} : { skipped }),
    run: () => fall(contract, { ...row, prepare: (target) => target.behave(behaviour) }),
  };
}

function answerTest<Target extends TargetHarness>(
  contract: PluginContract<Target>,
  answer: TargetAnswer<Target>,
): ContractTest {
  const name = `notify() ${outcomeText(answer.outcome)} when the target ${answer.name}`;
  return { name, run: () => fall(contract, answer) };
}

/**
 * Delivers a creation and a deletion to the prepared target, then again once it accepts: the same
 * plugin instance must recover.
 */
async function fall<Target extends TargetHarness>(
  contract: PluginContract<Target>,
  expected: Omit<TargetAnswer<Target>, "name">,
): Promise<void> {
  const subject = subjectsOf(contract)[0] ?? "server";
  for (const created of [true, false]) {
    await using stage = await Stage.open(contract);
    const event = sampleEvent({ subject, created });
    if (!created) await stage.succeed(sampleEvent({ subject }));
    const before = await stage.taken();
    await expected.prepare(stage.target);
    let verdict = await stage.attempt(event);
    // The plugin may notice only here that an earlier connection has ended.
    if (expected.reason === "unauthorized" && verdict.reason === "connection") verdict = await stage.attempt(event);
    if (created || !expected.isAbsence || verdict.outcome !== "done") assertVerdict(verdict, expected);
    await stage.target.behave("accepts");
    await stage.succeed(event);
    if (created) assert.equal((await stage.taken()).length - before.length, 1, "the target did not take it in the end");
  }
}

/** For the names of tests. */
export function outcomeText(outcome: TargetAnswer<TargetHarness>["outcome"]): string {
  return { done: "is done", retry: "fails, to be tried again,", permanent: "fails, for good," }[outcome];
}

/** Fails unless an attempt ended as expected. */
export function assertVerdict(
  { outcome, reason, retryAfterMs, error }: Verdict,
  expected: Pick<TargetAnswer<TargetHarness>, "outcome" | "reason" | "retryAfterMs">,
): void {
  const said = error === undefined ? "" : ` (${textOf(error)})`;
  assert.equal(outcome, expected.outcome, `the outcome is ${outcome}, not ${expected.outcome}${said}`);
  if (expected.reason !== undefined) {
    const advice = ADVICE[expected.reason] ?? "";
    assert.equal(reason, expected.reason, `the reason is ${reason}, not ${expected.reason}${said}${advice}`);
  }
  if (expected.retryAfterMs !== undefined) assert.equal(retryAfterMs, expected.retryAfterMs, "retryAfterMs");
}
