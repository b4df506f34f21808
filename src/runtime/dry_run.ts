import { type DetailSource, enrich, enrichedEvent, keysToAsk, missingKeys } from "../detail/enrich.ts";
import { callOf } from "../dispatch/call.ts";
import { type FilteredCall, filteredCall } from "../dispatch/filtered_call.ts";
import { decide, watchedEventTypes } from "../facts/decide.ts";
import { admitNotification } from "../intake/admit_notification.ts";
import { RamLedger } from "../ledger/ram/ledger.ts";
import type { Config, DetailOptions } from "../model/config.ts";
import type { Outcome } from "../model/decision.ts";
import type { Detail } from "../model/detail.ts";
import type { WatcherEvent } from "../model/event.ts";
import { type Following, followingOf } from "../model/following.ts";
import type { Delivery, ImmediateMaker, LedgerEvent, Settlement } from "../model/ledger.ts";
import type { Notification } from "../model/notification.ts";
import type { Logger, Plugin } from "../model/plugin.ts";
import { filterOf } from "../model/plugin_filter.ts";
import { redact } from "../wire/secrets/redact.ts";
import { detailMaker, detailOptionsOf } from "./detail_stage.ts";
import { followOptionsOf } from "./follow_options.ts";
import { type PluginPreview, previewOf, untoldPreview } from "./preview.ts";
import { rulesOf } from "./rules.ts";

/** An event, as a plugin that follows updates is told of it. */
export interface DryRunEvent {
  readonly key: string;
  readonly created: boolean;
  readonly detail: Detail;
  /** Of an update: the detail that was told before. */
  readonly before?: Detail;
  /** Of an update: the keys whose changes are told. */
  readonly changed?: readonly string[];
}

/** The result of one notification, or of changes that have settled. */
export interface DryRunResult {
  readonly messageId: string;
  readonly event: string;
  readonly time: string | null;
  readonly outcome: Outcome | "ignored" | "refused" | "copy";
  readonly events: readonly DryRunEvent[];
  readonly creationSeen: ReadonlyMap<string, boolean>;
  /**
   * The keys that OpenStack would be asked for, by event. Empty without an `openstack` section, and
   * when OpenStack was asked.
   */
  readonly keysToAsk: ReadonlyMap<string, readonly string[]>;
  readonly plugins: readonly PluginPreview[];
  /** Why there are no events; `null` if there are. */
  readonly reason: string | null;
}

export interface DryRunOptions {
  readonly config: Config;
  readonly plugins: ReadonlyMap<string, Plugin>;
  readonly log: (part: string) => Logger;
  /** Completes details; without it, OpenStack is not asked. */
  readonly source?: DetailSource;
  /**
   * Results shall depend on the configuration and the notifications alone: each event has the number
   * 1, however many came before it, and a notification without a time has that of the one before.
   *
   * @default false
   */
  readonly isReproducible?: boolean;
}

/** One event with its detail. */
interface DetailedEvent {
  readonly key: string;
  readonly cause: Pick<WatcherEvent, "messageId" | "eventType" | "time">;
  readonly creationSeen: boolean;
  readonly keysToAsk: readonly string[];
}

/** The name under which the dry run itself gets every event, also without plugins. */
const OBSERVER = "";

/**
 * The dry run: the service's stages over a ledger in RAM, with plugins' previews instead of
 * dispatch. Its time is that of the notifications.
 */
export class DryRun {
  readonly #options: DryRunOptions;
  readonly #following: Following | null;
  readonly #detailOptions: DetailOptions;
  readonly #ledger = new RamLedger(() => this.#nowMs);
  readonly #makeDetail: ImmediateMaker;
  #nowMs = 0;
  #hasBegun = false;

  constructor(options: DryRunOptions) {
    this.#options = options;
    this.#following = followingOf(options.config.events);
    this.#detailOptions = detailOptionsOf(options.config);
    this.#makeDetail = detailMaker(this.#detailOptions, options.log("detail"));
  }

  /**
   * Processes one notification, after all earlier ones. Call {@linkcode DryRun.settle} before, with
   * its time.
   */
  async take(notification: Notification): Promise<DryRunResult> {
    const { messageId, eventType, time } = notification;
    const nothing = { ...NOTHING, messageId, event: eventType, time };
    const rules = rulesOf(this.#options.config);
    const admission = admitNotification(notification, watchedEventTypes(rules));
    if ("ignored" in admission) return { ...nothing, outcome: "ignored", reason: admission.ignored };
    if ("refused" in admission) return { ...nothing, outcome: "refused", reason: admission.refused };
    await this.#begin();
    if (time !== null) this.#nowMs = Math.max(this.#nowMs, Date.parse(time));
    const timed = { ...admission.notification, time: time ?? this.#timeOfTimeless() };
    if (await this.#ledger.record([{ receivedAt: 0, notification: timed }]) === 0) {
      return { ...nothing, outcome: "copy", reason: "a copy of a notification that came before" };
    }
    const { outcome, reason } = await this.#decide();
    const [detailed, events] = [await this.#detailAll(), await this.#events()];
    if (events.length === 0) return { ...nothing, outcome, reason };
    return { ...nothing, outcome, ...resultOf(detailed, events), plugins: await this.#previews() };
  }

  #timeOfTimeless(): string {
    return (this.#options.isReproducible ? new Date(this.#nowMs) : new Date()).toISOString();
  }

  /** The updates that are due at a time, milliseconds since the epoch; `Infinity`: all. */
  async settle(nowMs: number): Promise<readonly DryRunResult[]> {
    if (this.#following === null || !this.#hasBegun) return [];
    const before = this.#nowMs;
    this.#nowMs = Math.max(before, nowMs);
    const results: DryRunResult[] = [];
    while ((await this.#ledger.announceUpdates(1)).settled > 0) {
      const [detailed, events] = [await this.#detailAll(), await this.#events()];
      const [first] = detailed;
      if (first === undefined || events.length === 0) continue;
      const { messageId, eventType, time } = first.cause;
      const own = { messageId, event: eventType, time, outcome: "event" } as const;
      results.push({ ...NOTHING, ...own, ...resultOf(detailed, events), plugins: await this.#previews() });
    }
    if (nowMs === Infinity) this.#nowMs = before;
    return results;
  }

  async #begin(): Promise<void> {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const { config, plugins } = this.#options;
    await this.#ledger.activate([OBSERVER, ...plugins.keys()]);
    const follow = followOptionsOf(config, { plugins, rules: () => ({}) });
    if (follow !== null) await this.#ledger.follow({ ...follow, plugins: [OBSERVER, ...follow.plugins] });
  }

  async #decide(): Promise<{ outcome: Outcome; reason: string }> {
    const rules = rulesOf(this.#options.config);
    let result: { outcome: Outcome; reason: string } = { outcome: "remembered", reason: "" };
    await this.#ledger.decide(1, (notification, memory) => {
      const decision = decide(notification, memory, rules);
      result = { outcome: decision.outcome, reason: decision.reason };
      return decision;
    });
    return result;
  }

  /** One after the other: what is learned for one event may serve the next. */
  async #detailAll(): Promise<readonly DetailedEvent[]> {
    const detailed: DetailedEvent[] = [];
    for (let [row] = await this.#ledger.undetailed(1); row !== undefined; [row] = await this.#ledger.undetailed(1)) {
      detailed.push(await this.#detail(row));
    }
    return detailed;
  }

  async #detail(row: LedgerEvent): Promise<DetailedEvent> {
    const { config: { openstack }, source } = this.#options;
    const options = this.#detailOptions;
    const { key, creationSeen, messageId, eventType, time } = row.event;
    const { learned, silent } = source === undefined
      ? { learned: null, silent: [] }
      : await enrich(row, { source, detail: options });
    const { detail, missing } = this.#makeDetail(enrichedEvent(row, { learned }));
    const allMissing = [...missingKeys(row.event, detail, silent), ...missing];
    await this.#ledger.storeDetails([{ seq: row.seq, detail, missing: allMissing, learned }]);
    const asks = source === undefined && openstack !== undefined ? keysToAsk(row, options) : [];
    return { key, cause: { messageId, eventType, time }, creationSeen, keysToAsk: asks };
  }

  /** The events that the dry run itself is told. */
  async #events(): Promise<readonly DryRunEvent[]> {
    const events: DryRunEvent[] = [];
    for (let ready = await this.#ready(OBSERVER); ready.length > 0; ready = await this.#ready(OBSERVER)) {
      for (const delivery of ready) {
        const { key, created } = delivery.event;
        const call = callOf(delivery, { following: this.#following, canUpdate: true });
        if (call.method === "notify") events.push({ key, created, detail: call.detail });
        if (call.method === "update") {
          const { detail, before, changed } = call;
          events.push({ key, created, detail, before, changed });
        }
        await this.#settle(delivery, call);
      }
    }
    return events;
  }

  /** Previews all deliveries in their order: a floating IP that moves ends before it begins. */
  async #previews(): Promise<readonly PluginPreview[]> {
    const previews: PluginPreview[] = [];
    const sequence = this.#options.isReproducible ? { sequence: 1 } : {};
    for (const [name, plugin] of this.#options.plugins) {
      for (let ready = await this.#ready(name); ready.length > 0; ready = await this.#ready(name)) {
        for (const delivery of ready) {
          const [canUpdate, filter] = [plugin.update !== undefined, filterOf(plugin)];
          const options = { following: this.#following, canUpdate, filter, ledger: this.#ledger, redact };
          const call = await filteredCall(delivery, options);
          if (call.method === "notify" || call.method === "update") {
            previews.push(await previewOf(plugin, { delivery, call, log: this.#options.log(name), ...sequence }));
          } else if (call.method === "skipped" || call.method === "undecided") {
            previews.push(untoldPreview(delivery, call.method === "undecided" ? call.error : null));
          }
          await this.#settle(delivery, call);
        }
      }
    }
    return previews;
  }

  #ready(plugin: string): Promise<readonly Delivery[]> {
    return this.#ledger.ready({ plugin, now: 0, limit: Number.MAX_SAFE_INTEGER });
  }

  #settle({ seq, plugin }: Delivery, { method }: FilteredCall): Promise<void> {
    const nothing = { startedAt: 0, endedAt: 0, dueAt: 0, triedMs: 0, failure: null };
    return this.#ledger.settle([{ seq, plugin, outcome: OUTCOMES[method] ?? "done", ...nothing }]);
  }
}

/** How deliveries end for which no method is called. */
const OUTCOMES: Readonly<Partial<Record<FilteredCall["method"], Settlement["outcome"]>>> = {
  none: "unneeded",
  skipped: "unneeded",
  undecided: "undecided",
};

const NOTHING = {
  events: [],
  creationSeen: new Map<string, boolean>(),
  keysToAsk: new Map<string, readonly string[]>(),
  plugins: [],
};

function resultOf(
  detailed: readonly DetailedEvent[],
  events: readonly DryRunEvent[],
): Pick<DryRunResult, "events" | "creationSeen" | "keysToAsk" | "reason"> {
  return {
    events,
    creationSeen: new Map(detailed.map(({ key, creationSeen }) => [key, creationSeen])),
    keysToAsk: new Map(detailed.map(({ key, keysToAsk }) => [key, keysToAsk])),
    reason: null,
  };
}
