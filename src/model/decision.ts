import type { ServerSnapshot, WatcherEvent } from "./event.ts";
import type { MemoryChanges } from "./memory.ts";

/**
 * What became of a notification. `event`: it led to events. `remembered`: it led to none, and may
 * have changed memory. `repeated`: an earlier notification announced the same. `superseded`: it
 * came too late to be announced, or could not be decided.
 */
export type Outcome = "event" | "remembered" | "repeated" | "superseded";

/** The decision on one recorded notification, given memory. It is written in one transaction. */
export interface Decision {
  readonly outcome: Outcome;
  /** Why, for operators. */
  readonly reason: string;
  /**
   * Whether an operator must check it: it may be wrong, and the reason names the command that
   * corrects it.
   *
   * @default false
   */
  readonly isDoubtful?: boolean;
  readonly events: readonly WatcherEvent[];
  /**
   * The completed server of an earlier event, from a second notification. Ignored once the event
   * has its detail.
   */
  readonly fill: { readonly key: string; readonly server: ServerSnapshot } | null;
  readonly changes: MemoryChanges;
  /**
   * Whether nothing has to be written: the notification states what memory has already, and may be
   * decided any number of times. Then `changes` has times of statements alone.
   *
   * @default false
   */
  readonly isIdle?: boolean;
  /**
   * Existing servers whose detail may have changed: an update may be due. Only where changes are
   * followed.
   *
   * @default none
   */
  readonly changedServers?: readonly string[];
  /** Warnings for operators: targets may miss something. @default none */
  readonly warnings?: readonly string[];
}
