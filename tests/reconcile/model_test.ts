/**
 * Comparisons against a model of Nova and Neutron (`model/`). Whatever is lost, comes late, fails, or changes while they run: no deletion that they
 * tell is false, and in the end the receiver is right.
 *
 * `RECONCILE_RUNS=100000` plays more runs, `RECONCILE_FROM` other ones. A failure prints its shortest history.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MUTATIONS } from "./model/mutations.ts";
import { play } from "./model/mutate.ts";
import { describe, playRuns } from "./model/runs.ts";

const RUNS = Number(Deno.env.get("RECONCILE_RUNS") ?? 3000);
const FROM = Number(Deno.env.get("RECONCILE_FROM") ?? 1);
/** A broken rule must be noticed by then, from the seed on that is known to notice it. */
const MUTATION_RUNS = 300;

Deno.test("compare() tells no false deletion, and leaves the receiver right, whatever happens meanwhile", async () => {
  const { failure, outcomes } = await playRuns({ from: FROM, count: RUNS });
  assert.equal(failure === null ? null : describe(failure), null);
  const sum = (name: "compared" | "refused" | "differences") =>
    outcomes.reduce((total, outcome) => total + outcome[name], 0);
  // The runs are about something.
  assert.ok(sum("compared") > 2 * RUNS, "comparisons that came to an end");
  assert.ok(sum("refused") > RUNS / 10, "comparisons without a conclusion");
  assert.ok(sum("differences") > RUNS / 5, "differences");
});

for (const mutation of MUTATIONS) {
  Deno.test(`The model notices if ${mutation.name}`, async () => {
    assert.match(await play(mutation, { runs: MUTATION_RUNS }) ?? "nothing", /Violation/);
  });
}
