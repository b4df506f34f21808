import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { slowness } from "../support/cpu.ts";
import { HEAVY_CASES } from "../support/heavy_messages.ts";

const BENCH = fileURLToPath(new URL("../../bench/weights.ts", import.meta.url));

/** What any message of at most 1 MiB may cost; times are of the processor, on a machine whose slowness is 1. */
const BUDGET = { cpuMs: 1000, mib: 100, mb: 20, loopMs: 200 } as const;
/** A machine that is busy makes processors slower, too: the best of so many runs counts. */
const TRIES = 4;

for (const { name, isLong = false } of HEAVY_CASES) {
  Deno.test({
    name: `a message of at most 1 MiB costs no more than any may: ${name}`,
    ignore: isLong,
    fn: async () => {
      let over: readonly string[] = ["it was not weighed"];
      for (let tries = 0; tries < TRIES && over.length > 0; tries++) over = overBudget(await weigh(name), slowness());
      assert.deepEqual(over, []);
    },
  });
}

type Weights = Readonly<Record<keyof typeof BUDGET, number>>;

function overBudget(weighed: Weights, slow: number): readonly string[] {
  return Object.entries(BUDGET).flatMap(([what, most]) => {
    const value = weighed[what as keyof typeof BUDGET];
    const allowed = what === "cpuMs" || what === "loopMs" ? most * slow : most;
    return value <= allowed ? [] : [`${what}: ${value}, more than ${allowed}`];
  });
}

/** In a process of its own, whose memory is nobody else's. */
async function weigh(name: string): Promise<Weights> {
  const args = ["run", "-A", BENCH, name, "--child"];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
