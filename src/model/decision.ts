import type { ServerSnapshot, WatcherEvent } from "./event.ts";
import type { MemoryChanges } from "./memory.ts";

/**
 * What became of a notification: it led to events; it only taught something; another message of the same fact came before; it came too
 * late to be true; or nothing about it was wanted.
 */
export type Outcome = "event" | "remembered" | "repeated" | "superseded";

/** What one recorded notification means, given what is remembered: written in one transaction. */
export interface Decision {
  readonly outcome: Outcome;
  /** Why, in words for an operator. */
  readonly reason: string;
  /**
   * Whether an operator must look at it: it may be wrong, and the reason names the command that mends it.
   *
   * @default false
   */
  readonly isDoubtful?: boolean;
  readonly events: readonly WatcherEvent[];
  /** What a second message of a known fact adds where its event says `null`, if its detail is not stored yet. */
  readonly fill: { readonly key: string; readonly server: ServerSnapshot } | null;
  readonly changes: MemoryChanges;
  /** What an operator should know of, since a target may lack it; for people. @default nothing */
  readonly warnings?: readonly string[];
}
