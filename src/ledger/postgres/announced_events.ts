import type { ServerSnapshot, WatcherEvent } from "../../model/event.ts";
import { MemoryNotRead } from "../../model/memory.ts";
import { mergeSnapshots } from "../../model/snapshot.ts";
import type { Announced, Change, UpdateStore } from "../pending_updates.ts";
import type { Queries } from "./client.ts";
import { Columns, numbersOf, plain, SEPARATOR } from "./columns.ts";
import { type Journal, RevertibleMap } from "./journal.ts";

/** An event that was written, as far as later decisions ask for it. */
export interface KnownEvent {
  readonly seq: number;
  /** JSON; `null`: not made yet. Empty where changes of servers are not announced. */
  readonly detail: string | null;
  /** JSON: the whole event, while it has no detail. */
  readonly data: string | null;
  /** Hashes. */
  readonly orderKeys: readonly number[];
  /** The numbers of the plugins that have a delivery of it that was not dropped. */
  readonly plugins: readonly number[];
}

interface Pending extends Change {
  readonly dueAt: number;
}

/** Events in the cache; beyond, it begins anew. Some 2 KB each. */
const MAX_EVENTS = 20_000;

/**
 * What was announced, and which servers have changed since, cached as {@linkcode PostgresMemory} is:
 * asking for an event that was not read throws. The servers are all in memory.
 */
export class AnnouncedEvents implements UpdateStore {
  readonly #events: RevertibleMap<string, KnownEvent | null>;
  readonly #pending: RevertibleMap<string, Pending>;
  /** Servers whose rows have to be written or removed. */
  readonly #dirtyPending: RevertibleMap<string, true>;
  /** Events without a detail whose servers were completed. */
  readonly #filled: RevertibleMap<string, true>;
  readonly #wanted = new Set<string>();
  readonly #pluginName: (plugin: number) => string;
  readonly #isFollowed: boolean;

  /** @param options `isFollowed`: changes of servers are announced, so that details are asked for. */
  constructor(
    journal: Journal,
    { pluginName, isFollowed }: { readonly pluginName: (plugin: number) => string; readonly isFollowed: boolean },
  ) {
    this.#events = new RevertibleMap(journal);
    this.#pending = new RevertibleMap(journal);
    this.#dirtyPending = new RevertibleMap(journal);
    this.#filled = new RevertibleMap(journal);
    this.#pluginName = pluginName;
    this.#isFollowed = isFollowed;
  }

  /** Reads which servers have changed. */
  async load(queries: Queries): Promise<void> {
    for (const row of await queries.rows("SELECT server_id, due_at, notification, cause FROM pending_update")) {
      this.#pending.put(row["server_id"] as string, {
        dueAt: Number(row["due_at"]),
        notification: Number(row["notification"]),
        cause: JSON.parse(row["cause"] as string),
      });
    }
  }

  get wantsMore(): boolean {
    return this.#wanted.size > 0;
  }

  /** Reads the events that were asked for. */
  async read(queries: Queries): Promise<void> {
    const keys = [...this.#wanted];
    this.#wanted.clear();
    const rows = await queries.rows(READ, [keys.map(plain).join(SEPARATOR)]);
    const found = new Map(rows.map((row) => [row["key"], row]));
    for (const key of keys) {
      if (this.#events.has(key)) continue;
      const row = found.get(plain(key));
      this.#events.put(key, row === undefined ? null : this.#asKept(knownOf(row)));
    }
  }

  all(): readonly { readonly serverId: string; readonly dueAt: number }[] {
    return [...this.#pending].map(([serverId, { dueAt }]) => ({ serverId, dueAt }));
  }

  pending(serverId: string): Change | undefined {
    return this.#pending.get(serverId);
  }

  mark(serverId: string, dueAt: number, { notification, cause }: Change): void {
    this.#put(serverId, { dueAt: this.#pending.get(serverId)?.dueAt ?? dueAt, notification, cause });
  }

  postpone(serverId: string, dueAt: number): void {
    const pending = this.#pending.get(serverId);
    if (pending !== undefined) this.#put(serverId, { ...pending, dueAt });
  }

  remove(serverId: string): void {
    this.#pending.delete(serverId);
    this.#dirtyPending.set(serverId, true);
  }

  announced(key: string): Announced | undefined {
    return this.#known(key) ?? undefined;
  }

  pluginsOf(key: string): readonly { readonly name: string; readonly plugin: number }[] {
    const plugins = this.#known(key)?.plugins ?? [];
    return plugins.map((plugin) => ({ name: this.#pluginName(plugin), plugin }));
  }

  /** Notes an event of this transaction. */
  add(key: string, event: KnownEvent): void {
    this.#events.set(key, this.#asKept(event));
  }

  /** Completes the server of an event whose detail is not stored yet. */
  fill({ key, server }: { readonly key: string; readonly server: ServerSnapshot }): void {
    const known = this.#known(key);
    if (known === null || known.data === null) return;
    const event: WatcherEvent = JSON.parse(known.data);
    const data = JSON.stringify({ ...event, server: mergeSnapshots(event.server, server) });
    this.#events.set(key, { ...known, data });
    this.#filled.set(key, true);
  }

  /** Notes the detail of an event, JSON. */
  detailed(key: string, detail: string): void {
    const known = this.#events.get(key);
    if (known !== undefined && known !== null) this.#events.set(key, this.#asKept({ ...known, detail, data: null }));
  }

  /** Takes what was changed, to be written: changed servers, completed events, and the ids of servers to remove. */
  take(): { readonly marked: Columns; readonly filled: Columns; readonly removed: readonly string[] } {
    const [marked, filled, removed] = [new Columns(4), new Columns(2), [] as string[]];
    for (const serverId of this.#dirtyPending.keys()) {
      const pending = this.#pending.get(serverId);
      if (pending === undefined) removed.push(plain(serverId));
      else marked.add(plain(serverId), pending.dueAt, pending.notification, JSON.stringify(pending.cause));
    }
    for (const key of this.#filled.keys()) {
      const known = this.#events.get(key);
      if (known?.data) filled.add(known.seq, known.data);
    }
    this.#dirtyPending.clear();
    this.#filled.clear();
    return { marked, filled, removed };
  }

  /** Whether the cache has more events than it should: {@linkcode forget} is to be called when all is written. */
  get isLarge(): boolean {
    return this.#events.size > MAX_EVENTS;
  }

  /** Empties the cache. */
  forget(): void {
    this.#events.clear();
  }

  /** Without a text that nobody asks for: one that lives long is moved by V8 again and again. */
  #asKept(event: KnownEvent): KnownEvent {
    return this.#isFollowed || event.detail === null ? event : { ...event, detail: "" };
  }

  #put(serverId: string, pending: Pending): void {
    this.#pending.set(serverId, pending);
    this.#dirtyPending.set(serverId, true);
  }

  #known(key: string): KnownEvent | null {
    const known = this.#events.get(key);
    if (known !== undefined) return known;
    this.#wanted.add(key);
    throw new MemoryNotRead(`The event ${key} has to be read first`);
  }
}

function knownOf(row: Readonly<Record<string, unknown>>): KnownEvent {
  return {
    seq: Number(row["seq"]),
    detail: row["detail"] as string | null,
    data: row["data"] as string | null,
    orderKeys: numbersOf(row["order_keys"]),
    plugins: numbersOf(row["plugins"]),
  };
}

/** The data of an event is needed only until its detail is made. */
const READ = `SELECT key, seq, detail, CASE WHEN detail IS NULL THEN data END AS data, order_keys::text,
    ARRAY(SELECT plugin FROM unnest(plugins) AS p (plugin)
      WHERE NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq = e.seq AND d.plugin = p.plugin AND d.state = 'dropped'))::text AS plugins
  FROM event AS e WHERE key = ANY(string_to_array($1, E'\\x1e'))`;
