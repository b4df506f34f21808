import { dirname } from "node:path";
import { Command } from "commander";
import { ComparisonCounts } from "../inspect/compare/comparison_counts.ts";
import { shellWord } from "../wire/escaping/shell_word.ts";
import { type CommandContext, EXIT_DIFFERENCES, EXIT_FAILURE, type GlobalOptions, load, stderrLog } from "./context.ts";
import { findHistories, type History, namedHistories } from "./histories.ts";
import type { HistoryResult } from "./test_history.ts";
import { UsageError } from "./usage.ts";
import { writeText } from "./write_failure.ts";

interface TestCommandOptions {
  readonly update?: boolean;
  readonly junit?: string;
}

/**
 * `test`: recorded histories are replayed, and what would be sent is compared with what is expected.
 * (A file of the command's own name would be a test of ours for Deno.)
 */
export function testCommand(context: CommandContext): Command {
  return new Command("test")
    .description(
      "Replay each history in tests/ beside the configuration (NAME.jsonl, as oss-watcher record writes it), and compare " +
        "what plugins would send with NAME.expected.json. Sends nothing, and asks neither RabbitMQ nor OpenStack.",
    )
    .argument("[history...]", "only these")
    .option("--update", "write what would be sent as what is expected")
    .option("--junit <file>", "also write a report in JUnit's form, for CI")
    .addHelpText("after", HELP)
    .action(async (files: readonly string[], options: TestCommandOptions) => {
      context.exit(await run(files, { options, context }));
    });
}

const HELP = `
Examples:
  oss-watcher record tests/life.jsonl --seconds 60
  oss-watcher test --update
  oss-watcher test

--update removes no file.

Exit codes: 0 all is as expected, or was written; 3 something is not; 1 bad
input or configuration.`;

async function run(
  files: readonly string[],
  { options: { update = false, junit }, context }: {
    readonly options: TestCommandOptions;
    readonly context: CommandContext;
  },
): Promise<number> {
  if (update && junit !== undefined) {
    throw new UsageError("Cannot use --junit with --update: nothing is tested then. Leave one of them out");
  }
  const { terminal } = context;
  const cwd = Deno.cwd();
  const loaded = await load(context);
  const configDir = loaded.path === null ? cwd : dirname(loaded.path);
  const { histories, orphans } = files.length > 0 ? namedHistories(files, cwd) : await findHistories(configDir, cwd);
  const [{ testHistory }, { describeHistory, describeTotals, junitCase }] = await Promise.all([
    import("./test_history.ts"),
    import("./test_text.ts"),
  ]);
  const log = stderrLog(context.globals(), "warn");
  const describing = { terminal, configOptions: configOptions(context.globals()) };
  const results: HistoryResult[] = [];
  const take = (result: HistoryResult) => {
    results.push(result);
    terminal.print(describeHistory(result, describing));
  };
  for (const history of histories) take(await testHistory(history, { loaded, log, update }));
  for (const orphan of orphans) take(orphanResult(orphan));
  terminal.print(describeTotals(results));
  if (junit !== undefined) {
    const { junitReport } = await import("./junit.ts");
    await writeText(junit, junitReport(results.map((result) => junitCase(result, describing))));
  }
  return exitCodeOf(results);
}

function orphanResult(history: History): HistoryResult {
  const counts = new ComparisonCounts();
  return { history, outcome: "orphan", events: 0, differences: [], counts, reasons: [], durationMs: 0 };
}

function exitCodeOf(results: readonly HistoryResult[]): number {
  const outcomes = results.map(({ outcome }) => outcome);
  if (outcomes.includes("broken")) return EXIT_FAILURE;
  return outcomes.every((outcome) => GOOD.includes(outcome)) ? 0 : EXIT_DIFFERENCES;
}

const GOOD: readonly HistoryResult["outcome"][] = ["passed", "written", "kept"];

/** So that a command that is shown can be copied. */
function configOptions({ config, configFile = [] }: GlobalOptions): string {
  const given = [
    ...config === undefined ? [] : ["--config", config],
    ...configFile.flatMap((f) => ["--config-file", f]),
  ];
  return given.map((word) => `${shellWord(word)} `).join("");
}
