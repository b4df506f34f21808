import { runProgram } from "./src/cli/program.ts";
import { processTerminal } from "./src/cli/terminal.ts";
import project from "./deno.json" with { type: "json" };

const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, () => {
    // The second time somebody means it.
    if (stop.signal.aborted) Deno.exit(130);
    stop.abort();
  });
}

const exitCode = await runProgram(Deno.args, {
  version: project.version,
  terminal: processTerminal,
  builtInConfig: () => import("./config.ts"),
  stop: stop.signal,
});
Deno.exit(exitCode);
