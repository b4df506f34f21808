import type { Detail } from "./detail.ts";
import type { Subject } from "./event.ts";
import type { Json } from "./notification.ts";

/** Writes log lines. Fields are for machines; the message must make sense without them. */
export interface Logger {
  /** For developers; shown with `--debug` or `log.level: "debug"`. */
  debug(message: string): void;
  /** What happens as a rule. */
  info(message: string): void;
  /** What an operator should look at. */
  warn(message: string): void;
  /** What an operator must mend. */
  error(message: string): void;
}

/** What a plugin may want to know of the delivery that it is asked to make. */
export interface NotifyContext {
  /** The event's key, the same for every attempt: what makes a receiver idempotent. */
  readonly key: string;
  /** What came or went: a server, or its association with a floating IP. */
  readonly subject: Subject;
  /** The type of the notification that made the event known, as `compute.instance.create.end`. */
  readonly eventType: string;
  /** The notification's time, ISO 8601, UTC. */
  readonly time: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Aborted when the attempt takes too long or the service stops. */
  readonly signal: AbortSignal;
  /** Writes to the service's log, under the plugin's name. */
  readonly log: Logger;
  /** `false` for an end whose beginning was never seen. */
  readonly creationSeen: boolean;
  /** Keys of the detail that could not be had in time, or are left out or cut short since one message led to too much (docs/OPERATIONS.md, Limits). */
  readonly missing: readonly string[];
  /** What an earlier attempt of this delivery has kept; absent when none has. */
  readonly progress?: Json;
  /**
   * Keeps how far a delivery of several parts is, for its next attempt, which gets it as `progress`, also after a restart: at most 64 KiB of JSON.
   * The last call of an attempt that fails counts. It is stored in the ledger: no secrets.
   */
  keep(progress: Json): void;
  /** Says what an operator should know of a delivery that is done all the same, as a recipient that was refused: `events show` has it. */
  note(text: string): void;
}

/**
 * A target of events: any object with `notify`. No base class and no `instanceof`; optional abilities are found by their names.
 * `notify` returning means done, throwing means try again, throwing `PermanentError` means give up at once.
 */
export interface Plugin {
  /** Unique among the configured plugins. @default the class's name */
  readonly name?: string;
  /** Tells the target of an event. Returning means done, throwing means try again. */
  notify(detail: Detail, created: boolean, context: NotifyContext): void | Promise<void>;
  /** What `notify` would send, for `--dry-run`: does no I/O and shows no secret. */
  preview?(detail: Detail, created: boolean, context: NotifyContext): Json | Promise<Json>;
  /** Rejects when the target is not there or refuses us. */
  check?(signal: AbortSignal): void | Promise<void>;
  /** Called when the service stops or reloads. After a reload the process goes on: timers and connections must end here. */
  [Symbol.asyncDispose]?(): PromiseLike<void>;
}
