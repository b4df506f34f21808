import { processTerminal } from "./src/cli/terminal.ts";
import type { ConsoleWorkerScope } from "./src/cli/console_worker.ts";
import type { IsolatePurpose } from "./src/cli/context.ts";
import type { ReplayScope } from "./src/cli/replay_worker.ts";
import type { InstanceScope } from "./src/cli/instance_worker.ts";
import project from "./deno.json" with { type: "json" };

/** Windows knows no SIGTERM, and refuses to listen for it. */
const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGBREAK", "SIGINT"]
  : ["SIGTERM", "SIGINT"];

const stop = new AbortController();

/**
 * Until somebody asks, a signal ends the process at once; from then on the first one asks for a
 * clean end.
 */
function stopSignal(): AbortSignal {
  for (const signal of STOP_SIGNALS) {
    Deno.addSignalListener(signal, () => {
      if (stop.signal.aborted) Deno.exit(130);
      stop.abort();
    });
  }
  return stop.signal;
}

/**
 * Calls back at SIGHUP, unless it says that the terminal went in which the program was started:
 * that is an end.
 */
function onReload(listener: () => void): void {
  if (Deno.build.os === "windows") return;
  const inTerminal = Deno.stdin.isTerminal();
  Deno.addSignalListener("SIGHUP", () => {
    if (inTerminal && !Deno.stdin.isTerminal()) stop.abort();
    else listener();
  });
}

/** The isolate's name says what it is for. */
function newIsolate(purpose: IsolatePurpose): Worker {
  return new Worker(import.meta.url, { type: "module", name: purpose });
}

/** What configurations are loaded with, in the process and in each isolate. */
const sources = {
  version: project.version,
  builtInConfig: () => import("./config.ts"),
  builtInPlugins: async () => {
    const [{ RestNotify }, { EventLog }] = await Promise.all([
      import("./plugins/rest_notify.ts"),
      import("./plugins/event_log.ts"),
    ]);
    return { RestNotify, EventLog };
  },
};

async function main(args: readonly string[]): Promise<number> {
  const [first = "", ...rest] = args;
  // Scripts ask for it again and again, and it takes nothing of the program.
  if ((first === "--version" || first === "-V") && rest.length === 0) {
    processTerminal.print(project.version);
    return 0;
  }
  // To open a browser.
  if (!args.includes("console")) Deno.permissions.revokeSync({ name: "run" });
  const { start } = await import("./src/cli/start.ts");
  return await start(args, {
    ...sources,
    imports: project.imports,
    terminal: processTerminal,
    stopSignal,
    onReload,
    newIsolate,
  });
}

if ("WorkerGlobalScope" in globalThis) {
  const purpose: string = self.name;
  if (purpose === "console") {
    const { serveConsoleWorker } = await import("./src/cli/console_worker.ts");
    serveConsoleWorker({ ...sources, scope: self as unknown as ConsoleWorkerScope });
  } else if (purpose === "replay") {
    const { serveReplay } = await import("./src/cli/replay_worker.ts");
    serveReplay({ ...sources, scope: self as unknown as ReplayScope });
  } else {
    const { serveInWorker } = await import("./src/cli/instance_worker.ts");
    serveInWorker({ ...sources, newIsolate, scope: self as unknown as InstanceScope });
  }
} else {
  // Deno trusts Mozilla's list alone unless told so before the first connection; an operator's own
  // authority is in the system's.
  if (!Deno.env.has("DENO_TLS_CA_STORE")) Deno.env.set("DENO_TLS_CA_STORE", "mozilla,system");
  Deno.exit(await main(Deno.args));
}
