import type { LoadedConfig } from "../config/load_config.ts";
import { ConfigError, UserError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import { redact } from "../wire/secrets/redact.ts";
import { checkLoaded } from "./check.ts";
import { load, type LoadSources } from "./context.ts";
import { LocalShift } from "./service_instance.ts";
import type { FromShift, ToShift } from "./instance_messages.ts";

/** The end of the line in the isolate. */
export interface ShiftScope {
  postMessage(message: FromShift): void;
  addEventListener(name: "message", listener: (event: MessageEvent<ToShift>) => void): void;
  addEventListener(name: "error", listener: (event: ErrorEvent) => void): void;
}

export interface ShiftWorkerOptions extends Omit<LoadSources, "globals"> {
  readonly scope: ShiftScope;
  readonly version: string;
}

/**
 * One shift in an isolate of its own, which has read nothing yet: config.ts, plugins and all that they import are read from the disk as
 * they are now.
 */
export function serveInWorker({ scope, version, ...sources }: ShiftWorkerOptions): void {
  let shift: LocalShift | undefined;
  const answer = async ({ data }: MessageEvent<ToShift>): Promise<FromShift | null> => {
    if (data.kind === "load") {
      const { globals } = data;
      const loaded = await loadChecked({ ...sources, globals: () => globals });
      shift = new LocalShift(loaded, { version, globals });
      return { kind: "loaded", log: shift.log };
    }
    if (data.kind === "stop") {
      shift?.stop();
      return null;
    }
    await shift?.run();
    return { kind: "ended" };
  };
  scope.addEventListener("message", async (event) => {
    const message = await answer(event).catch(failure);
    if (message !== null) scope.postMessage(message);
  });
  // Thrown where nobody waits. Only here is it known which values are secrets.
  scope.addEventListener("error", (event) => {
    event.preventDefault();
    scope.postMessage(failure(event.error ?? event.message));
  });
  scope.postMessage({ kind: "here" });
}

/** What the command `check` would find: its errors are refused, its warnings are what the service begins its log with. */
async function loadChecked(sources: LoadSources): Promise<LoadedConfig> {
  const loaded = await load(sources);
  const findings = await checkLoaded(loaded);
  const lines = (level: Finding["level"]) =>
    findings.filter((finding) => finding.level === level).map(({ key, text }) => `${key}: ${text}`);
  const errors = lines("error");
  if (errors.length > 0) throw new ConfigError(`Cannot use "${loaded.path ?? "the configuration"}":`, errors);
  return { ...loaded, warnings: lines("warning") };
}

function failure(error: unknown): FromShift {
  const text = error instanceof Error ? error.message : String(error);
  return { kind: "failed", error: redact(text), isUsers: error instanceof UserError };
}
