// deno-lint-ignore-file require-await -- async turns what SQLite throws into a rejection
import type { EventSearch } from "../../model/event_search.ts";
import type { Gap } from "../../model/gap.ts";
import type { Listing } from "../../model/ledger.ts";
import type { Memory, MemoryChanges } from "../../model/memory.ts";
import type { PluginPause } from "../../model/pause.ts";
import type {
  LedgerOperations,
  Listed,
  ListFilter,
  OperatorResult,
  PluginState,
  Selection,
  ShownEvent,
} from "../../model/operations.ts";
import { SqliteAuditTrail } from "./audit_trail.ts";
import { LAST_SEEN, PRUNED_BEFORE } from "./housekeeping.ts";
import { listPages } from "./list_pages.ts";
import { copyDatabase, type Database, openDatabase, prepareAll, type Statements, transaction } from "./database.ts";
import { inSlices } from "./in_slices.ts";
import { RecentEvents } from "../recent_events.ts";
import { Deliveries } from "./deliveries.ts";
import { Outages } from "./outages.ts";
import { Pauses } from "./pauses.ts";
import { PluginNumbers } from "./plugin_numbers.ts";
import { Queues } from "./queues.ts";
import { LedgerSearch } from "../search/ledger_search.ts";
import { SqliteSearchReader } from "./search.ts";
import { laterText, whyNotReplayed } from "../replay_refusals.ts";
import { LATER_DONE } from "./order_queries.ts";
import { gapOf } from "./gaps.ts";
import { SqliteMemory } from "./memory.ts";
import { ShownEvents } from "./shown_events.ts";
import { Comparisons } from "./comparisons.ts";
import { markCopy } from "./restored.ts";
import { listedState, OPEN, QUEUED } from "./delivery_states.ts";

type Row = Readonly<Record<string, unknown>>;

/**
 * Opens a ledger for an operator's command. Safe beside a running service, which notices changes
 * within 2 s.
 */
export function openOperations(file: string): LedgerOperations {
  return new SqliteOperations(openDatabase(file, { create: false }));
}

class SqliteOperations implements LedgerOperations {
  readonly #database: Database;
  readonly #queues: Queues;
  readonly #deliveries: Deliveries;
  readonly #memory: SqliteMemory;
  readonly #outages: Outages;
  readonly #pauses: Pauses;
  readonly #shown: ShownEvents;
  readonly comparisons: Comparisons;
  readonly trail: SqliteAuditTrail;
  #search: EventSearch | undefined;
  readonly #sql: Statements<typeof STATEMENTS>;

  constructor(database: Database) {
    this.#database = database;
    this.#outages = new Outages(database);
    this.#pauses = new Pauses(database);
    this.comparisons = new Comparisons(database);
    this.trail = new SqliteAuditTrail(database);
    this.#queues = new Queues(database);
    const [plugins, recent] = [new PluginNumbers(database), new RecentEvents()];
    this.#deliveries = new Deliveries(database, { plugins, queues: this.#queues, recent });
    this.#memory = new SqliteMemory(database);
    this.#shown = new ShownEvents(database, plugins);
    this.#sql = prepareAll(database, STATEMENTS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }

  /** Few commands search. */
  get search(): EventSearch {
    return this.#search ??= new LedgerSearch(new SqliteSearchReader(this.#database));
  }

  async plugins(): Promise<readonly string[]> {
    return this.#sql.plugins.all().map(({ name }) => String(name));
  }

  async pluginStates(): Promise<readonly PluginState[]> {
    const states = new Map((await this.plugins()).map((plugin) => [plugin, { ...NO_DELIVERIES }]));
    for (const row of this.#sql.counts.all()) {
      const state = listedState(String(row["state"]), Number(row["tried"])) as keyof PluginState["deliveries"];
      const counts = states.get(String(row["name"]));
      if (counts !== undefined) counts[state] += Number(row["count"]);
    }
    const pauses = this.#pauses.all();
    return [...states].map(([plugin, deliveries]) => ({
      plugin,
      deliveries,
      isConfigured: this.#outages.isConfigured(plugin),
      outage: this.#outages.of(plugin),
      paused: pauses.get(plugin) ?? null,
    }));
  }

  processes(): Promise<null> {
    return Promise.resolve(null);
  }

  async isConfigured(plugin: string): Promise<boolean> {
    return this.#outages.isConfigured(plugin);
  }

  async serviceSeenAt(): Promise<number | null> {
    const value = this.#sql.fact.get(LAST_SEEN)?.["value"];
    return value === undefined ? null : Number(value);
  }

  async tryNow(plugin: string): Promise<number> {
    const waiting = this.#sql.retrying.all(plugin).map(numbers);
    const options = { begin: () => {}, finish: () => {} };
    const forward = ({ plugin, seq }: { readonly plugin: number; readonly seq: number }) =>
      this.#sql.bringForward.run(plugin, seq).changes > 0 ? [seq] : [];
    const brought = inSlices(this.#database, waiting, { ...options, process: forward });
    transaction(this.#database, () => this.#outages.requestProbe(plugin));
    return brought.length;
  }

  async pause(plugin: string, by: string): Promise<boolean> {
    return transaction(this.#database, () => this.#pauses.pause(plugin, { at: Date.now(), by }));
  }

  async resume(plugin: string): Promise<boolean> {
    return transaction(this.#database, () => this.#pauses.resume(plugin, Date.now()));
  }

  async pauses(): Promise<ReadonlyMap<string, PluginPause>> {
    return this.#pauses.all();
  }

  async *list(filter: ListFilter): AsyncIterable<readonly Listed[]> {
    yield* listPages(this.#database, filter);
  }

  async show(key: string): Promise<ShownEvent | undefined> {
    return this.#shown.show(key);
  }

  async replay(selection: Selection, { force }: { readonly force: boolean }): Promise<readonly OperatorResult[]> {
    return this.#inSlices(this.#selected(selection, "replay"), (row) => {
      const { plugin, seq } = numbers(row);
      const refused = this.#whyNotReplay(row, { force, selection });
      if (refused === null) this.#deliveries.reopen(plugin, seq);
      return resultOf(row, refused);
    });
  }

  async drop(selection: Selection): Promise<readonly OperatorResult[]> {
    const now = Date.now();
    return this.#inSlices(this.#selected(selection, "drop"), (row) => {
      const { plugin, seq } = numbers(row);
      const refused = whyNotDrop(row);
      if (refused !== null) return resultOf(row, refused);
      this.#sql.drop.run(now, plugin, seq);
      this.#deliveries.release(plugin, seq);
      return resultOf(row, null);
    });
  }

  async refusals(
    selection: Selection,
    { action, force, limit }: { readonly action: "replay" | "drop"; readonly force: boolean; readonly limit: number },
  ): Promise<readonly OperatorResult[]> {
    const whyNot = (row: Row) => action === "replay" ? this.#whyNotReplay(row, { force, selection }) : whyNotDrop(row);
    return this.#selected(selection, action).slice(0, limit).map((row) => resultOf(row, whyNot(row)));
  }

  /**
   * Changes deliveries in slices. Each is read again first: a service writes between the slices.
   */
  #inSlices(rows: readonly Row[], change: (row: Row) => OperatorResult): readonly OperatorResult[] {
    const changed = new Set<number>();
    return inSlices(this.#database, rows.map(numbers), {
      begin: () => {
        changed.clear();
        this.#queues.begin();
      },
      process: ({ plugin, seq }) => {
        changed.add(plugin);
        return this.#sql.byNumbers.all(plugin, seq).map(change);
      },
      finish: () => {
        this.#queues.deleteReleased();
        for (const plugin of changed) this.#queues.markChanged(plugin);
      },
    });
  }

  async prime(primer: (memory: Memory) => MemoryChanges): Promise<void> {
    transaction(this.#database, () => this.#memory.prime(primer(this.#memory), Date.now()));
  }

  async existingIds(listing: Listing): Promise<readonly string[]> {
    return this.#sql[listing].all().map(({ id }) => String(id));
  }

  async gaps(): Promise<readonly Gap[]> {
    return this.#sql.gaps.all().map(gapOf);
  }

  async backup(file: string): Promise<void> {
    // In one step: SQLite would begin again at each write of a running service. The alternative,
    // VACUUM INTO, needs all permissions in Deno.
    await copyDatabase(this.#database, file);
    markCopy(file);
  }

  /** Why a replay is refused: an older event must not undo a later one that shares an order key. */
  #whyNotReplay(
    row: Row,
    { force, selection }: { readonly force: boolean; readonly selection: Selection },
  ): string | null {
    const state = listedState(String(row["state"]), Number(row["attempts"]));
    const refused = whyNotReplayed(state, selection);
    if (refused !== null || force) return refused;
    const { plugin, seq } = numbers(row);
    if (Number(row["decided_at"]) < Number(this.#sql.fact.get(PRUNED_BEFORE)?.["value"] ?? 0)) {
      return "it is so old that later events may be forgotten; --force sends it all the same";
    }
    const later = this.#sql.laterDone.get(plugin, seq);
    return later === undefined ? null : laterText(String(later["key"]), Number(later["attempts"]));
  }

  #selected({ keys, plugin, dead }: Selection, action: "replay" | "drop"): readonly Row[] {
    const named = (row: Row) => plugin === undefined || row["name"] === plugin;
    if (keys === undefined || keys.length === 0) {
      return (dead ? this.#sql.allDead : this.#sql.allOpen).all().filter(named);
    }
    return keys.flatMap((key) => {
      const rows = this.#sql.byKey.all(key).filter(named);
      // A key selects its deliveries that the action applies to. If there are none, it selects all,
      // so that the reason is shown for each.
      const fitting = rows.filter((row) => appliesTo(action, String(row["state"])));
      return fitting.length > 0 ? fitting : rows;
    });
  }
}

const NO_DELIVERIES: Record<keyof PluginState["deliveries"], number> = {
  waiting: 0,
  retrying: 0,
  done: 0,
  skipped: 0,
  dead: 0,
  dropped: 0,
};

/** Whether a delivery in this state can be replayed or dropped. */
function appliesTo(action: "replay" | "drop", state: string): boolean {
  return action === "replay" ? state === "dead" || state === "dropped" : state !== "done" && state !== "dropped";
}

function whyNotDrop(row: Row): string | null {
  const state = String(row["state"]);
  return appliesTo("drop", state) ? null : `it is ${listedState(state, Number(row["attempts"]))} already`;
}

function numbers(row: Row): { plugin: number; seq: number } {
  return { plugin: Number(row["plugin"]), seq: Number(row["seq"]) };
}

function resultOf(row: Row, refused: string | null): OperatorResult {
  return { key: String(row["key"]), plugin: String(row["name"]), refused };
}

const SELECT_DELIVERY = `SELECT d.plugin, d.seq AS seq, d.state, d.attempts, p.name AS name, e.key, e.decided_at
  FROM delivery AS d JOIN plugin AS p ON p.id = d.plugin JOIN event AS e ON e.seq = d.seq`;

const STATEMENTS = {
  servers: `SELECT id FROM server WHERE deleted_at IS NULL ORDER BY id`,
  ports: `SELECT id FROM port WHERE deleted_at IS NULL ORDER BY id`,
  floatingIps: `SELECT id FROM floatingip WHERE deleted_at IS NULL ORDER BY id`,
  fact: `SELECT value FROM fact WHERE name = ?`,
  gaps: `SELECT * FROM gap ORDER BY from_at, seq`,
  plugins: `SELECT name FROM plugin ORDER BY name`,
  byNumbers: `${SELECT_DELIVERY} WHERE d.plugin = ? AND d.seq = ?`,
  byKey: `${SELECT_DELIVERY} WHERE e.key = ? ORDER BY p.name`,
  allDead: `${SELECT_DELIVERY} WHERE d.state = 'dead' ORDER BY d.seq, p.name`,
  allOpen: `${SELECT_DELIVERY} WHERE ${OPEN}
    UNION ALL ${SELECT_DELIVERY} WHERE ${QUEUED} ORDER BY seq, name`,
  counts: `SELECT p.name, d.state, d.attempts > 0 AS tried, count(*) AS count
    FROM delivery AS d JOIN plugin AS p ON p.id = d.plugin GROUP BY d.plugin, d.state, d.attempts > 0`,
  retrying: `SELECT d.plugin, d.seq FROM delivery AS d
    WHERE d.plugin = (SELECT id FROM plugin WHERE name = ?) AND ${OPEN} AND d.attempts > 0`,
  bringForward: `UPDATE delivery AS d SET due_at = 0 WHERE plugin = ? AND seq = ? AND ${OPEN}`,
  laterDone: LATER_DONE,
  drop: `UPDATE delivery SET state = 'dropped', finished_at = ? WHERE plugin = ? AND seq = ?`,
} as const;
