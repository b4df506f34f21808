/**
 * Plays runs of the model, and fails with the first history that breaks a rule.
 *
 *     deno run -A tests/reconcile/model/main.ts --from 1 --runs 100000
 *
 * @module
 */

import { parseArgs } from "node:util";
import { describe, playRuns } from "./runs.ts";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    runs: { type: "string", default: "3000" },
    quick: { type: "boolean", default: false },
  },
});
const startedAt = performance.now();
const { failure, outcomes } = await playRuns({
  from: Number(values.from),
  count: Number(values.runs),
  isShortened: !values.quick,
});
const sum = (name: keyof typeof outcomes[number]) => outcomes.reduce((total, one) => total + one[name], 0);
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
const did = `${sum("compared")} comparisons, ${sum("refused")} without conclusion, ${sum("differences")} differences`;
say(`${outcomes.length} runs in ${seconds} s: ${did}`);
if (failure !== null) {
  say(describe(failure));
  Deno.exit(1);
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
