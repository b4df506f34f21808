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

async function main(args: readonly string[]): Promise<number> {
  const [first = "", ...rest] = args;
  // Scripts ask for it again and again, and it takes nothing of the program.
  if ((first === "--version" || first === "-V") && rest.length === 0) {
    processTerminal.print(project.version);
    return 0;
  }
  const { runProgram } = await import("./src/cli/program.ts");
  return await runProgram(args, {
    version: project.version,
    imports: project.imports,
    terminal: processTerminal,
    builtInConfig: () => import("./config.ts"),
    stopSignal,
  });
}

Deno.exit(await main(Deno.args));
