import { type Database, openReadOnly } from "./database.ts";

/** A key that a shell may complete. */
export interface EventKey {
  readonly key: string;
  /** When the event was decided, milliseconds since the epoch. */
  readonly decidedAt: number;
  readonly isDead: boolean;
}

/** Which keys to read. */
export interface KeyFilter {
  readonly prefix: string;
  /** At most this many. */
  readonly limit: number;
  /** Whether keys of dead letters come before all others. */
  readonly deadFirst: boolean;
}

/**
 * Rows that are read at most, so that a key press costs milliseconds, however many events there are.
 */
const MAX_ROWS = 5000;

/** The names of all plugins in a ledger; empty when there is no ledger that can be read. */
export function readPluginNames(file: string): readonly string[] {
  using opened = open(file);
  return opened?.database.prepare("SELECT name FROM plugin ORDER BY name").all().map(({ name }) => String(name)) ?? [];
}

/** The newest keys with a prefix; empty when there is no ledger that can be read. */
export function readEventKeys(file: string, filter: KeyFilter): readonly EventKey[] {
  using opened = open(file);
  if (opened === null) return [];
  const keys = newest(opened.database, filter);
  const dead = filter.deadFirst ? select(opened.database, DEAD, filter) : [];
  const first = new Set(dead.map(({ key }) => key));
  return [...dead, ...keys.filter(({ key }) => !first.has(key))].slice(0, filter.limit);
}

/**
 * A rare prefix is looked up in the index of keys; a frequent one is found among the newest events.
 * Where those have none, some keys are better than none.
 */
function newest(database: Database, filter: KeyFilter): readonly EventKey[] {
  const { count } = database.prepare(COUNT).get(...rangeOf(filter)) ?? {};
  if (Number(count) < MAX_ROWS) return select(database, RARE, filter);
  const found = select(database, FREQUENT, filter);
  return found.length > 0 ? found : select(database, ANY, filter);
}

function select(database: Database, sql: string, filter: KeyFilter): readonly EventKey[] {
  return database.prepare(sql).all(...rangeOf(filter), filter.limit).map((row) => ({
    key: String(row["key"]),
    decidedAt: Number(row["decided_at"]),
    isDead: Number(row["dead"]) > 0,
  }));
}

/** SQLite compares bytes of UTF-8, so that every text with the prefix lies below prefix + U+10FFFF. */
function rangeOf({ prefix }: KeyFilter): readonly [from: string, to: string] {
  return [prefix, `${prefix}\u{10ffff}`];
}

const IN_RANGE = "e.key >= ? AND e.key < ?";
const COLUMNS = `e.key, e.decided_at,
  EXISTS (SELECT 1 FROM delivery AS d WHERE d.seq = e.seq AND d.state = 'dead') AS dead`;

const COUNT = `SELECT count(*) AS count FROM (SELECT 1 FROM event AS e WHERE ${IN_RANGE} LIMIT ${MAX_ROWS})`;

const RARE = `SELECT ${COLUMNS} FROM event AS e WHERE ${IN_RANGE} ORDER BY e.seq DESC LIMIT ?`;

const FREQUENT =
  `SELECT ${COLUMNS} FROM (SELECT seq, key, decided_at FROM event ORDER BY seq DESC LIMIT ${MAX_ROWS}) AS e
  WHERE ${IN_RANGE} ORDER BY e.seq DESC LIMIT ?`;

const ANY = `SELECT ${COLUMNS} FROM event AS e WHERE ${IN_RANGE} LIMIT ?`;

const DEAD = `SELECT ${COLUMNS}
  FROM (SELECT DISTINCT seq FROM delivery WHERE state = 'dead' ORDER BY seq DESC LIMIT ${MAX_ROWS}) AS l
  JOIN event AS e ON e.seq = l.seq WHERE ${IN_RANGE} ORDER BY e.seq DESC LIMIT ?`;

function open(file: string): (Disposable & { readonly database: Database }) | null {
  const database = openReadOnly(file);
  return database === null ? null : { database, [Symbol.dispose]: () => database.close() };
}
