import { ConsoleWorker } from "../console/worker/serve.ts";
import type { FromWorker, ToWorker } from "../console/worker_messages.ts";
import { systemClock } from "../runtime/clock.ts";
import { redact } from "../wire/secrets/redact.ts";
import { type GlobalOptions, load, type LoadSources } from "./context.ts";
import { serviceLog } from "./service_log.ts";

/** The global scope of the isolate: its side of the messages. */
export interface ConsoleWorkerScope {
  postMessage(message: FromWorker, transfer?: readonly Transferable[]): void;
  addEventListener(name: "message", listener: (event: MessageEvent<ToWorker>) => void): void;
  addEventListener(name: "error", listener: (event: ErrorEvent) => void): void;
}

export interface ServeConsoleWorkerOptions extends Omit<LoadSources, "globals"> {
  readonly scope: ConsoleWorkerScope;
}

/** The console's worker: loads the configuration for itself, then answers one call after the other. */
export function serveConsoleWorker({ scope, ...sources }: ServeConsoleWorkerOptions): void {
  let worker: Promise<ConsoleWorker> | undefined;
  const failed = (error: unknown) => scope.postMessage({ kind: "failed", error: redact(textOf(error)) });
  scope.addEventListener("message", async ({ data }) => {
    if (data.kind === "load") {
      worker = begin(scope, { ...sources, globals: () => data.globals as GlobalOptions });
      return void worker.catch(failed);
    }
    const answer = await (await worker)?.answer(data.call);
    if (answer !== undefined) scope.postMessage({ kind: "answer", id: data.id, answer }, [answer.body.buffer]);
  });
  // An error that no promise carries. Only this isolate knows which values are secrets.
  scope.addEventListener("error", (event) => {
    event.preventDefault();
    failed(event.error ?? event.message);
  });
  scope.postMessage({ kind: "here" });
}

async function begin(scope: ConsoleWorkerScope, sources: LoadSources): Promise<ConsoleWorker> {
  const loaded = await load(sources);
  const { log } = serviceLog(loaded.config.log, sources.globals());
  // A plugin may forget a promise.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log("console").error(`A promise that nobody waited for was rejected: ${textOf(event.reason)}`);
  });
  return new ConsoleWorker({
    loaded,
    clock: systemClock,
    random: Math.random,
    log,
    onBusy: (isBusy) => scope.postMessage({ kind: "busy", isBusy }),
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
