import type { Decision } from "../model/decision.ts";
import type { ServerSnapshot, WatcherEvent } from "../model/event.ts";
import type { ImmediateDetail, ImmediateMaker } from "../model/ledger.ts";
import type { Memory, MemoryChanges, ServerMemory } from "../model/memory.ts";
import type { Notification } from "../model/notification.ts";
import { mergeSnapshots } from "../model/snapshot.ts";
import { withFormerKeys } from "./former_keys.ts";
import { causeOf } from "./message_identity.ts";
import type { NewEvent } from "./new_event.ts";
import type { PendingUpdates } from "./pending_updates.ts";

/** A transaction that has compared details of this many characters announces no more updates. */
const MAX_CHARACTERS = 1_048_576;

/** Memory that can be written. */
export interface WritableMemory extends Memory {
  /** Stores the rows that notification `seq` changed. `seq` orders them by their last change. */
  apply(changes: MemoryChanges, when: { readonly seq: number; readonly now: number }): void;
  /** Notes times of statements, which are written with the next change of their server. */
  note(changes: MemoryChanges): void;
  /** Stores what was learned of a server. */
  learn(server: ServerMemory): void;
}

/** How an event is written. */
export interface WriteOptions {
  /** Hashes. */
  readonly orderKeys: readonly number[];
  /** The numbers of the plugins that get it; `null`: all that are active. */
  readonly followers: ReadonlySet<number> | null;
  /** `null`: the detail is made later. */
  readonly immediate: ImmediateDetail | null;
}

export interface AnnouncerOptions {
  readonly memory: WritableMemory;
  readonly updates: PendingUpdates;
  readonly now: () => number;
  readonly hashesOf: (orderKeys: readonly string[]) => readonly number[];
  /** Completes the server of a written event whose detail is not stored yet. */
  readonly fill: (fill: { readonly key: string; readonly server: ServerSnapshot }) => void;
  /** Writes an event, and a delivery of it for each plugin that gets it. */
  readonly write: (event: NewEvent, options: WriteOptions) => void;
}

/** A notification that was decided, and its number. */
export interface Decided {
  readonly seq: number;
  readonly notification: Notification;
}

/** The events of a transaction that are not written yet, by key. */
export type AddedEvents = Map<string, NewEvent>;

/**
 * Writes what decisions lead to: memory, events, updates of servers. The same for all ledgers that
 * outlive the process. Runs inside the ledger's transaction.
 */
export class Announcer {
  readonly #options: AnnouncerOptions;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** Writes what a decision changes in memory, and collects its events. */
  apply(
    { seq, notification }: Decided,
    { isIdle = false, events, fill, changes, changedServers = [] }: Decision,
    added: AddedEvents,
  ): void {
    const { memory, updates, now } = this.#options;
    if (isIdle) return memory.note(changes);
    memory.apply(changes, { seq, now: now() });
    if (fill !== null) this.#fill(fill, added);
    for (const event of events) {
      for (const serverId of updates.releasing(event, added)) this.#settleFirst(serverId, added);
      if (event.subject === "server" && !event.created && event.server.id !== null) {
        updates.forget(event.server.id, added);
      }
      // A fact is announced once, even if a decision overlooked that it is known. An error here would
      // repeat for ever.
      if (!added.has(event.key)) added.set(event.key, { notification: seq, event: this.#counted(event) });
    }
    for (const serverId of changedServers) {
      updates.mark(serverId, { notification: seq, cause: causeOf(notification) }, added);
    }
  }

  /** Announces the updates of changed servers. Returns of how many: a transaction has a limit. */
  settleAll(due: readonly string[], added: AddedEvents): number {
    const { updates } = this.#options;
    let [settled, characters] = [0, 0];
    for (const serverId of due) {
      if (characters >= MAX_CHARACTERS) break;
      this.#settle(serverId, added);
      characters += updates.takeCharacters();
      settled++;
    }
    return settled;
  }

  /** Writes collected events, only after all decisions: a later one may fill an event of an earlier one. */
  write(added: ReadonlyMap<string, NewEvent>, make: ImmediateMaker | undefined): void {
    for (const event of added.values()) this.writeOne(event, make);
  }

  writeOne(event: NewEvent, make: ImmediateMaker | undefined): void {
    const { updates: pending, hashesOf, write } = this.#options;
    const { server, updated, updates, orderKeys: texts } = event.event;
    const own = hashesOf(texts);
    // A plugin may know the server by what was announced before.
    const orderKeys = updates === undefined || server.id === null
      ? own
      : withFormerKeys(own, pending.orderKeysOf(server.id, updates));
    const followers = updated && server.id !== null ? pending.followers(server.id) : null;
    write(event, { orderKeys, followers, immediate: make?.(event.event) ?? null });
  }

  /** An event of a server that changes, with the number of updates that are announced before it. */
  #counted(event: WatcherEvent): WatcherEvent {
    const { updates, server: { id } } = event;
    if (updates === undefined || id === null) return event;
    return { ...event, updates: this.#options.memory.server(id)?.updates ?? updates };
  }

  /**
   * Adds the update of a changed server to new events, behind those of other servers that release
   * what it takes.
   */
  #settle(serverId: string, added: AddedEvents): void {
    this.#addUpdate(this.#options.updates.settle(serverId, added), added);
  }

  /** The same at once: an event takes what the update may release. */
  #settleFirst(serverId: string, added: AddedEvents): void {
    this.#addUpdate(this.#options.updates.settle(serverId, added, { isAwaited: true }), added);
  }

  #addUpdate(update: NewEvent | null, added: AddedEvents): void {
    if (update === null) return;
    for (const other of this.#options.updates.releasing(update.event, added)) this.#settleFirst(other, added);
    added.set(update.event.key, update);
  }

  /** Completes an event of an earlier notification: of this transaction, or one that is written. */
  #fill(fill: NonNullable<Decision["fill"]>, added: AddedEvents): void {
    const fresh = added.get(fill.key);
    if (fresh === undefined) return this.#options.fill(fill);
    const server = mergeSnapshots(fresh.event.server, fill.server);
    added.set(fill.key, { ...fresh, event: { ...fresh.event, server } });
  }
}
