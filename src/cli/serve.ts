import type { Config } from "../model/config.ts";
import type { Logger, Plugin } from "../model/plugin.ts";
import { runService } from "../runtime/app.ts";
import { systemClock } from "../runtime/clock.ts";
import type { CommandContext } from "./context.ts";
import { serviceLog } from "./service_log.ts";

/** What was read before anything was started. */
export interface Loaded {
  readonly config: Config;
  readonly plugins: ReadonlyMap<string, Plugin>;
  readonly loadedLines: readonly string[];
  readonly warnings: readonly string[];
}

/** The service, until it is told to stop. */
export async function serve(
  { warnings, ...loaded }: Loaded,
  context: CommandContext,
): Promise<void> {
  const stop = context.stopSignal();
  using target = serviceLog(loaded.config.log, context.globals());
  const { log } = target;
  outliveLooseRejections(log("service"));
  for (const warning of warnings) log("config").warn(warning);
  try {
    const { version } = context;
    await runService({ ...loaded, version, clock: systemClock, random: Math.random, log, stop });
  } catch (error) {
    // Whoever reads the file only must find the end of it there, too.
    if (target.toFile) log("service").error(`Ended: ${error instanceof Error ? error.message : error}`);
    throw error;
  }
}

/** A promise that a plugin started and forgot must not end the others' work; the stages wait for all of theirs. */
function outliveLooseRejections(log: Logger): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    const { reason } = event;
    log.error(`A promise that nobody waited for was rejected: ${reason instanceof Error ? reason.message : reason}`);
  });
}
