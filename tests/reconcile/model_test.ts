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
/**
 * Runs by which a broken rule must be noticed, from a seed on that is known to notice it. When the model has changed, other seeds do:
 * `RECONCILE_MUTATION_RUNS=60000` looks for them from the first one on.
 */
const MUTATION_RUNS = Number(Deno.env.get("RECONCILE_MUTATION_RUNS") ?? 500);

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
  const from = MUTATION_RUNS > 500 ? 1 : mutation.from ?? 1;
  Deno.test(`The model notices if ${mutation.name}`, async () => {
    const noticed = await play({ ...mutation, from }, { runs: MUTATION_RUNS });
    assert.notEqual(noticed, null);
  });
}
