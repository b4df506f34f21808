import type { LogOptions } from "../model/config.ts";
import type { GlobalOptions } from "./context.ts";

/** What the process tells an isolate that is to be a shift. */
export type ToShift =
  | { readonly kind: "load"; readonly globals: GlobalOptions }
  | { readonly kind: "run" }
  | { readonly kind: "stop" };

/** What the isolate answers; texts have no secrets. */
export type FromShift =
  /** It listens: what is sent before is lost. */
  | { readonly kind: "here" }
  | { readonly kind: "loaded"; readonly log: LogOptions | undefined }
  | { readonly kind: "ended" }
  /** Loading or running failed. */
  | { readonly kind: "failed"; readonly error: string; readonly isUsers: boolean };
