import type { Detail } from "../../model/detail.ts";
import type { WatcherEvent } from "../../model/event.ts";
import type { FollowOptions, UpdateCause } from "../../model/ledger.ts";
import { withFormerKeys } from "../former_keys.ts";
import { isDue, WAIT_FOR_DETAIL_MS } from "../update_times.ts";
import type { RamMemory } from "./memory.ts";

/** What was announced of a server. */
interface Announced {
  /** The order keys of its creation and of its last update. */
  readonly creationKeys: readonly string[];
  readonly orderKeys: readonly string[];
  /** The plugins that have a delivery of its creation. */
  readonly plugins: readonly string[];
  /** The key of the last event; `null`: its detail is not made yet. */
  readonly key: string;
  readonly detail: Detail | null;
}

interface Pending {
  readonly dueAt: number;
  readonly cause: UpdateCause;
}

/** Servers that have changed, and what was announced and told of each, for the ledger in RAM. */
export class RamUpdates {
  readonly #options: FollowOptions;
  readonly #memory: RamMemory;
  readonly #now: () => number;
  readonly #pending = new Map<string, Pending>();
  readonly #announced = new Map<string, Announced>();
  /** By plugin and server: the detail that the plugin was last told. */
  readonly #told = new Map<string, Detail>();

  constructor(
    options: FollowOptions,
    { memory, now }: { readonly memory: RamMemory; readonly now: () => number },
  ) {
    this.#options = options;
    this.#memory = memory;
    this.#now = now;
  }

  /** Whether a plugin gets an update: it follows, and has a delivery of the server's creation. */
  follows(plugin: string, { server: { id } }: WatcherEvent): boolean {
    return this.#options.plugins.includes(plugin) && this.#announced.get(id ?? "")?.plugins.includes(plugin) === true;
  }

  mark(serverId: string, cause: UpdateCause): void {
    if (!this.#announced.has(serverId)) return;
    const dueAt = this.#pending.get(serverId)?.dueAt ?? this.#now() + this.#options.settleMs;
    this.#pending.set(serverId, { dueAt, cause });
  }

  due(limit: number): readonly string[] {
    const now = this.#now();
    const { settleMs } = this.#options;
    const due = [...this.#pending].filter(([, { dueAt }]) => isDue(dueAt, { now, settleMs }));
    return due.slice(0, limit).map(([serverId]) => serverId);
  }

  nextDueAt(): number | null {
    const due = [...this.#pending.values()].map(({ dueAt }) => dueAt);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Other changed servers whose updates may release a name or an address that an event takes. */
  releasing({ orderKeys, server, created }: WatcherEvent): readonly string[] {
    if (!created) return [];
    return [...this.#pending.keys()].filter((serverId) =>
      serverId !== server.id && this.#announced.get(serverId)?.orderKeys.some((key) => orderKeys.includes(key))
    );
  }

  /**
   * Makes the update of a changed server; `null`: none is due, or not yet.
   *
   * @param options `isAwaited`: it must come now, whether or not the detail before it is made.
   */
  settle(serverId: string, { isAwaited = false }: { readonly isAwaited?: boolean } = {}): WatcherEvent | null {
    const pending = this.#pending.get(serverId);
    const server = this.#memory.server(serverId);
    const announced = this.#announced.get(serverId);
    if (pending === undefined || announced === undefined) return null;
    if (announced.detail === null && !isAwaited) {
      this.#pending.set(serverId, { ...pending, dueAt: this.#now() + WAIT_FOR_DETAIL_MS });
      return null;
    }
    this.#pending.delete(serverId);
    if (server === undefined || server.deleted) return null;
    const made = this.#options.makeUpdate({
      server,
      floatingIps: this.#memory.floatingIpsOfServer(serverId),
      announced: announced.detail,
      cause: pending.cause,
    });
    if (made === null) return null;
    this.#memory.apply({ servers: [{ ...server, updates: made.number }], ports: [], floatingIps: [] });
    return made.event;
  }

  /**
   * Notes a new event of which these plugins get a delivery, and returns it with the order keys of
   * what was announced before.
   */
  announced(event: WatcherEvent, plugins: readonly string[]): WatcherEvent {
    const { server: { id }, subject, created, updates, key } = event;
    if (id === null) return event;
    const before = this.#announced.get(id);
    const orderKeys = updates === undefined || before === undefined
      ? event.orderKeys
      : withFormerKeys(event.orderKeys, [...before.creationKeys, ...before.orderKeys]);
    if (subject === "server" && !created) {
      this.#pending.delete(id);
      this.#announced.delete(id);
    } else if (subject === "server") {
      const creationKeys = before?.creationKeys ?? orderKeys;
      this.#announced.set(id, { creationKeys, orderKeys, plugins: before?.plugins ?? plugins, key, detail: null });
    }
    return { ...event, orderKeys };
  }

  /** Notes the detail of an event. */
  detailed({ key, server: { id } }: WatcherEvent, detail: Detail): void {
    const announced = this.#announced.get(id ?? "");
    if (id !== null && announced?.key === key) this.#announced.set(id, { ...announced, detail });
  }

  /** Notes that a plugin was told of an event. */
  told(
    plugin: string,
    { event: { subject, created, server: { id } }, record }: {
      readonly event: WatcherEvent;
      readonly record: { readonly detail: Detail } | null;
    },
  ): void {
    if (subject !== "server" || id === null || record === null) return;
    if (created) this.#told.set(`${plugin} ${id}`, record.detail);
    else this.#told.delete(`${plugin} ${id}`);
  }

  before(plugin: string, serverId: string): Detail | null {
    return this.#told.get(`${plugin} ${serverId}`) ?? null;
  }
}
