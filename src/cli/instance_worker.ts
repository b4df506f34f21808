import type { LoadedConfig } from "../config/load_config.ts";
import { ConfigError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import { checkLoaded } from "./check.ts";
import { load, type LoadSources, type NewIsolate } from "./context.ts";
import { LocalInstance } from "./service_instance.ts";
import type { FromInstance, ToInstance } from "./instance_messages.ts";
import { failure } from "./worker_failure.ts";

/** The global scope of the isolate: its side of the messages. */
export interface InstanceScope {
  postMessage(message: FromInstance): void;
  addEventListener(name: "message", listener: (event: MessageEvent<ToInstance>) => void): void;
  addEventListener(name: "error", listener: (event: ErrorEvent) => void): void;
}

export interface InstanceWorkerOptions extends Omit<LoadSources, "globals"> {
  readonly scope: InstanceScope;
  readonly version: string;
  readonly newIsolate: NewIsolate;
}

/**
 * One instance in an isolate of its own, which has read nothing yet: config.ts, plugins and all
 * that they import are read from the disk when it is loaded.
 */
export function serveInWorker({ scope, version, newIsolate, ...sources }: InstanceWorkerOptions): void {
  let instance: LocalInstance | undefined;
  const answer = async ({ data }: MessageEvent<ToInstance>): Promise<FromInstance | null> => {
    if (data.kind === "load") {
      const { globals } = data;
      const loaded = await loadChecked({ ...sources, globals: () => globals });
      const onNewSecrets = () => scope.postMessage({ kind: "new-secrets" });
      instance = new LocalInstance(loaded, { version, globals, newIsolate, onNewSecrets });
      return { kind: "loaded", log: instance.log };
    }
    if (data.kind === "stop") {
      instance?.stop();
      return null;
    }
    await instance?.run();
    return { kind: "ended" };
  };
  scope.addEventListener("message", async (event) => {
    const message = await answer(event).catch(failure);
    if (message !== null) scope.postMessage(message);
  });
  // An error that no promise carries. Only this isolate knows which values are secrets.
  scope.addEventListener("error", (event) => {
    event.preventDefault();
    scope.postMessage(failure(event.error ?? event.message));
  });
  scope.postMessage({ kind: "here" });
}

/**
 * Loads and checks as the command `check` does. Errors are refused; warnings are the first lines of
 * the service's log.
 */
async function loadChecked(sources: LoadSources): Promise<LoadedConfig> {
  const loaded = await load(sources);
  const findings = await checkLoaded(loaded);
  const lines = (level: Finding["level"]) =>
    findings.filter((finding) => finding.level === level).map(({ key, text }) => `${key}: ${text}`);
  const errors = lines("error");
  if (errors.length > 0) throw new ConfigError(`Cannot use "${loaded.path ?? "the configuration"}":`, errors);
  return { ...loaded, warnings: lines("warning") };
}
