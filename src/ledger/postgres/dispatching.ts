import type { CreationFate, Delivery, ReadyQuery, Settlement } from "../../model/ledger.ts";
import { LeaseLost, pluginLease } from "../../model/tenancy.ts";
import { isFinal, isUntold } from "../final_outcome.ts";
import { Batcher } from "./batcher.ts";
import type { Queries } from "./client.ts";
import { creationFate } from "./creation_fates.ts";
import { DeliveryReader } from "./delivery_reader.ts";
import type { Committed } from "./facts_transaction.ts";
import type { HeldLeases } from "./held_leases.ts";
import type { OpenDelivery } from "./open_deliveries.ts";
import type { Plugins } from "./plugins.ts";
import { SettlementRows, type Written } from "./settlements.ts";
import { DeliveryWindow, type WindowState } from "./window.ts";

export interface DispatchingOptions {
  readonly queries: Queries;
  readonly leases: HeldLeases;
  readonly plugins: Plugins;
  /** Outcomes that one statement settles. */
  readonly most: number;
  /** Outcomes that do not wait for others. */
  readonly enough: number;
}

/** An outcome that waits for its statement. */
interface Outcome {
  readonly plugin: number;
  readonly settlement: Settlement;
  readonly window: DeliveryWindow;
}

/** What is saved of a plugin's queue beside outcomes. */
interface Saving {
  readonly plugin: string;
  /** Whether RAM has what the tables have. */
  readonly isCurrent: boolean;
  readonly lagging: readonly OpenDelivery[];
  /** `null`: its start is not saved now. */
  readonly start: number | null;
}

const NONE_BUSY: ReadonlySet<number> = new Set();

/** Events that are read together, when one is not in RAM. */
const READ_EVENTS = 250;

/** The deliveries of the plugins whose leases are ours. */
export class Dispatching {
  readonly #options: DispatchingOptions;
  readonly #reader: DeliveryReader;
  readonly #outcomes: Batcher<Outcome>;
  /** By the names of the plugins. */
  readonly #windows = new Map<string, DeliveryWindow>();

  constructor(options: DispatchingOptions) {
    this.#options = options;
    this.#reader = new DeliveryReader(options.queries);
    this.#outcomes = new Batcher((outcomes) => this.#settle(outcomes), { most: options.most, enough: options.enough });
  }

  /** The lease of a plugin was taken. */
  begin(lease: string): void {
    const plugin = pluginOf(lease);
    if (plugin !== null) this.#windows.set(plugin, new DeliveryWindow(this.#options.plugins.of(plugin)));
  }

  /** The lease of a plugin ends: saves where its queue begins. */
  async end(lease: string): Promise<void> {
    const plugin = pluginOf(lease);
    const window = plugin === null ? undefined : this.#windows.get(plugin);
    if (plugin === null || window === undefined) return;
    this.#windows.delete(plugin);
    const [start, held, { changes }] = [window.startAtEnd(), this.#options.leases.get(lease), window];
    if (start === null || held === undefined || changes === null) return;
    const rows = new SettlementRows();
    rows.prove({ plugin: window.plugin, lease: held, changes });
    rows.addStart(window.plugin, start);
    await rows.write(this.#options.queries);
  }

  /** Takes what this process has announced, without reading it again. */
  committed({ events, detailed }: Committed): void {
    for (const event of events) {
      let inMemory = 0;
      for (const window of this.#windows.values()) if (window.append(event)) inMemory++;
      if (event.recent !== null && inMemory > 0) this.#reader.recent.add(event.seq, event.recent, inMemory);
    }
    for (const window of this.#windows.values()) for (const seq of detailed) window.deliveries.detailed(seq);
  }

  /** Others may have announced events, or made details. */
  notice(): void {
    for (const window of this.#windows.values()) window.notice();
  }

  /** Reloads the windows of plugins whose deliveries operators' commands have changed. Returns whether there are any. */
  changed(changes: ReadonlyMap<number, number>): boolean {
    const changed = [...this.#windows.values()].filter((window) =>
      window.changes !== null && changes.get(window.plugin) !== window.changes
    );
    for (const window of changed) window.reload();
    return changed.length > 0;
  }

  /** The tables may not have what was committed. */
  reload(): void {
    for (const window of this.#windows.values()) window.reload();
  }

  async ready({ plugin, now, limit, busy = NONE_BUSY }: ReadyQuery): Promise<readonly Delivery[]> {
    const { queries } = this.#options;
    const window = this.#windows.get(plugin);
    if (window === undefined) return [];
    await window.fill({ now, limit, busy }, queries);
    const ready = window.deliveries.ready({ now, limit, busy });
    const events = await this.#reader.events(ready, {
      next: () => window.deliveries.ready({ now, limit: Math.max(limit, READ_EVENTS), busy }),
      holders: (seq) => this.#holders(seq),
    });
    const found = ready.flatMap((delivery) => {
      const event = events.get(delivery.seq);
      return event === undefined ? [] : [{ delivery, event }];
    });
    const deliveries = await this.#reader.read({ plugin, number: window.plugin }, found);
    // Others were finished, or blocked by a replay, while they were read.
    return deliveries.filter(({ seq }) => window.deliveries.stateOf(seq) === "ready");
  }

  /** How many plugins have a delivery of an event in RAM. */
  #holders(seq: number): number {
    let holders = 0;
    for (const { deliveries } of this.#windows.values()) if (deliveries.get(seq) !== undefined) holders++;
    return holders;
  }

  async nextDueAt(plugin: string): Promise<number | null> {
    const { queries } = this.#options;
    const window = this.#windows.get(plugin);
    if (window === undefined) return null;
    await window.lookForDetails(queries);
    await window.fill({ now: Infinity, limit: 1, busy: NONE_BUSY }, queries);
    return window.deliveries.nextDueAt();
  }

  async creationFate(
    plugin: string,
    event: { readonly seq: number; readonly key: string },
  ): Promise<CreationFate> {
    const { plugins, queries } = this.#options;
    return plugins.has(plugin) ? await creationFate(queries, plugins.of(plugin), event) : "unknown";
  }

  /** As {@linkcode Ledger.settle}. @throws {LeaseLost} when another process has the lease. */
  async settle(settlements: readonly Settlement[], waitMs: number): Promise<void> {
    await Promise.all(settlements.map(async (settlement) => {
      const window = this.#windows.get(settlement.plugin);
      if (!this.#options.plugins.has(settlement.plugin)) return;
      if (window === undefined) throw new LeaseLost(`The deliveries of ${settlement.plugin} are another process's`);
      const { outcome, seq } = settlement;
      const isAwaited = outcome === "begun" || (isFinal(outcome) && window.deliveries.isAwaited(seq));
      await this.#outcomes.add({ plugin: window.plugin, settlement, window }, isAwaited ? 0 : waitMs);
    }));
  }

  stateOf(plugin: string): WindowState | null {
    return this.#windows.get(plugin)?.state() ?? null;
  }

  async #settle(outcomes: readonly Outcome[]): Promise<void> {
    for (let left = outcomes; left.length > 0;) left = await this.#settleOnce(left);
  }

  /** Settles outcomes. Returns those of plugins whose deliveries an operator's command has changed meanwhile. */
  async #settleOnce(outcomes: readonly Outcome[]): Promise<readonly Outcome[]> {
    const rows = new SettlementRows();
    const windows = await this.#windowsOf(outcomes, rows);
    const stale = new Set<DeliveryWindow>();
    for (const outcome of outcomes) {
      const isCurrent = windows.get(outcome.window)?.isCurrent === true;
      if (await this.#addOutcome(rows, outcome, isCurrent) || !isCurrent) stale.add(outcome.window);
    }
    const settled = new Set(outcomes.map(({ settlement: { plugin, seq } }) => `${plugin} ${seq}`));
    for (const [window, { lagging, start, plugin }] of windows) {
      if (start === null) continue;
      for (const delivery of lagging) {
        if (settled.has(`${plugin} ${delivery.seq}`)) continue;
        rows.add({ ...delivery, plugin: window.plugin, state: "open", finishedAt: null });
      }
      rows.addStart(window.plugin, start);
    }
    const written = await this.#write(rows, windows.keys());
    for (const outcome of outcomes) if (written.get(outcome.plugin) === "written") this.#settled(outcome);
    for (const [window, { lagging, start }] of windows) {
      if (stale.has(window) || written.get(window.plugin) === "changed") window.reload();
      if (start === null || written.get(window.plugin) !== "written") continue;
      for (const { seq } of lagging) window.deliveries.written(seq);
      window.saved(start);
    }
    const lost = outcomes.find(({ plugin }) => written.get(plugin) === "lost");
    if (lost !== undefined) throw new LeaseLost(`The deliveries of ${lost.settlement.plugin} are another process's`);
    return outcomes.filter(({ plugin }) => written.get(plugin) === "changed");
  }

  /** The windows of outcomes, and what is to be saved of them; proves their leases. */
  async #windowsOf(outcomes: readonly Outcome[], rows: SettlementRows): Promise<ReadonlyMap<DeliveryWindow, Saving>> {
    const windows = new Map<DeliveryWindow, Saving>();
    for (const { settlement: { plugin }, window } of outcomes) {
      if (windows.has(window)) continue;
      const isCurrent = window.changes !== null;
      windows.set(window, { plugin, isCurrent, lagging: window.lagging(), start: window.startToSave() });
      const changes = window.changes ?? await this.#changesOf(window.plugin);
      rows.prove({ plugin: window.plugin, lease: this.#options.leases.require(pluginLease(plugin)), changes });
    }
    return windows;
  }

  async #changesOf(plugin: number): Promise<number> {
    const [row] = await this.#options.queries.rows("SELECT changes FROM plugin WHERE id = $1", [plugin]);
    return Number(row?.["changes"]);
  }

  async #write(
    rows: SettlementRows,
    windows: Iterable<DeliveryWindow>,
  ): Promise<ReadonlyMap<number, Written>> {
    try {
      return await rows.write(this.#options.queries);
    } catch (error) {
      // Nobody knows whether it was written, nor what was lost before.
      for (const window of windows) window.reload();
      throw error;
    }
  }

  /** Returns whether others are given up for it, which are in the window perhaps. */
  async #addOutcome(rows: SettlementRows, { settlement, window }: Outcome, isCurrent: boolean): Promise<boolean> {
    const { seq, outcome, startedAt, endedAt, dueAt, triedMs, failure } = settlement;
    const { plugin } = window;
    const known = window.deliveries.get(seq) ?? await this.#stored(plugin, seq);
    // An operator dropped it during the attempt.
    if (known === null) return false;
    const attempts = isUntold(outcome) ? 0 : outcome === "begun" ? known.attempts : known.attempts + 1;
    const last = isUntold(outcome) ? known.lastAttemptAt : endedAt;
    const state = !isFinal(outcome) ? "open" : outcome === "dead" || outcome === "undecided" ? "dead" : "done";
    const finishedAt = isFinal(outcome) ? endedAt : null;
    const due = isFinal(outcome) || outcome === "begun" ? known.dueAt : dueAt;
    rows.add({ plugin, seq, state, dueAt: due, attempts, triedMs, lastAttemptAt: last, finishedAt });
    if (failure !== null) rows.addFailure({ plugin, seq, attempt: attempts, startedAt, endedAt, failure });
    // It was ready when its attempt began: only the replay of an older one can have blocked it, or has
    // come since the window was read.
    const isFirst = isCurrent && window.deliveries.stateOf(seq) === "ready";
    if ((outcome !== "done" && outcome !== "unneeded") || isFirst) return false;
    rows.giveUpEarlier({ plugin, seq, startedAt, endedAt, isTold: outcome === "done" });
    return true;
  }

  #settled({ window, settlement }: Outcome): void {
    const { seq, outcome, dueAt, endedAt, triedMs } = settlement;
    if (isFinal(outcome)) {
      window.finish(seq);
      this.#reader.recent.finished(seq);
      return;
    }
    const known = window.deliveries.get(seq);
    const attempts = known?.attempts ?? 0;
    const next = outcome === "begun" ? { dueAt: known?.dueAt ?? 0, attempts } : { dueAt, attempts: attempts + 1 };
    window.deliveries.postpone(seq, { ...next, triedMs, lastAttemptAt: endedAt });
  }

  /** A delivery that is not in RAM; `null`: it is finished. */
  async #stored(
    plugin: number,
    seq: number,
  ): Promise<Pick<OpenDelivery, "attempts" | "dueAt" | "lastAttemptAt"> | null> {
    const [row] = await this.#options.queries.rows(STORED, [plugin, seq]);
    if (row === undefined) return { attempts: 0, dueAt: 0, lastAttemptAt: null };
    if (row["finished_at"] !== null) return null;
    const last = row["last_attempt_at"];
    return {
      attempts: Number(row["attempts"]),
      dueAt: Number(row["due_at"]),
      lastAttemptAt: last === null ? null : Number(last),
    };
  }
}

/** The plugin whose deliveries a lease is of; `null`: it is of something else. */
function pluginOf(lease: string): string | null {
  const prefix = pluginLease("");
  return lease.startsWith(prefix) ? lease.slice(prefix.length) : null;
}

const STORED = "SELECT attempts, due_at, last_attempt_at, finished_at FROM delivery WHERE plugin = $1 AND seq = $2";
