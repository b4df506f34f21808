import type { LogOptions } from "../model/config.ts";
import type { GlobalOptions } from "./context.ts";
import type { FailedMessage } from "./worker_messages.ts";

/** Messages from the process to an isolate that runs a service instance. */
export type ToInstance =
  | { readonly kind: "load"; readonly globals: GlobalOptions }
  | { readonly kind: "run" }
  | { readonly kind: "stop" };

/** Messages from the isolate; their texts hold no secret. */
export type FromInstance =
  /** The isolate listens. Messages that are sent before are lost. */
  | { readonly kind: "here" }
  | { readonly kind: "loaded"; readonly log: LogOptions | undefined }
  | { readonly kind: "ended" }
  /** Secrets that the configuration has got are others now. */
  | { readonly kind: "new-secrets" }
  /** Loading or running failed. */
  | FailedMessage;
