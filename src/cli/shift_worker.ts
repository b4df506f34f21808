import { UserError } from "../model/errors.ts";
import { mustBeRunnable } from "../runtime/app.ts";
import { redact } from "../wire/redact.ts";
import { load, type LoadSources } from "./context.ts";
import { serviceLog } from "./service_log.ts";
import { LocalShift } from "./shift.ts";
import type { FromShift, ToShift } from "./shift_messages.ts";

/** The end of the line in the isolate. */
export interface ShiftScope {
  postMessage(message: FromShift): void;
  addEventListener(name: "message", listener: (event: MessageEvent<ToShift>) => void): void;
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
      const loaded = await load({ ...sources, globals: () => globals });
      mustBeRunnable(loaded.config);
      serviceLog(loaded.config.log, globals)[Symbol.dispose]();
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
  scope.postMessage({ kind: "here" });
}

function failure(error: unknown): FromShift {
  const text = error instanceof Error ? error.message : String(error);
  return { kind: "failed", error: redact(text), isUsers: error instanceof UserError };
}
