import { told } from "./channel.ts";
import type { Queries } from "./client.ts";
import { original, plain, SEPARATOR } from "./columns.ts";
import type { HeldLease } from "./held_leases.ts";
import { CLUSTER_VALUE } from "./restored.ts";
import { STEPS } from "./schema.ts";

// Tables `lease` and `process`: who does what. All times are the server's.

/** This process, as others see it. */
export interface ProcessIdentity {
  /** Of this run. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** The names of the plugins of its config.ts. */
  readonly plugins: readonly string[];
  /** What it announces, as a hash. */
  readonly events: string;
}

/** A process that was there within a day. Times: ms ago, by the server's clock. */
export interface SeenProcess extends ProcessIdentity {
  readonly isLiving: boolean;
  readonly seenMsAgo: number;
  readonly startedMsAgo: number;
  /** Whether it ended in order. */
  readonly isStopped: boolean;
}

export interface SeenLease {
  readonly name: string;
  /** The id of a process; `null`: it is free. */
  readonly holder: string | null;
  readonly takenMsAgo: number;
  /** How long it has been free, milliseconds; 0: it is not. */
  readonly freeMs: number;
}

/** What the tables say of all processes. */
export interface Seen {
  readonly processes: readonly SeenProcess[];
  readonly leases: readonly SeenLease[];
  /** The server's identity and timeline: another one after a fail-over, or a restore. */
  readonly cluster: string;
}

/** Renews leases, and says that the process is there. Returns those that are still its own. */
export async function renewLeases(
  queries: Queries,
  { id, name, version, plugins, events }: ProcessIdentity,
  { leaseSeconds, leases }: { readonly leaseSeconds: number; readonly leases: readonly HeldLease[] },
): Promise<ReadonlySet<HeldLease>> {
  const rows = await queries.rows(RENEW, [
    id,
    plain(name),
    version,
    STEPS.length,
    JSON.stringify(plugins),
    events,
    leaseSeconds,
    leases.map((lease) => plain(lease.name)).join(SEPARATOR),
    leases.map(({ epoch }) => epoch).join(SEPARATOR),
  ]);
  const renewed = new Set(rows.map((row) => `${row["epoch"]} ${original(String(row["name"]))}`));
  return new Set(leases.filter((lease) => renewed.has(`${lease.epoch} ${lease.name}`)));
}

/** Takes a lease that is free or has expired; `null`: it is neither. */
export async function takeLease(
  queries: Queries,
  { name, id, leaseSeconds }: { readonly name: string; readonly id: string; readonly leaseSeconds: number },
): Promise<HeldLease | null> {
  const [row] = await queries.rows(TAKE, [plain(name), id, leaseSeconds]);
  return row === undefined ? null : { name, epoch: Number(row["epoch"]), holder: id };
}

/** Frees a lease, and tells the other processes. */
export async function giveBackLease(queries: Queries, { name, epoch }: HeldLease, id: string): Promise<void> {
  await queries.rows(GIVE_BACK, [plain(name), epoch, id]);
}

/** Says that a process has ended in order, and does nothing any more. */
export async function leave(queries: Queries, id: string): Promise<void> {
  await queries.rows(LEAVE, [id]);
}

/** Reads who does what. */
export async function look(queries: Queries): Promise<Seen> {
  const [processes, leases, [cluster]] = await Promise.all([
    queries.rows(PROCESSES),
    queries.rows(LEASES),
    queries.rows(CLUSTER),
  ]);
  return {
    cluster: String(cluster?.["cluster"]),
    processes: processes.map((row) => ({
      id: String(row["id"]),
      name: original(String(row["name"])),
      version: String(row["version"]),
      plugins: JSON.parse(String(row["plugins"])),
      events: String(row["events"]),
      isLiving: row["living"] === true,
      isStopped: row["stopped"] === true,
      seenMsAgo: Number(row["seen_ms_ago"]),
      startedMsAgo: Number(row["started_ms_ago"]),
    })),
    leases: leases.map((row) => ({
      name: original(String(row["name"])),
      holder: row["holder"] === null ? null : String(row["holder"]),
      takenMsAgo: Number(row["taken_ms_ago"]),
      freeMs: Number(row["free_ms"]),
    })),
  };
}

const msSince = (time: string) => `(extract(epoch FROM clock_timestamp() - ${time}) * 1000)::bigint`;

const PROCESSES = `SELECT id, name, version, plugins, events, stopped_at IS NOT NULL AS stopped,
    stopped_at IS NULL AND seen_at > clock_timestamp() - make_interval(secs => lease_seconds) AS living,
    ${msSince("seen_at")} AS seen_ms_ago, ${msSince("started_at")} AS started_ms_ago
  FROM process WHERE seen_at > clock_timestamp() - interval '1 day' ORDER BY name, started_at`;

const LEASES = `SELECT name, CASE WHEN expires_at > clock_timestamp() THEN holder END AS holder,
    ${msSince("taken_at")} AS taken_ms_ago, greatest(0, ${msSince("expires_at")}) AS free_ms FROM lease`;

const CLUSTER = `SELECT ${CLUSTER_VALUE} AS cluster`;

const RENEW = `WITH me AS (
    INSERT INTO process (id, name, version, schema_version, plugins, events, lease_seconds, started_at, seen_at)
    VALUES ($1, $2, $3, $4::integer, $5, $6, $7::integer, clock_timestamp(), clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp(), stopped_at = NULL),
  former AS (DELETE FROM process WHERE name = $2 AND id <> $1
    AND (stopped_at IS NOT NULL OR seen_at < clock_timestamp() - make_interval(secs => lease_seconds)))
  UPDATE lease AS l SET expires_at = clock_timestamp() + make_interval(secs => $7::integer)
    FROM unnest(string_to_array($8, E'\\x1e'), string_to_array($9, E'\\x1e')::bigint[]) AS h (name, epoch)
    WHERE l.name = h.name AND l.epoch = h.epoch AND l.holder = $1 RETURNING l.name, l.epoch`;

const TAKE = `INSERT INTO lease AS l (name, holder, epoch, taken_at, expires_at)
  VALUES ($1, $2, 1, clock_timestamp(), clock_timestamp() + make_interval(secs => $3::integer))
  ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = l.epoch + 1, writes = 0,
    taken_at = excluded.taken_at, expires_at = excluded.expires_at
  WHERE l.holder IS NULL OR l.expires_at <= clock_timestamp() RETURNING epoch`;

const GIVE_BACK = `WITH free AS (UPDATE lease SET holder = NULL, expires_at = clock_timestamp()
    WHERE name = $1 AND epoch = $2 AND holder = $3 RETURNING 1)
  SELECT ${told("leases")} FROM free`;

/** A lease that was taken in the very moment of the end is free, too. */
const LEAVE = `WITH free AS (UPDATE lease SET holder = NULL, expires_at = clock_timestamp() WHERE holder = $1),
  gone AS (UPDATE process SET stopped_at = clock_timestamp(), seen_at = clock_timestamp() WHERE id = $1)
  SELECT ${told("leases")}`;
