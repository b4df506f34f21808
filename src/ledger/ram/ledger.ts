import type { Decision } from "../../model/decision.ts";
import type { ServerSnapshot, WatcherEvent } from "../../model/event.ts";
import type { Gap } from "../../model/gap.ts";
import {
  type AnnouncedUpdates,
  type Arrival,
  type CreationFate,
  type Decider,
  type Delivery,
  type DetailRecord,
  type FollowOptions,
  type ImmediateMaker,
  type Ledger,
  type LedgerEvent,
  type Listing,
  LISTINGS,
  type Primer,
  type PrimingProgress,
  type ReadyQuery,
  type Rejection,
  type Settlement,
} from "../../model/ledger.ts";
import type { Json, Notification } from "../../model/notification.ts";
import { NEVER_PAUSED, type PauseState } from "../../model/pause.ts";
import { mergeSnapshots } from "../../model/snapshot.ts";
import { causeOf, sentOf } from "../message_identity.ts";
import { learnedMemory } from "../learned_memory.ts";
import { isFinal } from "../final_outcome.ts";
import { RamFates } from "./fates.ts";
import { RamMemory } from "./memory.ts";
import { RamUpdates } from "./updates.ts";

interface EventRow {
  readonly seq: number;
  event: WatcherEvent;
  record: DetailRecord | null;
}

interface DeliveryRow {
  readonly row: EventRow;
  readonly plugin: string;
  attempts: number;
  triedMs: number;
  lastAttemptAt: number | null;
  dueAt: number;
  progress: Json | undefined;
}

/** The ledger in RAM, for the dry run: the contract of {@linkcode Ledger}, without a file. */
export class RamLedger implements Ledger {
  readonly #now: () => number;
  readonly #memory = new RamMemory();
  #updates: RamUpdates | null = null;
  /** Identities of recorded messages: time and id. */
  readonly #recorded = new Set<string>();
  readonly #priming = new Map<Listing, PrimingProgress>();
  readonly #undecided: Notification[] = [];
  /** The keys of all events. */
  readonly #keys = new Set<string>();
  /**
   * Events without a detail, by number. Events with a detail are referenced by their unfinished
   * deliveries alone: a dry run may watch a cloud for days, and must not grow.
   */
  readonly #undetailed = new Map<number, EventRow>();
  readonly #open: DeliveryRow[] = [];
  readonly #fates = new RamFates();
  readonly rejections: Rejection[] = [];
  /** By source, exchange and start. */
  readonly #gaps = new Map<string, Gap>();
  #plugins: readonly string[] = [];
  #seq = 0;

  /** @param now Milliseconds since the epoch: when changes of a server settle. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  record(arrivals: readonly Arrival[]): Promise<number> {
    let recorded = 0;
    for (const arrival of arrivals) {
      if ("rejection" in arrival) this.rejections.push(arrival.rejection);
      else {
        const id = `${sentOf(arrival)} ${arrival.notification.messageId}`;
        if (this.#recorded.has(id)) continue;
        this.#recorded.add(id);
        this.#undecided.push(arrival.notification);
      }
      recorded++;
    }
    return Promise.resolve(recorded);
  }

  async decide(limit: number, decider: Decider, make?: ImmediateMaker): Promise<number> {
    let decided = 0;
    const before = this.#seq;
    try {
      for (const notification of this.#undecided.slice(0, limit)) {
        const decision = decider(notification, this.#memory);
        if (decision === null) break;
        this.#apply(decision, notification);
        decided++;
      }
    } finally {
      this.#undecided.splice(0, decided);
    }
    if (make !== undefined && this.#seq > before) await this.#detailSince(before, make);
    return decided;
  }

  priming(): Promise<readonly PrimingProgress[]> {
    return Promise.resolve(LISTINGS.flatMap((listing) => this.#priming.get(listing) ?? []));
  }

  // deno-lint-ignore require-await -- async turns what the merge throws into a rejection
  async prime(primer: Primer): Promise<void> {
    const { changes, progress } = primer(this.#memory);
    this.#memory.apply(changes);
    this.#priming.set(progress.listing, progress);
  }

  undetailed(limit: number, after = 0): Promise<readonly LedgerEvent[]> {
    const rows = [...this.#undetailed.values()].filter(({ seq }) => seq > after).slice(0, limit);
    return Promise.resolve(rows.map(({ seq, event }) => {
      const remembered = event.server.id === null ? undefined : this.#memory.server(event.server.id);
      return { seq, event, remembered: remembered?.snapshot ?? null };
    }));
  }

  storeDetails(details: readonly DetailRecord[]): Promise<void> {
    for (const detail of details) {
      const row = this.#undetailed.get(detail.seq);
      if (row === undefined) continue;
      row.record = detail;
      this.#undetailed.delete(detail.seq);
      this.#updates?.detailed(row.event, detail.detail);
      const server = learnedMemory(detail, { event: row.event, memory: this.#memory });
      if (server !== null) this.#memory.apply({ servers: [server], ports: [], floatingIps: [] });
    }
    return Promise.resolve();
  }

  activate(plugins: readonly string[]): Promise<void> {
    this.#plugins = plugins;
    return Promise.resolve();
  }

  follow(options: FollowOptions): Promise<void> {
    this.#updates = new RamUpdates(options, { memory: this.#memory, now: this.#now });
    return Promise.resolve();
  }

  async announceUpdates(limit: number, make?: ImmediateMaker): Promise<AnnouncedUpdates> {
    const due = this.#updates?.due(limit) ?? [];
    const before = this.#seq;
    for (const serverId of due) this.#settleUpdate(serverId);
    if (make !== undefined && this.#seq > before) await this.#detailSince(before, make);
    return { settled: due.length, nextDueAt: this.#updates?.nextDueAt() ?? null };
  }

  ready({ plugin, now, limit, busy }: ReadyQuery): Promise<readonly Delivery[]> {
    const ready = this.#unblocked(plugin).filter(({ dueAt, row }) => dueAt <= now && !busy?.has(row.seq));
    ready.sort((one, other) => one.dueAt - other.dueAt || one.row.seq - other.row.seq);
    return Promise.resolve(ready.slice(0, limit).map((delivery) => this.#delivery(delivery)));
  }

  nextDueAt(plugin: string): Promise<number | null> {
    const due = this.#unblocked(plugin).map(({ dueAt }) => dueAt);
    return Promise.resolve(due.length === 0 ? null : Math.min(...due));
  }

  creationFate(plugin: string, { key }: { readonly key: string }): Promise<CreationFate> {
    return Promise.resolve(this.#fates.of(plugin, key));
  }

  settle(settlements: readonly Settlement[]): Promise<void> {
    for (const { seq, plugin, outcome, endedAt, dueAt, triedMs, failure } of settlements) {
      const at = this.#open.findIndex((delivery) => delivery.plugin === plugin && delivery.row.seq === seq);
      const delivery = this.#open[at];
      if (delivery === undefined) continue;
      if (outcome === "done") this.#updates?.told(plugin, delivery.row);
      this.#fates.settled(plugin, delivery.row.event.key, outcome);
      if (isFinal(outcome)) this.#open.splice(at, 1);
      else if (outcome === "begun") delivery.lastAttemptAt = endedAt;
      else {
        const attempts = delivery.attempts + 1;
        Object.assign(delivery, { attempts, lastAttemptAt: endedAt, dueAt, triedMs, progress: failure?.progress });
      }
    }
    return Promise.resolve();
  }

  /** Does nothing: no other process reads this ledger. */
  noteOutage(): Promise<void> {
    return Promise.resolve();
  }

  probeRequests(): Promise<number> {
    return Promise.resolve(0);
  }

  pauseOf(): Promise<PauseState> {
    return Promise.resolve(NEVER_PAUSED);
  }

  recordGap(gap: Gap): Promise<void> {
    const { source, exchange, from } = gap;
    this.#gaps.set(JSON.stringify([source.queue, source.brokers, exchange, from]), gap);
    return Promise.resolve();
  }

  lastRunAt(): Promise<null> {
    return Promise.resolve(null);
  }

  openGaps(): Promise<readonly Gap[]> {
    const open = this.#gaps.values().filter(({ to }) => to === null).toArray();
    return Promise.resolve(open.sort((one, other) => one.from - other.from));
  }

  /** Makes the details of all events after `seq`. */
  async #detailSince(seq: number, make: ImmediateMaker): Promise<void> {
    const events = await this.undetailed(Number.MAX_SAFE_INTEGER, seq);
    await this.storeDetails(events.map((row) => ({ seq: row.seq, ...make(row.event), learned: null })));
  }

  #apply({ events, fill, changes, changedServers = [] }: Decision, notification: Notification): void {
    this.#memory.apply(changes);
    if (fill !== null) this.#fill(fill);
    for (const event of events) {
      if (this.#keys.has(event.key)) continue;
      for (const serverId of this.#updates?.releasing(event) ?? []) this.#settleUpdateFirst(serverId);
      this.#add(event);
    }
    for (const serverId of changedServers) this.#updates?.mark(serverId, causeOf(notification));
  }

  /** Adds the update of a changed server, behind those that release what it takes. */
  #settleUpdate(serverId: string): void {
    this.#addUpdate(this.#updates?.settle(serverId) ?? null);
  }

  /** The same at once: an event takes what the update may release. */
  #settleUpdateFirst(serverId: string): void {
    this.#addUpdate(this.#updates?.settle(serverId, { isAwaited: true }) ?? null);
  }

  #addUpdate(event: WatcherEvent | null): void {
    if (event === null) return;
    for (const other of this.#updates?.releasing(event) ?? []) this.#settleUpdateFirst(other);
    this.#add(event);
  }

  #add(made: WatcherEvent): void {
    const event = this.#updates?.announced(made, this.#plugins) ?? made;
    const row: EventRow = { seq: ++this.#seq, event, record: null };
    this.#keys.add(event.key);
    this.#undetailed.set(row.seq, row);
    for (const plugin of this.#plugins) {
      if (event.updated && !this.#updates?.follows(plugin, event)) continue;
      this.#open.push({ row, plugin, attempts: 0, triedMs: 0, lastAttemptAt: null, dueAt: 0, progress: undefined });
    }
  }

  #delivery(delivery: DeliveryRow): Delivery {
    const { plugin, row: { event: { server, updates } } } = delivery;
    if (updates === undefined || server.id === null) return asDelivery(delivery);
    return { ...asDelivery(delivery), before: this.#updates?.before(plugin, server.id) ?? null };
  }

  #fill({ key, server }: { readonly key: string; readonly server: ServerSnapshot }): void {
    const row = this.#undetailed.values().find(({ event }) => event.key === key);
    if (row !== undefined) row.event = { ...row.event, server: mergeSnapshots(row.event.server, server) };
  }

  /** The deliveries that have a detail and are not blocked by an earlier one. */
  #unblocked(plugin: string): DeliveryRow[] {
    const held = new Set<string>();
    const unblocked: DeliveryRow[] = [];
    for (const delivery of this.#open) {
      if (delivery.plugin !== plugin) continue;
      const { orderKeys } = delivery.row.event;
      if (delivery.row.record !== null && !orderKeys.some((key) => held.has(key))) unblocked.push(delivery);
      for (const key of orderKeys) held.add(key);
    }
    return unblocked;
  }
}

function asDelivery(
  { row: { seq, event, record }, plugin, attempts, triedMs, lastAttemptAt, progress }: DeliveryRow,
): Delivery {
  const { detail, missing } = record as DetailRecord;
  const { key, subject, created, updated, eventType, time, creationSeen, server, origin } = event;
  const marks = { ...(origin === undefined ? {} : { origin }), ...(updated ? { updated } : {}) };
  return {
    seq,
    plugin,
    event: { key, subject, created, eventType, time, creationSeen, serverId: server.id, ...marks },
    detail,
    missing,
    attempts,
    triedMs,
    lastAttemptAt,
    ...(progress === undefined ? {} : { progress }),
  };
}
