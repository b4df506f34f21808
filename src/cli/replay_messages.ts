import type { ReplayedEvent } from "../inspect/compare/replayed_event.ts";
import type { GlobalOptions } from "./context.ts";
import type { FailedMessage } from "./worker_messages.ts";

/** A recording: a file, or what was read from standard input. */
export type Recording =
  | { readonly file: string }
  | { readonly input: Uint8Array };

/** Messages from the process to an isolate that replays a recording. */
export type ToReplay =
  | { readonly kind: "load"; readonly globals: GlobalOptions; readonly label: string; readonly recording: Recording }
  /** Asks for the next part of the history. */
  | { readonly kind: "next" };

/** A part of the history: what came of some notifications. */
export interface ReplayedPart {
  readonly kind: "part";
  /** How many notifications it has. */
  readonly notifications: number;
  /** What is no notification, or one that cannot be used, by its line. */
  readonly refused: readonly { readonly line: number; readonly reason: string }[];
  /** Each with the number of the document that led to it. */
  readonly events: readonly { readonly at: number; readonly event: ReplayedEvent }[];
  readonly isLast: boolean;
}

/** Messages from the isolate; their texts hold no secret. */
export type FromReplay =
  /** The isolate listens. Messages that are sent before are lost. */
  | { readonly kind: "here" }
  | { readonly kind: "loaded"; readonly plugins: readonly string[] }
  | ReplayedPart
  | FailedMessage;
