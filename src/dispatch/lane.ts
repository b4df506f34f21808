import type { Clock } from "../model/clock.ts";
import type { Delivery, Ledger, Settlement } from "../model/ledger.ts";
import type { TargetOutage } from "../model/outage.ts";
import type { Logger, NotifyContext, Plugin } from "../model/plugin.ts";
import { WakeSignal } from "../model/wake_signal.ts";
import { LoopHeartbeat } from "../model/loop_heartbeat.ts";
import type { AttemptEnd } from "../model/readings.ts";
import { AttemptNotes } from "./attempt_notes.ts";
import { Attempts } from "./attempts.ts";
import { Breaker, type BreakerState } from "./breaker.ts";
import { type Failure, failureOf, MAX_ERROR_LENGTH } from "./failure.ts";
import { delayMs, type Policy } from "./policy.ts";

export interface LaneOptions {
  readonly plugin: Plugin;
  readonly name: string;
  readonly policy: Policy;
  readonly ledger: Pick<Ledger, "ready" | "nextDueAt" | "settle" | "noteOutage" | "probeRequests">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Takes secrets out of what a plugin throws. */
  readonly redact: (text: string) => string;
  /** Whether an outcome could be recorded right now: nothing is attempted else. */
  readonly canRecord: () => boolean;
  /** Called with every attempt whose end is on disk. */
  readonly onAttempt?: (end: AttemptEnd) => void;
  /** Called when the breaker opened, when a probe failed, and with `null` when the target is reached again. */
  readonly onOutage?: (plugin: string, outage: TargetOutage | null) => void;
}

/** How many times its concurrency a lane may have in flight, outcomes that wait for their commit included. */
const MAX_UNRECORDED = 8;

/** How many times its concurrency a lane reads ahead: each reading passes over all in flight. */
const READ_AHEAD = 4;

/** How long what was read ahead is believed: an operator may drop or replay. */
const AHEAD_MS = 50;

/** The longest sleep: another process may have added, replayed or dropped deliveries. */
const LOOK_AGAIN_MS = 1000;

/** While the breaker is open: how often it is looked whether an operator asks for a probe. */
const PROBE_REQUESTS_MS = 2000;

/**
 * Stage 4 for one plugin: attempts what is ready, several at a time, each delivery with its own fate. Lanes know nothing of each other, so
 * a target that fails, hangs or lags never delays another.
 */
export class Lane {
  /** Turns with {@linkcode Lane.run}. */
  readonly heartbeat = new LoopHeartbeat();
  readonly #options: LaneOptions;
  readonly #breaker: Breaker;
  readonly #wakeSignal = new WakeSignal();
  /** Deliveries that were started and whose outcome is not recorded yet. */
  readonly #inFlight = new Map<number, Promise<void>>();
  /** How many of them the plugin has in its hands: an outcome that waits for its commit keeps nobody waiting. */
  #running = 0;
  /** Ready deliveries that were read ahead, and when. */
  #ahead: Delivery[] = [];
  #aheadAt = 0;
  readonly #attempts: Attempts;
  /** How often an operator had asked for a probe at the last look; `null` while the breaker is closed. */
  #probeRequests: number | null = null;
  /** Takes the alarm back. */
  #alarm = new AbortController();
  /** When the alarm rings the bell. */
  #alarmAtMs = Infinity;
  /** Counts what may have made a delivery ready: a call of {@linkcode Lane.wake}, an outcome that was recorded. */
  #changes = 0;
  /** The last look that found nothing ready: what had changed by then, and until when time alone changes nothing. */
  #emptyLook = { changes: -1, untilMs: 0 };
  #isCutOff = false;
  /** Why outcomes cannot be recorded, ever. */
  #fault: { readonly error: unknown } | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#breaker = new Breaker(options.policy, options.random);
    this.#attempts = new Attempts(options.clock, options.policy.attemptTimeoutMs);
  }

  get name(): string {
    return this.#options.name;
  }

  get breakerState(): BreakerState {
    return this.#breaker.state;
  }

  /** There may be something to do. */
  wake(): void {
    this.#changes++;
    this.#wakeSignal.notify();
  }

  /**
   * Attempts deliveries until the signal aborts; those in flight then go on until {@linkcode cutOff}. Resolves when all have ended.
   * Rejects when an outcome cannot be recorded and waiting does not help.
   */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#wakeSignal.notify(), { once: true });
    try {
      while (!signal.aborted) {
        this.heartbeat.beat();
        if (this.#fault !== undefined) throw this.#fault.error;
        const idleMs = await this.#startReady(signal);
        if (signal.aborted) break;
        await this.#rest(idleMs);
      }
    } finally {
      this.#alarm.abort();
    }
    await Promise.all(this.#inFlight.values());
    this.#attempts.close();
  }

  /** Aborts the attempts in flight: they are recorded as interrupted and will be repeated first. */
  cutOff(): void {
    this.#isCutOff = true;
    this.#attempts.cutOff(new DOMException("The service stops", "AbortError"));
  }

  /** Until the bell rings, at the latest after so long. */
  async #rest(idleMs: number): Promise<void> {
    const atMs = this.#options.clock.passedMs() + idleMs;
    // One that rings too early costs a look, and less than a timer for every rest.
    if (atMs < this.#alarmAtMs) void this.#setAlarm(atMs, idleMs);
    await this.heartbeat.rest(this.#wakeSignal.wait());
  }

  async #setAlarm(atMs: number, delayMs: number): Promise<void> {
    // Without a reason it would make an error, with a trace, each time.
    this.#alarm.abort("earlier");
    const { signal } = this.#alarm = new AbortController();
    this.#alarmAtMs = atMs;
    await this.#options.clock.sleep(delayMs, signal);
    if (signal.aborted) return;
    this.#alarmAtMs = Infinity;
    this.#wakeSignal.notify();
  }

  /** Starts as many attempts as there is room for. Returns how long there will be nothing to do unless the bell rings. */
  async #startReady(signal: AbortSignal): Promise<number> {
    const { ledger, clock, name, canRecord } = this.#options;
    const may = () => !signal.aborted && this.#fault === undefined && this.#room() > 0 && canRecord();
    if (this.#breaker.state === "open") await this.#heedProbeRequests();
    while (may()) {
      const changes = this.#changes;
      const emptyMs = this.#emptyLook.untilMs - clock.passedMs();
      // The end of an attempt makes nothing ready before it is recorded: looking costs as much as the attempt.
      if (this.#emptyLook.changes === changes && emptyMs > 0) return emptyMs;
      const delivery = await this.#nextReady();
      // What was known before the wait may have changed in it.
      if (delivery !== undefined && may()) this.#start(delivery);
      if (delivery !== undefined) continue;
      const now = clock.now();
      const dueAt = await ledger.nextDueAt(name);
      const idleMs = dueAt === null || dueAt <= now ? LOOK_AGAIN_MS : Math.min(dueAt - now, LOOK_AGAIN_MS);
      this.#emptyLook = { changes, untilMs: clock.passedMs() + idleMs };
      return idleMs;
    }
    // Whatever the ledger holds, only time lets the next probe through.
    const probeInMs = this.#breaker.nextProbeAt - clock.now();
    return this.#breaker.state === "open" && probeInMs > 0 ? Math.min(probeInMs, PROBE_REQUESTS_MS) : LOOK_AGAIN_MS;
  }

  async #heedProbeRequests(): Promise<void> {
    const requests = await this.#options.ledger.probeRequests(this.name);
    if (this.#probeRequests !== null && requests !== this.#probeRequests) this.#breaker.probeNow();
    this.#probeRequests = requests;
  }

  /** The next delivery to attempt. Reads several ahead, but not for long: an operator may have dropped them. */
  async #nextReady(): Promise<Delivery | undefined> {
    const { ledger, clock, name, policy } = this.#options;
    const now = clock.now();
    if (this.#ahead.length === 0 || Math.abs(now - this.#aheadAt) > AHEAD_MS) {
      const limit = this.#breaker.state === "closed" ? READ_AHEAD * policy.concurrency : 1;
      // Looked at before the ledger is: what ends while it answers is not ready once more.
      const busy = new Set(this.#inFlight.keys());
      this.#ahead = [...await ledger.ready({ plugin: name, now, limit, busy })];
      this.#aheadAt = now;
    }
    return this.#ahead.shift();
  }

  #room(): number {
    const { policy, clock } = this.#options;
    if (this.#breaker.state === "open") {
      return this.#inFlight.size === 0 && this.#breaker.mayProbe(clock.now()) ? 1 : 0;
    }
    // Outcomes that could not be recorded yet must not pile up.
    return Math.min(policy.concurrency - this.#running, MAX_UNRECORDED * policy.concurrency - this.#inFlight.size);
  }

  #start(delivery: Delivery): void {
    const attempt = this.#attempt(delivery)
      .catch((error) => {
        this.#options.log.error(`Cannot record an attempt of ${delivery.event.key}: ${error}`);
        this.#fault ??= { error };
      })
      .finally(() => {
        this.#inFlight.delete(delivery.seq);
        this.#changes++;
        this.#wakeSignal.notify();
      });
    this.#inFlight.set(delivery.seq, attempt);
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const { clock, ledger, onAttempt } = this.#options;
    const probe = this.#breaker.state === "open";
    const [startedAt, startedMs] = [clock.now(), clock.passedMs()];
    this.#running++;
    const said = new AttemptNotes(delivery.progress);
    const failure = await this.#notify(delivery, said);
    this.#running--;
    const tookMs = clock.passedMs() - startedMs;
    this.#wakeSignal.notify();
    const endedAt = clock.now();
    const settlement = { seq: delivery.seq, plugin: delivery.plugin, startedAt, endedAt };
    const before = { state: this.#breaker.state, nextProbeAt: this.#breaker.nextProbeAt };
    const verdict = failure === null ? DONE : this.#judge(delivery, { failure, probe, endedAt });
    if (failure === null || failure.permanent) this.#breaker.succeeded();
    this.#report(delivery, { failure, verdict });
    this.#noteOutage(failure, before);
    await ledger.settle([{ ...settlement, ...verdict, failure: this.#recorded(failure, said) }]);
    const { plugin, attempts } = delivery;
    const reason = failure?.reason ?? null;
    onAttempt?.({ plugin, outcome: verdict.outcome, reason, repeated: attempts > 0, tookMs });
  }

  /** One call of the plugin, cut off when it takes too long. Returns what went wrong. */
  async #notify({ event, detail, missing, attempts, progress }: Delivery, said: AttemptNotes): Promise<Failure | null> {
    const { plugin, policy, log, redact } = this.#options;
    const attempt = this.#attempts.begin();
    const { signal } = attempt;
    const context: NotifyContext = {
      ...event,
      attempt: attempts + 1,
      signal,
      log,
      missing,
      ...(progress === undefined ? {} : { progress }),
      keep: (progress) => said.keep(progress),
      note: (text) => said.note(text),
    };
    try {
      await attempt.run(() => plugin.notify(detail, event.created, context));
      return null;
    } catch (error) {
      if (this.#isCutOff) return INTERRUPTED;
      return failureOf(signal.aborted ? signal.reason : error, { permanentStatuses: policy.permanentStatuses, redact });
    } finally {
      this.#attempts.end(attempt);
    }
  }

  /** What the ledger keeps of an attempt beside its outcome. */
  #recorded(failure: Failure | null, { notes, progress }: AttemptNotes): Settlement["failure"] {
    const { redact } = this.#options;
    if (failure === null) {
      return notes.length === 0
        ? null
        : { reason: "partial", error: redact(notes.join("; ")).slice(0, MAX_ERROR_LENGTH) };
    }
    const { reason, error } = failure;
    return { reason, error, ...(progress === undefined ? {} : { progress }) };
  }

  /** Whether and when to try again. Time counts towards the end only while the target was there to be tried. */
  #judge(
    { attempts, triedMs, lastAttemptAt, event }: Delivery,
    { failure, probe, endedAt }: { readonly failure: Failure; readonly probe: boolean; readonly endedAt: number },
  ): Verdict {
    const { policy, random } = this.#options;
    if (failure.reason === "interrupted") return { outcome: "interrupted", dueAt: 0, triedMs };
    const elapsedMs = lastAttemptAt === null || probe ? 0 : endedAt - lastAttemptAt;
    // A clock that jumps, and days in which nothing ran, are no days of trying.
    const longestMs = policy.maxDelayMs + policy.attemptTimeoutMs + failure.retryAfterMs;
    const tried = triedMs + Math.max(0, Math.min(elapsedMs, longestMs));
    const { reason, permanent, retryAfterMs } = failure;
    if (!permanent) this.#breaker.failed({ reason, serverId: event.serverId, at: endedAt, retryAfterMs });
    if (permanent || tried >= policy.maxAgeMs) return { outcome: "dead", dueAt: 0, triedMs: tried };
    const dueAt = endedAt + Math.max(delayMs(policy, { failures: attempts + 1, random }), retryAfterMs);
    return { outcome: "retry", dueAt: this.#dueForProbe(dueAt, endedAt + retryAfterMs), triedMs: tried };
  }

  /** While the breaker is open, it alone says when the next probe is: one that is let through must find a delivery. */
  #dueForProbe(dueAt: number, earliest: number): number {
    const { state, nextProbeAt } = this.#breaker;
    return state === "open" ? Math.min(dueAt, Math.max(nextProbeAt, earliest)) : dueAt;
  }

  /** Tells of a breaker that opened or closed, or whose next probe is put off. */
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
    // In the transaction of the attempt's outcome, which waits for the disk if need be.
    ledger.noteOutage(this.name, outage).catch((error) => log.debug(`Cannot note the state of the target: ${error}`));
    onOutage?.(this.name, outage);
  }

  #report(
    { event, attempts }: Delivery,
    { failure, verdict }: { readonly failure: Failure | null; readonly verdict: Verdict },
  ): void {
    const { log } = this.#options;
    if (failure === null) log.debug(`Delivered ${event.key}`);
    else if (verdict.outcome === "dead") {
      log.error(`Gave up ${event.key} after ${attempts + 1} attempts: ${failure.error}`);
    } else log.warn(`Attempt ${attempts + 1} of ${event.key} failed (${failure.reason}): ${failure.error}`);
  }
}

interface Verdict {
  readonly outcome: "done" | "retry" | "dead" | "interrupted";
  readonly dueAt: number;
  readonly triedMs: number;
}

const DONE: Verdict = { outcome: "done", dueAt: 0, triedMs: 0 };

const INTERRUPTED: Failure = {
  reason: "interrupted",
  error: "The service stopped before the attempt ended",
  permanent: false,
  retryAfterMs: 0,
};
