import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { HEAVY_CASES } from "../support/heavy_messages.ts";

const BENCH = fileURLToPath(new URL("../../bench/weights.ts", import.meta.url));

/** What any message of at most 1 MiB may cost. */
const BUDGET = { cpuMs: 1000, mib: 100, mb: 20, loopMs: 200 } as const;
/** A machine that is busy makes processors slower, too: the best of so many runs counts. */
const TRIES = 4;

for (const { name, isLong = false } of HEAVY_CASES) {
  Deno.test({
    name: `a message of at most 1 MiB costs no more than any may: ${name}`,
    ignore: isLong,
    fn: async () => {
      let over: readonly string[] = ["it was not weighed"];
      for (let tries = 0; tries < TRIES && over.length > 0; tries++) over = overBudget(await weigh(name));
      assert.deepEqual(over, []);
    },
  });
}

type Weights = Readonly<Record<keyof typeof BUDGET, number>>;

function overBudget(weighed: Weights): readonly string[] {
  return Object.entries(BUDGET).flatMap(([what, most]) => {
    const value = weighed[what as keyof typeof BUDGET];
    return value <= most ? [] : [`${what}: ${value}, more than ${most}`];
  });
}

/** In a process of its own, whose memory is nobody else's. */
async function weigh(name: string): Promise<Weights> {
  const args = ["run", "-A", BENCH, name, "--child"];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
