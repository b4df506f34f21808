import type { ProgramOptions } from "./context.ts";
import { run } from "./run.ts";
import { readRunOptions } from "./run_options.ts";

/**
 * Runs what the arguments ask for: the service or a dry run at once, a command by commander.
 * Returns the exit code; every error has been printed.
 */
export async function start(args: readonly string[], options: ProgramOptions): Promise<number> {
  const given = readRunOptions(args);
  if (given === null) {
    const { runProgram } = await import("./program.ts");
    return await runProgram(args, options);
  }
  try {
    return await run(given, { ...options, globals: () => given });
  } catch (error) {
    const { reportError } = await import("./report_error.ts");
    return reportError(error, { debug: given.debug ?? false, terminal: options.terminal });
  }
}
