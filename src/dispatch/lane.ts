import type { Clock } from "../model/clock.ts";
import type { Delivery, Ledger } from "../model/ledger.ts";
import type { TargetOutage } from "../model/outage.ts";
import type { Following } from "../model/following.ts";
import type { Logger, Plugin } from "../model/plugin.ts";
import { LoopHeartbeat } from "../model/loop_heartbeat.ts";
import type { AttemptEnd } from "../model/readings.ts";
import { logAttempt, logUnrecorded } from "./attempt_log.ts";
import { AttemptNotes } from "./attempt_notes.ts";
import { Attempts } from "./attempts.ts";
import { Breaker, type BreakerState } from "./breaker.ts";
import { DeliveryPlan } from "./delivery_plan.ts";
import { type Failure, failureOf } from "./failure.ts";
import type { FilteredCall } from "./filtered_call.ts";
import { PauseWatch } from "./pause_watch.ts";
import type { Policy } from "./policy.ts";
import { RateLimit } from "./rate_limit.ts";
import { ReadAhead } from "./read_ahead.ts";
import { finishUntold, type UntoldCall } from "./untold.ts";
import { DONE, verdictOf } from "./verdict.ts";
import { WakeTimer } from "./wake_timer.ts";

/** What a lane asks of the ledger, and tells it. */
type LaneCall = "ready" | "nextDueAt" | "creationFate" | "settle" | "noteOutage" | "probeRequests" | "pauseOf";

export interface LaneOptions {
  readonly plugin: Plugin;
  readonly name: string;
  readonly policy: Policy;
  /** Which changes of servers are told; `null`: none. @default null */
  readonly following?: Following | null;
  readonly ledger: Pick<Ledger, LaneCall>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Removes secrets from a plugin's error. */
  readonly redact: (text: string) => string;
  /** @default a new one */
  readonly heartbeat?: LoopHeartbeat;
  /** Whether outcomes can be recorded: if not, nothing is attempted. */
  readonly canRecord: () => boolean;
  /** Called for each attempt, once its outcome is on disk. */
  readonly onAttempt?: (end: AttemptEnd) => void;
  /** Called when the breaker opened or a probe failed; with `null` when the breaker closed. */
  readonly onOutage?: (plugin: string, outage: TargetOutage | null) => void;
}

/**
 * Limit of deliveries in flight, in multiples of the concurrency. Includes uncommitted outcomes.
 */
const MAX_UNRECORDED = 8;

/**
 * The most that is read ahead, in multiples of the concurrency. Each read skips all in flight, so few
 * reads are best.
 */
const READ_AHEAD = 4;

/** The longest sleep: operators' commands may have replayed or dropped deliveries. */
const MAX_IDLE_MS = 1000;

/** While the breaker is open: how often operators' probe requests are read. */
const PROBE_REQUESTS_MS = 2000;

/**
 * Stage 4: delivers the events of one plugin. Attempts ready deliveries concurrently, records each
 * outcome, and retries with back-off behind a circuit breaker. Lanes are independent: a target that
 * fails, hangs or lags never delays another.
 */
export class Lane {
  /** Liveness of {@linkcode Lane.run}. */
  readonly heartbeat: LoopHeartbeat;
  readonly #options: LaneOptions;
  readonly #breaker: Breaker;
  /** `null`: attempts start as soon as they can. */
  readonly #limit: RateLimit | null;
  readonly #wakeTimer: WakeTimer;
  /** Deliveries in flight, until their outcomes are recorded; by `seq`. */
  readonly #inFlight = new Map<number, Promise<void>>();
  /** Those of them that the plugin works on: the concurrency limits these alone. */
  #running = 0;
  readonly #readAhead: ReadAhead;
  readonly #attempts: Attempts;
  /** Number of probe requests when they were last read; `null` while the breaker is closed. */
  #probeRequests: number | null = null;
  readonly #pause: PauseWatch;
  /** Counts what may make a delivery ready: calls of {@linkcode Lane.wake}, recorded outcomes. */
  #changes = 0;
  /** The last read that found nothing ready: valid until `#changes` or the time has moved on. */
  #emptyRead = { changes: -1, untilMs: 0 };
  #isAborted = false;
  #isStopping = false;
  readonly #plan: DeliveryPlan;
  /** Why outcomes cannot be recorded, for good. */
  #fault: { readonly error: unknown } | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.heartbeat = options.heartbeat ?? new LoopHeartbeat();
    this.#plan = new DeliveryPlan(options);
    this.#breaker = new Breaker(options.policy, options.random);
    const { policy: { limit }, clock } = options;
    this.#limit = limit && new RateLimit(limit, clock.passedMs());
    this.#wakeTimer = new WakeTimer(options.clock);
    this.#pause = new PauseWatch(options);
    this.#readAhead = new ReadAhead(options.name, options);
    this.#attempts = new Attempts(options.clock, options.policy.attemptTimeoutMs);
  }

  get name(): string {
    return this.#options.name;
  }

  get breakerState(): BreakerState {
    return this.#breaker.state;
  }

  /** To be called when deliveries may have become ready. */
  wake(): void {
    this.#changes++;
    this.#pause.notice();
    this.#wakeTimer.notify();
  }

  /**
   * Attempts deliveries until the signal aborts. Attempts in flight then continue, until they end
   * or {@linkcode abortInFlight} is called; the promise resolves after the last one. It rejects
   * when an outcome cannot be recorded and waiting does not help.
   */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => {
      this.#isStopping = true;
      this.#wakeTimer.notify();
    }, { once: true });
    try {
      while (!signal.aborted) {
        this.heartbeat.beat();
        if (this.#fault !== undefined) throw this.#fault.error;
        const idleMs = await this.#startReady(signal);
        if (signal.aborted) break;
        await this.heartbeat.whileIdle(this.#wakeTimer.wait(idleMs));
      }
    } finally {
      this.#wakeTimer.close();
    }
    await Promise.all(this.#inFlight.values());
    this.#attempts.close();
  }

  /** Aborts the attempts in flight: they are recorded as interrupted and will be repeated first. */
  abortInFlight(): void {
    this.#isAborted = true;
    this.#attempts.abortAll(new DOMException("The service stops", "AbortError"));
  }

  /** Starts as many attempts as allowed. Returns how long the loop may sleep unless it is woken. */
  async #startReady(signal: AbortSignal): Promise<number> {
    const { ledger, clock, name, canRecord } = this.#options;
    const mayStart = () => !signal.aborted && this.#fault === undefined && this.#room() > 0 && canRecord();
    if (this.#pause.isDue) await this.#readPause();
    if (this.#breaker.state === "open") await this.#readProbeRequests();
    while (mayStart()) {
      if (this.#pause.isDue) await this.#readPause();
      if (this.#pause.isPaused) return MAX_IDLE_MS;
      const limitedMs = this.#limit?.waitMs(clock.passedMs()) ?? 0;
      if (limitedMs > 0) return Math.min(limitedMs, MAX_IDLE_MS);
      const changes = this.#changes;
      const emptyMs = this.#emptyRead.untilMs - clock.passedMs();
      // The end of an attempt wakes the loop, but nothing becomes ready before its outcome is
      // recorded. Reading the ledger again would cost as much as the attempt.
      if (this.#emptyRead.changes === changes && emptyMs > 0) return emptyMs;
      const delivery = await this.#nextReady();
      // Checked again: anything may have changed during the read.
      if (delivery !== undefined && mayStart()) this.#start(delivery);
      if (delivery !== undefined) continue;
      const now = clock.now();
      const dueAt = await ledger.nextDueAt(name);
      const idleMs = dueAt === null || dueAt <= now ? MAX_IDLE_MS : Math.min(dueAt - now, MAX_IDLE_MS);
      this.#emptyRead = { changes, untilMs: clock.passedMs() + idleMs };
      return idleMs;
    }
    // While the breaker is open, only time or a probe request allows the next attempt.
    const probeInMs = this.#breaker.nextProbeAt - clock.now();
    return this.#breaker.state === "open" && probeInMs > 0 ? Math.min(probeInMs, PROBE_REQUESTS_MS) : MAX_IDLE_MS;
  }

  /** While the plugin is paused nothing is attempted, and its target is not probed. */
  async #readPause(): Promise<void> {
    await this.#pause.read();
    if (this.#pause.isPaused) this.#readAhead.clear();
  }

  /** Allows a probe at once if an operator has requested one since the last read. */
  async #readProbeRequests(): Promise<void> {
    const requests = await this.#options.ledger.probeRequests(this.name);
    if (this.#probeRequests !== null && requests !== this.#probeRequests) this.#breaker.probeNow();
    this.#probeRequests = requests;
  }

  #nextReady(): Promise<Delivery | undefined> {
    const most = this.#breaker.state === "closed" ? READ_AHEAD * this.#options.policy.concurrency : 1;
    return this.#readAhead.next({ room: this.#room(), most, inFlight: this.#inFlight.keys() });
  }

  /** How many attempts may start; 0 or less: none. */
  #room(): number {
    const { policy, clock } = this.#options;
    if (this.#breaker.state === "open") {
      return this.#inFlight.size === 0 && this.#breaker.mayProbe(clock.now()) ? 1 : 0;
    }
    // The second limit keeps outcomes from piling up while the ledger is slow.
    return Math.min(policy.concurrency - this.#running, MAX_UNRECORDED * policy.concurrency - this.#inFlight.size);
  }

  #start(delivery: Delivery): void {
    const attempt = this.#attempt(delivery)
      .catch((error) => {
        logUnrecorded(this.#options.log, delivery, error);
        this.#fault ??= { error };
      })
      .finally(() => {
        this.#inFlight.delete(delivery.seq);
        this.#changes++;
        this.#wakeTimer.notify();
      });
    this.#inFlight.set(delivery.seq, attempt);
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const { clock } = this.#options;
    this.#limit?.take(clock.passedMs());
    this.#running++;
    const planned = this.#plan.of(delivery);
    // Without a filter nothing is waited for.
    const call = planned instanceof Promise ? await this.#untilStopped(planned) : planned;
    if (call?.method === "notify" || call?.method === "update") return await this.#tell(delivery, call);
    this.#running--;
    this.#limit?.giveBack();
    this.#wakeTimer.notify();
    if (call === null) return;
    const { ledger, log, onAttempt } = this.#options;
    const end = await finishUntold(delivery, { call, ledger, log, at: clock.now() });
    if (end !== null) onAttempt?.(end);
  }

  /** `null`: no attempt may begin any more. Frees the slot if it fails. */
  async #untilStopped(planned: Promise<FilteredCall>): Promise<FilteredCall | null> {
    try {
      const call = await planned;
      return this.#isStopping || !this.#options.canRecord() ? null : call;
    } catch (error) {
      this.#running--;
      this.#limit?.giveBack();
      throw error;
    }
  }

  /** Calls the plugin, and records how that ended. */
  async #tell(delivery: Delivery, call: ToldCall): Promise<void> {
    const { clock, ledger, onAttempt } = this.#options;
    const probe = this.#breaker.state === "open";
    const [startedAt, startedMs] = [clock.now(), clock.passedMs()];
    const notes = new AttemptNotes(delivery.progress);
    const failure = await this.#call(call, { delivery, notes });
    this.#running--;
    const tookMs = clock.passedMs() - startedMs;
    this.#wakeTimer.notify();
    const endedAt = clock.now();
    const settlement = { seq: delivery.seq, plugin: delivery.plugin, startedAt, endedAt };
    const before = { state: this.#breaker.state, nextProbeAt: this.#breaker.nextProbeAt };
    this.#tellBreaker(delivery, { failure, endedAt });
    const { policy, random, redact } = this.#options;
    const nextProbeAt = this.#breaker.state === "open" ? this.#breaker.nextProbeAt : null;
    const { resumedAt } = this.#pause;
    const options = { probe, nextProbeAt, resumedAt, endedAt, policy, random };
    const verdict = failure === null ? DONE : verdictOf(delivery, { failure, ...options });
    logAttempt(this.#options.log, delivery, { failure, verdict });
    this.#noteOutage(failure, before);
    await ledger.settle([{ ...settlement, ...verdict, failure: notes.recordOf(failure, redact) }]);
    const { plugin, attempts } = delivery;
    const reason = failure?.reason ?? null;
    onAttempt?.({ plugin, outcome: verdict.outcome, reason, repeated: attempts > 0, tookMs });
  }

  /** Calls the plugin, aborted after the timeout. Returns what went wrong; `null`: nothing. */
  async #call(
    call: ToldCall,
    { delivery, notes }: { readonly delivery: Delivery; readonly notes: AttemptNotes },
  ): Promise<Failure | null> {
    const { plugin, policy, log, redact } = this.#options;
    const attempt = this.#attempts.begin();
    const { signal } = attempt;
    const context = notes.contextOf(delivery, { signal, log });
    try {
      if (call.method === "notify") {
        await attempt.run(() => plugin.notify(call.detail, delivery.event.created, context));
      } else {
        const { detail, before, changed } = call;
        await attempt.run(() => plugin.update?.(detail, { ...context, kind: "update", before, changed }));
      }
      return null;
    } catch (error) {
      if (this.#isAborted) return INTERRUPTED;
      return failureOf(signal.aborted ? signal.reason : error, { permanentStatuses: policy.permanentStatuses, redact });
    } finally {
      this.#attempts.end(attempt);
    }
  }

  #tellBreaker(
    { event: { serverId } }: Delivery,
    { failure, endedAt }: { readonly failure: Failure | null; readonly endedAt: number },
  ): void {
    if (failure === null || failure.permanent) this.#breaker.succeeded();
    else if (failure.reason !== "interrupted") {
      const { reason, retryAfterMs } = failure;
      this.#breaker.failed({ reason, serverId, at: endedAt, retryAfterMs });
    }
  }

  /** Reports a breaker that opened or closed, or whose probe failed. */
  #noteOutage(
    failure: Failure | null,
    before: { readonly state: BreakerState; readonly nextProbeAt: number },
  ): void {
    const { ledger, log, onOutage } = this.#options;
    const { state, openedAt, nextProbeAt } = this.#breaker;
    if (state === before.state && (state === "closed" || nextProbeAt === before.nextProbeAt)) return;
    const outage = state === "closed" || failure === null
      ? null
      : { since: openedAt, nextProbeAt, reason: failure.reason, error: failure.error };
    if (outage === null) this.#probeRequests = null;
    // Not awaited: it shares the transaction of the attempt's outcome, which is awaited.
    ledger.noteOutage(this.name, outage).catch((error) => log.debug(`Cannot note the state of the target: ${error}`));
    onOutage?.(this.name, outage);
  }
}

/** A call of a method of the plugin. */
type ToldCall = Exclude<FilteredCall, UntoldCall>;

const INTERRUPTED: Failure = {
  reason: "interrupted",
  error: "The service stopped before the attempt ended",
  permanent: false,
  retryAfterMs: 0,
};
