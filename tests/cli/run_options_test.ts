import assert from "node:assert/strict";
import { Command } from "commander";
import fc from "fast-check";
import type { CommandContext } from "../../src/cli/context.ts";
import { defineCommands } from "../../src/cli/program.ts";
import { readRunOptions } from "../../src/cli/run_options.ts";

/** What commander reads; `null`: a mistake, or a command. */
async function readByCommander(args: readonly string[]): Promise<Readonly<Record<string, unknown>> | null> {
  const program = new Command("oss-watcher");
  let given: Readonly<Record<string, unknown>> | null = null;
  await defineCommands(program, { args, context: SILENT });
  program.action((options) => given = options);
  await program.parseAsync([...args], { from: "user" }).catch(() => undefined);
  return given;
}

const SILENT = { version: "0", terminal: { print: () => {}, error: () => {} } } as unknown as CommandContext;

const WORDS = ["--dry-run", "--json", "--openstack", "-c", "--config", "--config-file", "--debug", "--help", "-V"];
const VALUES = ["a.json", "-", "--", "", "events", "-x", "--config=a.ts", "-ca.ts", "a b", "--no-such"];

Deno.test("readRunOptions() reads what it takes as commander does", async () => {
  let taken = 0;
  const args = fc.array(fc.constantFrom(...WORDS, ...VALUES), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(args, async (args) => {
      const read = readRunOptions(args);
      if (read === null) return;
      taken++;
      assert.deepEqual(read, { ...await readByCommander(args) });
    }),
    { numRuns: 2000 },
  );
  assert.ok(taken > 100, `only ${taken}`);
});

for (
  const [args, expected] of [
    [[], {}],
    [["--dry-run", "a.json", "--json", "--dry-run", "-"], { dryRun: ["a.json", "-"], json: true }],
    [["-c", "a.ts", "--debug"], { config: "a.ts", debug: true }],
    [["--config-file", "a.conf", "--config-file", "b.conf"], { configFile: ["a.conf", "b.conf"] }],
    [["--config", "a.ts", "--config", "b.ts"], { config: "b.ts" }],
  ] as const
) {
  Deno.test(`readRunOptions() reads: ${args.join(" ")}`, () => assert.deepEqual(readRunOptions(args), expected));
}

for (
  const args of [
    ["events"],
    ["--help"],
    ["--dry-run"],
    ["--dry-run", "--json"],
    ["--config=a.ts"],
    ["--debug", "events"],
    ["--no-such"],
  ]
) {
  Deno.test(`readRunOptions() leaves to commander: ${args.join(" ")}`, () => assert.equal(readRunOptions(args), null));
}
