import type { Detail } from "./detail.ts";
import type { EventKind, Subject } from "./event.ts";
import type { Json, Origin } from "./notification.ts";

/** Writes log lines, one method per level. */
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

/**
 * The third argument of `notify`: facts about the event and the attempt, and ways to report back.
 */
export interface NotifyContext {
  /** The event's key, the same for every attempt: a receiver can use it to ignore repetitions. */
  readonly key: string;
  /**
   * A whole number that grows with each event of a server and of a floating IP, and is the same for
   * every attempt. A receiver that keeps the highest one can refuse what comes late: an attempt of
   * a process that was suspended, or an event that was replayed by force.
   */
  readonly sequence: number;
  /** `creation` or `deletion`, as the argument `created` says. */
  readonly kind: Exclude<EventKind, "update">;
  /** What came or went: a server, or its association with a floating IP. */
  readonly subject: Subject;
  /**
   * The type of the notification that led to the event, as `compute.instance.create.end`; of a lost
   * notification the type that it would have had.
   */
  readonly eventType: string;
  /** The notification's time, ISO 8601, UTC. */
  readonly time: string;
  /**
   * `bus`: a notification of RabbitMQ led to the event. `reconcile`: the notification was lost, and
   * a comparison with OpenStack's APIs found the fact. Key and order are the same either way.
   */
  readonly origin: Origin;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Aborts when the attempt takes too long or the service stops. */
  readonly signal: AbortSignal;
  /**
   * The header `traceparent` (W3C Trace Context) for requests to the target, where telemetry is
   * exported (docs/TELEMETRY.md). The targets of `oss-watcher/kit` send it by themselves.
   */
  readonly traceparent?: string;
  /** Writes to the service's log, under the plugin's name. */
  readonly log: Logger;
  /** `false`: a deletion whose creation was never seen. */
  readonly creationSeen: boolean;
  /**
   * Keys of the detail that OpenStack did not answer in time, or that are left out or cut short
   * because one message led to too much (docs/OPERATIONS.md, Limits).
   */
  readonly missing: readonly string[];
  /** The value of the last `keep()` in an earlier attempt of this delivery; absent for none. */
  readonly progress?: Json;
  /**
   * `true`: `oss-watcher audit --apply` found that the target differs from what was delivered, and
   * this event is delivered again. Write all that belongs to it, and keep nothing that later events
   * may have added: these are delivered again, too, behind it.
   *
   * @default false
   */
  readonly repair?: boolean;
  /**
   * Stores the progress of a delivery that has several parts. The next attempt gets it as
   * `progress`, also after a restart. If the attempt fails, its last call counts; at most 64 KiB of
   * JSON. It is stored in the ledger, so it must not contain secrets.
   */
  keep(progress: Json): void;
  /**
   * Adds a note for operators to a delivery that succeeds, for example a recipient that was
   * refused. `oss-watcher events show` shows it.
   */
  note(text: string): void;
}

/** The second argument of `update`: that of `notify`, and what has changed. */
export interface UpdateContext extends Omit<NotifyContext, "kind"> {
  /** Tells an update from the kinds of {@linkcode NotifyContext}. */
  readonly kind: "update";
  /** The detail that this plugin was last told of the server: of its creation or an update. */
  readonly before: Detail;
  /**
   * The keys that `events.update` lists and whose values differ from `before`; at least one, unless
   * `repair` is set.
   */
  readonly changed: readonly string[];
}

/** A resource that a target holds because it was delivered. */
export interface ListedResource {
  /** A server, or the association of a floating IP. */
  readonly subject: Subject;
  /** The id of the server, or of the floating IP. */
  readonly id: string;
  /**
   * Equal fingerprints mean that the target holds what was written. A hash, as `fingerprint` of
   * `oss-watcher/kit` makes it: never a secret or a text that a tenant chose.
   */
  readonly fingerprint: string;
}

/** An event that was delivered to a target. */
export interface DeliveredEvent {
  /** The event's key: `server/<id>/creation`, `floatingip/<id>/<n>/deletion`. */
  readonly key: string;
  /** A server, or its association with a floating IP. */
  readonly subject: Subject;
  /** `true` for a creation and for an update. */
  readonly created: boolean;
  /** The detail that `notify` or `update` got. */
  readonly detail: Detail;
}

/**
 * A target of events: any object with a method `notify`. There is no base class, and optional
 * methods are found by their names. When `notify` returns, the delivery is done; when it throws, it
 * is retried; when it throws `PermanentError`, it becomes a dead letter at once.
 */
export interface Plugin {
  /** Unique among the configured plugins. @default the class's name */
  readonly name?: string;
  /** Tells the target of an event. Returning means done, throwing means try again. */
  notify(detail: Detail, created: boolean, context: NotifyContext): void | Promise<void>;
  /**
   * Tells the target that a server has changed in keys that `events.update` lists. Outcomes as of
   * `notify`. It is called after the server's creation was delivered, and before its deletion. A
   * plugin without this method is not told of updates.
   */
  update?(detail: Detail, context: UpdateContext): void | Promise<void>;
  /** Returns what `notify` would send, for `--dry-run`: without I/O and without secrets. */
  preview?(detail: Detail, created: boolean, context: NotifyContext): Json | Promise<Json>;
  /** Returns what `update` would send, likewise. */
  previewUpdate?(detail: Detail, context: UpdateContext): Json | Promise<Json>;
  /** Rejects when the target cannot be reached or refuses us. */
  check?(signal: AbortSignal): void | Promise<void>;
  /**
   * Lists what the target holds of ours, for `oss-watcher audit`: resources that exist, found by
   * our mark, and nothing else. Only for a target that keeps one record per server or floating IP
   * and finds it by that id. Reads page by page; throws when the target cannot be listed whole.
   */
  list?(signal: AbortSignal): AsyncIterable<ListedResource>;
  /**
   * What {@linkcode Plugin.list} must report after these deliveries, without I/O. All are of one
   * server, or of one floating IP without a server, in their order: the creation of the server or
   * the last update that was delivered, unless neither is known, and the last event of each of its
   * floating IPs. `audit` needs both methods.
   */
  expected?(
    delivered: readonly DeliveredEvent[],
  ): readonly ListedResource[] | Promise<readonly ListedResource[]>;
  /**
   * Called when the service stops or reloads. After a reload the process continues, so timers and
   * connections must end here.
   */
  [Symbol.asyncDispose]?(): PromiseLike<void>;
}
