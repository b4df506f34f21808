import type { Clock } from "../../model/clock.ts";
import type { Gap } from "../../model/gap.ts";
import type {
  AnnouncedUpdates,
  Arrival,
  CreationFate,
  Decider,
  Delivery,
  DetailRecord,
  FollowOptions,
  ImmediateMaker,
  Ledger,
  LedgerEvent,
  Primer,
  PrimingProgress,
  ReadyQuery,
  Settlement,
} from "../../model/ledger.ts";
import type { TargetOutage } from "../../model/outage.ts";
import type { PauseState } from "../../model/pause.ts";
import type { AttemptSpans } from "./attempt_spans.ts";
import { DetailTimes } from "./detail_times.ts";
import type { NotificationSpans, Timed, TimedDecision, TimedDetail } from "./notification_spans.ts";

export interface TracedLedgerOptions {
  readonly ledger: Ledger;
  /** The ids of the messages that led to events, by the numbers of the events. */
  readonly causesOf: (seqs: readonly number[]) => Promise<ReadonlyMap<number, string>>;
  readonly notifications: NotificationSpans;
  readonly attempts: AttemptSpans;
  readonly clock: Clock;
}

/**
 * A ledger that makes spans of what passes through it. All stages share the ledger and nothing else,
 * so that none of them knows of traces. A span is made of what is on disk, or on its way there: a call
 * that fails makes none. Decisions of PostgreSQL's ledger whose commit fails are made, and traced, twice.
 */
export class TracedLedger implements Ledger {
  readonly #options: TracedLedgerOptions;
  readonly #ledger: Ledger;
  readonly #details = new DetailTimes();

  constructor(options: TracedLedgerOptions) {
    this.#options = options;
    this.#ledger = options.ledger;
  }

  async record(arrivals: readonly Arrival[]): Promise<number> {
    const stopwatch = this.#stopwatch();
    const recorded = await this.#ledger.record(arrivals);
    this.#options.notifications.recorded(arrivals, stopwatch());
    return recorded;
  }

  async decide(limit: number, decider: Decider, make?: ImmediateMaker): Promise<number> {
    const { notifications } = this.#options;
    const decisions: TimedDecision[] = [];
    const details = new Map<string, TimedDetail>();
    const decided = await this.#ledger.decide(limit, (notification, memory, isProbe) => {
      if (isProbe) return decider(notification, memory, isProbe);
      const stopwatch = this.#stopwatch();
      const decision = decider(notification, memory);
      if (decision !== null) decisions.push({ notification, decision, ...stopwatch() });
      return decision;
    }, make && this.#timed(make, details));
    if (decided === 0) return decided;
    // A commit that was retried has decided some twice: the last are the committed ones.
    notifications.decided(decisions.slice(-decided));
    for (const detail of details.values()) notifications.detailed(detail);
    return decided;
  }

  async announceUpdates(limit: number, make?: ImmediateMaker): Promise<AnnouncedUpdates> {
    const details = new Map<string, TimedDetail>();
    const announced = await this.#ledger.announceUpdates(limit, make && this.#timed(make, details));
    for (const detail of details.values()) this.#options.notifications.detailed(detail);
    return announced;
  }

  async undetailed(limit: number, after?: number): Promise<readonly LedgerEvent[]> {
    const events = await this.#ledger.undetailed(limit, after);
    this.#details.begun(events, this.#options.clock.now());
    return events;
  }

  async storeDetails(details: readonly DetailRecord[]): Promise<void> {
    await this.#ledger.storeDetails(details);
    const { notifications, clock } = this.#options;
    for (const detail of this.#details.ended(details, clock.now())) notifications.detailed(detail);
  }

  async ready(query: ReadyQuery): Promise<readonly Delivery[]> {
    const { attempts, causesOf } = this.#options;
    const deliveries = await this.#ledger.ready(query);
    if (deliveries.length === 0) return deliveries;
    // Deliveries do not wait for a ledger that cannot say this: their traces are then apart.
    const causes = await causesOf(deliveries.map(({ seq }) => seq)).catch(() => new Map<number, string>());
    attempts.read(deliveries, causes);
    return deliveries;
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    await this.#ledger.settle(settlements);
    this.#options.attempts.settled(settlements);
  }

  priming(): Promise<readonly PrimingProgress[]> {
    return this.#ledger.priming();
  }

  prime(primer: Primer): Promise<void> {
    return this.#ledger.prime(primer);
  }

  activate(plugins: readonly string[]): Promise<void> {
    return this.#ledger.activate(plugins);
  }

  follow(options: FollowOptions): Promise<void> {
    return this.#ledger.follow(options);
  }

  nextDueAt(plugin: string): Promise<number | null> {
    return this.#ledger.nextDueAt(plugin);
  }

  creationFate(plugin: string, event: { readonly seq: number; readonly key: string }): Promise<CreationFate> {
    return this.#ledger.creationFate(plugin, event);
  }

  noteOutage(plugin: string, outage: TargetOutage | null): Promise<void> {
    return this.#ledger.noteOutage(plugin, outage);
  }

  probeRequests(plugin: string): Promise<number> {
    return this.#ledger.probeRequests(plugin);
  }

  pauseOf(plugin: string): Promise<PauseState> {
    return this.#ledger.pauseOf(plugin);
  }

  recordGap(gap: Gap): Promise<void> {
    return this.#ledger.recordGap(gap);
  }

  openGaps(): Promise<readonly Gap[]> {
    return this.#ledger.openGaps();
  }

  lastRunAt(): Promise<number | null> {
    return this.#ledger.lastRunAt();
  }

  /** The last making of each event's detail counts. */
  #timed(make: ImmediateMaker, details: Map<string, TimedDetail>): ImmediateMaker {
    return (event) => {
      const stopwatch = this.#stopwatch();
      const made = make(event);
      details.set(event.key, { event, missing: made.missing, ...stopwatch() });
      return made;
    };
  }

  /** The system's clock says when, the monotonic one how long. */
  #stopwatch(): () => Timed {
    const { clock } = this.#options;
    const [startedAt, startedMs] = [clock.now(), clock.passedMs()];
    return () => ({ startedAt, endedAt: startedAt + clock.passedMs() - startedMs });
  }
}
