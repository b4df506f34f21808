import { type CommandContext, load, stderrLog } from "./context.ts";
import { UsageError } from "./usage.ts";

export interface RunOptions {
  readonly dryRun?: readonly string[];
  readonly json?: boolean;
}

/** Without a command: the service, or with `--dry-run` what it would do. Returns the exit code. */
export async function run({ dryRun: files, json = false }: RunOptions, context: CommandContext): Promise<number> {
  if (json && files === undefined) throw new UsageError("Cannot use --json: it goes with --dry-run FILE");
  if (files !== undefined && files.indexOf("-") !== files.lastIndexOf("-")) {
    throw new UsageError("Cannot read standard input twice: give - once");
  }
  const { config, pluginNames } = await load(context);
  const plugins = new Map(config.plugins.map((plugin, index) => [pluginNames[index] as string, plugin]));
  const log = stderrLog(context.globals());
  if (files !== undefined) {
    const { dryRun } = await import("./dry_run.ts");
    return await dryRun(files, { config, plugins, log, terminal: context.terminal, json });
  }
  const [{ runService }, { systemClock }] = await Promise.all([
    import("../runtime/app.ts"),
    import("../runtime/clock.ts"),
  ]);
  await runService({ config, plugins, clock: systemClock, random: Math.random, log, stop: context.stopSignal() });
  return 0;
}
