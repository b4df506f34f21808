import { runProgram } from "./src/cli/program.ts";
import { processTerminal } from "./src/cli/terminal.ts";
import project from "./deno.json" with { type: "json" };

/** Until somebody asks, a signal ends the process at once; from then on the first one asks for a clean end. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      if (stop.signal.aborted) Deno.exit(130);
      stop.abort();
    });
  }
  return stop.signal;
}

const exitCode = await runProgram(Deno.args, {
  version: project.version,
  imports: project.imports,
  terminal: processTerminal,
  builtInConfig: () => import("./config.ts"),
  stopSignal,
});
Deno.exit(exitCode);
