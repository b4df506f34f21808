import { documentsFrom } from "../runtime/documents.ts";
import { load, type LoadSources, stderrLog } from "./context.ts";
import { historyBytes } from "./history_file.ts";
import type { FromReplay, ToReplay } from "./replay_messages.ts";
import { ReplayedParts } from "./replayed_parts.ts";
import { reproducibleRun } from "./reproducible_run.ts";
import { failure } from "./worker_failure.ts";

/** The global scope of the isolate: its side of the messages. */
export interface ReplayScope {
  postMessage(message: FromReplay): void;
  addEventListener(name: "message", listener: (event: MessageEvent<ToReplay>) => void): void;
  addEventListener(name: "error", listener: (event: ErrorEvent) => void): void;
}

export interface ServeReplayOptions extends Omit<LoadSources, "globals"> {
  readonly scope: ReplayScope;
}

/**
 * One side of `diff`, in an isolate of its own: two configurations that import the same module must
 * not see what the other one did to it. The recording is read here, too: it may be of any size.
 */
export function serveReplay({ scope, ...sources }: ServeReplayOptions): void {
  let parts: ReplayedParts | undefined;
  const answer = async ({ data }: MessageEvent<ToReplay>): Promise<FromReplay> => {
    if (data.kind === "next") return await (parts as ReplayedParts).next();
    const { globals, label, recording } = data;
    const loaded = await load({ ...sources, globals: () => globals });
    const log = stderrLog(globals, "warn");
    const run = reproducibleRun(loaded, (part) => log(`${label}: ${part}`));
    const [file, input] = "file" in recording ? [recording.file, undefined] : ["-", recording.input];
    const bytes = historyBytes(file, () => Promise.resolve(input ?? new Uint8Array()));
    parts = new ReplayedParts(run, documentsFrom(bytes));
    return { kind: "loaded", plugins: loaded.pluginNames };
  };
  scope.addEventListener("message", async (event) => scope.postMessage(await answer(event).catch(failure)));
  // An error that no promise carries.
  scope.addEventListener("error", (event) => {
    event.preventDefault();
    scope.postMessage(failure(event.error ?? event.message));
  });
  scope.postMessage({ kind: "here" });
}
