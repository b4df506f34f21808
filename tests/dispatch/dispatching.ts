/**
 * Lanes over a real ledger in virtual time.
 *
 * @module
 */

import { Lane } from "../../src/dispatch/lane.ts";
import { policyOf } from "../../src/dispatch/policy.ts";
import { Housekeeping } from "../../src/ledger/sqlite/housekeeping.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { openDatabase, transaction } from "../../src/ledger/sqlite/database.ts";
import { Pauses } from "../../src/ledger/sqlite/pauses.ts";
import type { RetryOptions } from "../../src/model/config.ts";
import type { Detail } from "../../src/model/detail.ts";
import { DeliveryError, type FailureReason } from "../../src/model/errors.ts";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { Following } from "../../src/model/following.ts";
import type { Delivery, ReadyQuery, Settlement } from "../../src/model/ledger.ts";
import type { TargetOutage } from "../../src/model/outage.ts";
import type { NotifyContext, Plugin, UpdateContext } from "../../src/model/plugin.ts";
import type { AttemptEnd } from "../../src/model/readings.ts";
import { redact } from "../../src/wire/secrets/redact.ts";
import { KeptLog } from "../support/loggers.ts";
import { announceEvents } from "../support/made_events.ts";
import { SwiftTimers } from "../support/swift_timers.ts";
import { TemporaryLedger } from "../support/temporary_ledger.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** What a target does with a delivery. */
export type Target = (context: NotifyContext | UpdateContext, detail: Detail) => void | Promise<void>;

/** One call of a plugin. */
export interface Attempt {
  readonly plugin: string;
  readonly key: string;
  readonly attempt: number;
  /** Milliseconds since the test began. */
  readonly at: number;
}

export interface DispatchingOptions {
  readonly retry?: RetryOptions;
  /** @default () => 1, so that every delay is the longest that it can be */
  readonly random?: () => number;
  /** With it, the plugins have a method `update`. */
  readonly following?: Following;
  /** Puts filters on the plugins; called at each start. @default none */
  readonly wrap?: (plugin: Plugin) => Plugin;
}

/** Counts what waits for the ledger's real timer, and reads. */
class WatchedLedger extends SqliteLedger {
  unsettled = 0;
  reads = 0;
  /** Called in the middle of each read. */
  onRead: () => void = () => {};

  override async ready(query: ReadyQuery): Promise<readonly Delivery[]> {
    this.reads++;
    const ready = await super.ready(query);
    this.onRead();
    return ready;
  }

  override settle(settlements: readonly Settlement[]): Promise<void> {
    this.unsettled++;
    return super.settle(settlements).finally(() => this.unsettled--);
  }
}

/** Dispatch as the service wires it, with its housekeeping; targets are functions. */
export class Dispatching implements AsyncDisposable {
  readonly attempts: Attempt[] = [];
  /** Attempts whose end is on disk. */
  readonly ends: AttemptEnd[] = [];
  /** What lanes said of their targets. */
  readonly outages: (TargetOutage | null)[] = [];
  readonly log = new KeptLog();
  readonly opened = new TemporaryLedger();
  readonly clock: VirtualClock = new VirtualClock({ busy: () => this.ledger.unsettled > 0 && this.canRecord });
  readonly #targets: Readonly<Record<string, Target>>;
  readonly #options: DispatchingOptions;
  readonly #began = this.clock.now();
  readonly #timers = new SwiftTimers();
  ledger!: WatchedLedger;
  lanes: Lane[] = [];
  canRecord = true;
  #stop = new AbortController();
  #work: Promise<unknown> = Promise.resolve();

  private constructor(targets: Readonly<Record<string, Target>>, options: DispatchingOptions) {
    this.#targets = targets;
    this.#options = options;
  }

  static async start(
    targets: Readonly<Record<string, Target>>,
    options: DispatchingOptions = {},
  ): Promise<Dispatching> {
    const dispatching = new Dispatching(targets, options);
    await dispatching.start();
    return dispatching;
  }

  /** What a start of the service does. */
  async start(): Promise<void> {
    const { retry, random = () => 1, following, wrap = (plugin: Plugin) => plugin } = this.#options;
    const { clock, log } = this;
    this.#stop = new AbortController();
    this.ledger = new WatchedLedger(this.opened.database, clock.now);
    const names = Object.keys(this.#targets);
    this.lanes = names.map((name) =>
      new Lane({
        plugin: wrap({
          name,
          notify: (detail, _created, context) => this.#attempt(name, { detail, context }),
          ...(following === undefined ? {} : {
            update: (detail, context) => this.#attempt(name, { detail, context }),
          }),
        }),
        name,
        following: following ?? null,
        policy: policyOf(name, retry),
        ledger: this.ledger,
        clock,
        random,
        log,
        redact,
        canRecord: () => this.canRecord,
        onAttempt: (end) => this.ends.push(end),
        onOutage: (_plugin, outage) => this.outages.push(outage),
      })
    );
    const housekeeping = new Housekeeping({
      database: this.opened.database,
      clock,
      keepDays: 30,
      maxDelayMs: Math.max(...names.map((name) => policyOf(name, retry).maxDelayMs)),
      log,
      onRescheduled: () => this.lanes.forEach((lane) => lane.wake()),
    });
    await this.ledger.activate(names);
    if (following !== undefined) await this.ledger.follow({ plugins: names, settleMs: 0, makeUpdate: () => null });
    this.#work = Promise.all([...this.lanes, housekeeping].map((each) => each.run(this.#stop.signal)));
    await clock.settle();
  }

  /** What the command `plugins pause` writes, at the time of the test. */
  pause(plugin = "p"): void {
    this.#asCommand((pauses) => pauses.pause(plugin, { at: this.clock.now(), by: "somebody" }));
  }

  resume(plugin = "p"): void {
    this.#asCommand((pauses) => pauses.resume(plugin, this.clock.now()));
  }

  #asCommand(action: (pauses: Pauses) => boolean): void {
    using database = openDatabase(this.opened.file, { create: false });
    transaction(database, () => action(new Pauses(database)));
  }

  /** Resolves or rejects as the lanes do. */
  get work(): Promise<unknown> {
    return this.#work;
  }

  /** Begins a clean stop: nothing new is attempted. */
  beginStop(): void {
    this.#stop.abort();
  }

  /** A clean stop, with attempts that take too long cut off. */
  async stop(): Promise<void> {
    this.beginStop();
    await this.clock.settle();
    this.lanes.forEach((lane) => lane.abortInFlight());
    await this.#work;
  }

  /** Ends the process, lets time pass, and begins again on the same file. */
  async restartAfter(downMs: number): Promise<void> {
    await this.stop();
    this.clock.jump(downMs);
    this.opened.reopen();
    await this.start();
  }

  async announce(...events: readonly WatcherEvent[]): Promise<void> {
    await announceEvents(this.ledger, events);
    this.lanes.forEach((lane) => lane.wake());
    await this.clock.settle();
  }

  /** The keys that a plugin was called for, in order. */
  keys(plugin = "p"): string[] {
    return this.attempts.filter((attempt) => attempt.plugin === plugin).map(({ key }) => key);
  }

  /** When a delivery was attempted, seconds since the test began. */
  secondsOf(key: string, plugin = "p"): number[] {
    return this.attempts.filter((attempt) => attempt.plugin === plugin && attempt.key === key).map(({ at }) =>
      at / 1000
    );
  }

  /** How many deliveries of a plugin are in a state. */
  count(state: "open" | "done" | "dead", plugin = "p"): number {
    const states = state === "open" ? "('queued', 'new', 'blocked', 'ready')" : `('${state}')`;
    const row = this.opened.database.prepare(`SELECT count(*) AS n FROM delivery
      WHERE state IN ${states} AND plugin = (SELECT id FROM plugin WHERE name = ?)`).get(plugin);
    return Number(row!["n"]);
  }

  /** The failed attempts that the ledger shows of all deliveries. */
  failures(): { readonly attempt: number; readonly reason: string; readonly error: string }[] {
    return this.opened.database.prepare("SELECT attempt, reason, error FROM failure ORDER BY seq, attempt").all()
      .map(({ attempt, reason, error }) => ({
        attempt: Number(attempt),
        reason: String(reason),
        error: String(error),
      }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
    this.opened[Symbol.dispose]();
    this.#timers[Symbol.dispose]();
  }

  #attempt(
    plugin: string,
    { detail, context }: { readonly detail: Detail; readonly context: NotifyContext | UpdateContext },
  ): void | Promise<void> {
    const { key, attempt } = context;
    this.attempts.push({ plugin, key, attempt, at: this.clock.now() - this.#began });
    return this.#targets[plugin]!(context, detail);
  }
}

/** A target that is not there. */
export function refuseConnection(): never {
  throw new DeliveryError("Connection refused", { reason: "connection" });
}

/** A target that answers with an error. */
export function answer(status: number, retryAfterMs?: number): never {
  const reason: FailureReason = status >= 500 ? "server_error" : "client_error";
  throw new DeliveryError(`Cannot POST: ${status}`, {
    reason: status === 401 ? "unauthorized" : reason,
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** A target that never answers, and does not listen to the signal. */
export function hang(): Promise<void> {
  return new Promise(() => {});
}
