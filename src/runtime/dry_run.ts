import { type DetailSource, enrich, enrichedEvent, keysToAsk, missingKeys } from "../detail/enrich.ts";
import { decide, WATCHED_EVENT_TYPES } from "../facts/decide.ts";
import { admitNotification } from "../intake/admit_notification.ts";
import { RamLedger } from "../ledger/ram/ledger.ts";
import type { Config } from "../model/config.ts";
import type { Outcome } from "../model/decision.ts";
import type { Detail } from "../model/detail.ts";
import type { Delivery, ImmediateMaker, LedgerEvent } from "../model/ledger.ts";
import type { Json, Notification } from "../model/notification.ts";
import type { Logger, NotifyContext, Plugin } from "../model/plugin.ts";
import { envSecrets, redact, withoutSecrets } from "../wire/secrets/redact.ts";
import { detailMaker } from "./detail_stage.ts";
import { rulesOf } from "./rules.ts";

/** What one plugin would send for one event. */
export interface PluginPreview {
  readonly name: string;
  readonly key: string;
  readonly created: boolean;
  /** What the plugin's `preview` says; `null` when it has none. */
  readonly preview: Json;
  /** What `preview` threw. */
  readonly error?: string;
}

/** The result of one notification. */
export interface DryRunResult {
  readonly messageId: string;
  readonly event: string;
  readonly time: string | null;
  readonly outcome: Outcome | "ignored" | "refused" | "copy";
  readonly events: readonly { readonly key: string; readonly created: boolean; readonly detail: Detail }[];
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
}

/** One event with its detail. */
interface DetailedEvent {
  readonly key: string;
  readonly created: boolean;
  readonly creationSeen: boolean;
  readonly detail: Detail;
  readonly keysToAsk: readonly string[];
}

/**
 * The dry run: the service's stages over a ledger in RAM, with plugins' previews instead of
 * dispatch.
 */
export class DryRun {
  readonly #options: DryRunOptions;
  readonly #ledger = new RamLedger();
  readonly #makeDetail: ImmediateMaker;

  constructor(options: DryRunOptions) {
    this.#options = options;
    this.#makeDetail = detailMaker(options.config.detail, options.log("detail"));
  }

  /** Processes one notification, after all earlier ones. */
  async take(notification: Notification): Promise<DryRunResult> {
    const { messageId, eventType, time } = notification;
    const nothing = {
      messageId,
      event: eventType,
      time,
      events: [],
      creationSeen: new Map<string, boolean>(),
      keysToAsk: new Map<string, readonly string[]>(),
      plugins: [],
    };
    const admission = admitNotification(notification, WATCHED_EVENT_TYPES);
    if ("ignored" in admission) return { ...nothing, outcome: "ignored", reason: admission.ignored };
    if ("refused" in admission) return { ...nothing, outcome: "refused", reason: admission.refused };
    await this.#ledger.activate([...this.#options.plugins.keys()]);
    const timed = { ...admission.notification, time: time ?? new Date().toISOString() };
    if (await this.#ledger.record([{ receivedAt: 0, notification: timed }]) === 0) {
      return { ...nothing, outcome: "copy", reason: "a copy of a notification that came before" };
    }
    const { outcome, reason } = await this.#decide();
    const detailed = await this.#detailAll();
    if (detailed.length === 0) return { ...nothing, outcome, reason };
    return {
      ...nothing,
      outcome,
      events: detailed.map(({ key, created, detail }) => ({ key, created, detail })),
      creationSeen: new Map(detailed.map(({ key, creationSeen }) => [key, creationSeen])),
      keysToAsk: new Map(detailed.map(({ key, keysToAsk }) => [key, keysToAsk])),
      plugins: await this.#previews(),
      reason: null,
    };
  }

  async #decide(): Promise<{ outcome: Outcome; reason: string }> {
    const rules = rulesOf(this.#options.config.events);
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
    const { config: { detail: options, openstack }, source } = this.#options;
    const { key, created, creationSeen } = row.event;
    const { learned, silent } = source === undefined
      ? { learned: null, silent: [] }
      : await enrich(row, { source, detail: options });
    const { detail, missing } = this.#makeDetail(enrichedEvent(row, { learned }));
    const allMissing = [...missingKeys(row.event, detail, silent), ...missing];
    await this.#ledger.storeDetails([{ seq: row.seq, detail, missing: allMissing, learned }]);
    const asks = source === undefined && openstack !== undefined ? keysToAsk(row, options) : [];
    return { key, created, creationSeen, detail, keysToAsk: asks };
  }

  /** Previews all deliveries in their order: a floating IP that moves ends before it begins. */
  async #previews(): Promise<readonly PluginPreview[]> {
    const previews: PluginPreview[] = [];
    for (const [name, plugin] of this.#options.plugins) {
      for (let ready = await this.#ready(name); ready.length > 0; ready = await this.#ready(name)) {
        for (const delivery of ready) {
          previews.push(await this.#preview(plugin, delivery));
          await this.#settle(delivery);
        }
      }
    }
    return previews;
  }

  #ready(plugin: string): Promise<readonly Delivery[]> {
    return this.#ledger.ready({ plugin, now: 0, limit: Number.MAX_SAFE_INTEGER });
  }

  #settle({ seq, plugin }: Delivery): Promise<void> {
    const nothing = { startedAt: 0, endedAt: 0, dueAt: 0, triedMs: 0, failure: null };
    return this.#ledger.settle([{ seq, plugin, outcome: "done", ...nothing }]);
  }

  async #preview(plugin: Plugin, { plugin: name, event, detail, missing }: Delivery): Promise<PluginPreview> {
    const { key, created } = event;
    const never = new AbortController();
    const context: NotifyContext = {
      origin: "bus",
      kind: created ? "creation" : "deletion",
      ...event,
      attempt: 1,
      signal: never.signal,
      log: this.#options.log(name),
      missing,
      keep() {},
      note() {},
    };
    try {
      return { name, key, created, preview: asJson(await plugin.preview?.(detail, created, context)) };
    } catch (error) {
      return {
        name,
        key,
        created,
        preview: null,
        error: redact(error instanceof Error ? error.message : String(error)),
      };
    }
  }
}

/**
 * A preview as JSON: a user's plugin may return anything. Values that config.ts got by `env()` are
 * hidden.
 */
function asJson(preview: unknown): Json {
  const secrets = envSecrets();
  return JSON.parse(
    JSON.stringify(preview) ?? "null",
    (_, value) => typeof value === "string" ? withoutSecrets(value, secrets) : value,
  );
}
