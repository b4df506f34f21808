import type { Clock } from "../../model/clock.ts";
import { LedgerUnavailable } from "../../model/ledger.ts";
import type { Logger } from "../../model/plugin.ts";
import { type HeldPart, LeaseLost, pluginLease, type Tenancy, type Tenure } from "../../model/tenancy.ts";
import { WakeSignal } from "../../model/wake_signal.ts";
import type { Queries } from "./client.ts";
import { original, plain, SEPARATOR } from "./columns.ts";
import type { HeldLease, HeldLeases } from "./held_leases.ts";
import { CLUSTER_VALUE } from "./restored.ts";
import { STEPS } from "./schema.ts";

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

export interface LeasesOptions {
  readonly queries: Queries;
  readonly held: HeldLeases;
  readonly clock: Clock;
  readonly log: Logger;
  readonly leaseSeconds: number;
  readonly self: ProcessIdentity;
  /** Called when a lease was taken, before its work begins. */
  readonly onBegin: (name: string) => void;
  /** Called when the work of a lease has ended in order, before it is given back. */
  readonly onEnd: (name: string) => Promise<void>;
  /** Called after each look at the tables. */
  readonly onSeen: (seen: Seen) => Promise<void>;
}

/** Time between two looks at the tables. */
const LOOK_MS = 1000;

/** A lease counts as lost so long before it expires. */
const MARGIN_MS = 500;

/** How often it is checked whether leases have expired. */
const CHECK_MS = 200;

/** A lease that nobody has taken for so long is taken beyond one's share. */
const UNWANTED_MS = 2500;

/** Work that is done whenever its lease is ours. */
interface Wanted {
  readonly name: string;
  readonly work: (tenure: Tenure) => Promise<void>;
  tenure: RunningTenure | null;
  isGivenUp: boolean;
  readonly ended: PromiseWithResolvers<void>;
}

interface RunningTenure {
  readonly lease: HeldLease;
  readonly ending: AbortController;
  readonly lost: AbortController;
  /** Monotonic milliseconds. */
  validUntilMs: number;
  /** Whether it is being given back: it is not renewed any more. */
  isGivenBack: boolean;
}

/**
 * The leases of this process: takes what is free, renews what is held, and shares plugins evenly
 * with the other processes. What counts is the server's clock; our own, monotonic one tells when a
 * lease may be over.
 */
export class Leases implements Tenancy {
  readonly #options: LeasesOptions;
  readonly #wanted = new Map<string, Wanted>();
  readonly #wake = new WakeSignal();
  #isRegistered = false;
  /** Looks at the tables that failed, one after the other. */
  #failures = 0;

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  readonly isShared = true;

  get self(): ProcessIdentity {
    return this.#options.self;
  }

  held(): readonly HeldPart[] {
    return [...this.#wanted.values()].map(({ name, tenure }) => ({ name, isHeld: tenure !== null }));
  }

  /** Looks at the tables at once: a lease may be free. */
  notice(): void {
    this.#wake.notify();
  }

  async hold(name: string, work: (tenure: Tenure) => Promise<void>, signal: AbortSignal): Promise<void> {
    const wanted: Wanted = { name, work, tenure: null, isGivenUp: false, ended: Promise.withResolvers() };
    this.#wanted.set(name, wanted);
    this.#wake.notify();
    const giveUp = () => {
      wanted.isGivenUp = true;
      if (wanted.tenure === null) wanted.ended.resolve();
      else wanted.tenure.ending.abort();
    };
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      await wanted.ended.promise;
    } finally {
      signal.removeEventListener("abort", giveUp);
      this.#wanted.delete(name);
    }
  }

  /** Works until the signal aborts, which must be after all that is held has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const timer = setInterval(() => this.#check(), CHECK_MS);
    signal.addEventListener("abort", () => this.#wake.notify(), { once: true });
    try {
      while (!signal.aborted) {
        try {
          await this.#look();
          if (this.#failures > 1) this.#options.log.info("The leases can be renewed again");
          this.#failures = 0;
        } catch (error) {
          if (!(error instanceof LedgerUnavailable)) throw error;
          this.#failed(error);
        }
        if (signal.aborted) break;
        await Promise.race([this.#wake.wait(), clock.sleep(LOOK_MS, signal)]);
      }
    } finally {
      clearInterval(timer);
    }
  }

  /** One failure may be of a connection that was cut off: the next look has another one. */
  #failed({ message }: LedgerUnavailable): void {
    const { log } = this.#options;
    if (++this.#failures !== 2) return log.debug(`Cannot look at the leases: ${message}`);
    log.error(
      `Cannot renew the leases: ${message}. Without them this process decides and sends nothing; it tries again each second`,
    );
  }

  /** Says that this process has ended in order. */
  async leave(): Promise<void> {
    if (this.#isRegistered) await this.#options.queries.rows(LEAVE, [this.#options.self.id]);
  }

  /** Ends tenures that may be over. Called often, and after each pause of the process. */
  #check(): void {
    const now = this.#options.clock.passedMs();
    for (const { tenure, name } of this.#wanted.values()) {
      if (tenure === null || tenure.lost.signal.aborted || now < tenure.validUntilMs) continue;
      this.#options.log.warn(`Lost the lease "${name}": it could not be renewed in time`);
      this.#lose(tenure);
    }
  }

  #lose(tenure: RunningTenure): void {
    this.#options.held.end(tenure.lease);
    tenure.lost.abort();
    tenure.ending.abort();
  }

  async #look(): Promise<void> {
    this.#check();
    await this.#renew();
    const seen = await look(this.#options.queries);
    await this.#options.onSeen(seen);
    for (const wanted of this.#toTake(seen)) await this.#take(wanted);
    const spare = this.#toGiveBack(seen);
    if (spare !== null) {
      this.#options.log.info(`Handing over the lease "${spare.name}" to a process that has fewer`);
      spare.tenure?.ending.abort();
    }
  }

  async #renew(): Promise<void> {
    const { queries, self: { id, name, version, plugins, events }, leaseSeconds, clock } = this.#options;
    const tenures = [...this.#wanted.values()].flatMap(({ tenure }) => tenure ?? []);
    const held = tenures.filter(({ lost, isGivenBack }) => !lost.signal.aborted && !isGivenBack);
    const startedMs = clock.passedMs();
    const rows = await queries.rows(RENEW, [
      id,
      plain(name),
      version,
      STEPS.length,
      JSON.stringify(plugins),
      events,
      leaseSeconds,
      held.map(({ lease }) => plain(lease.name)).join(SEPARATOR),
      held.map(({ lease }) => lease.epoch).join(SEPARATOR),
    ]);
    this.#isRegistered = true;
    const renewed = new Set(rows.map((row) => `${row["epoch"]} ${original(String(row["name"]))}`));
    for (const tenure of held) {
      const { name, epoch } = tenure.lease;
      if (renewed.has(`${epoch} ${name}`)) {
        tenure.validUntilMs = startedMs + leaseSeconds * 1000 - MARGIN_MS;
      } else if (!tenure.lost.signal.aborted && !tenure.isGivenBack) {
        this.#options.log.warn(`Lost the lease "${name}": another process has taken it`);
        this.#lose(tenure);
      }
    }
  }

  /** What is free, ours to do, and within our share of plugins. */
  #toTake({ processes, leases }: Seen): readonly Wanted[] {
    const free = [...this.#wanted.values()].filter(({ name, tenure, isGivenUp }) => {
      const lease = leases.find((each) => each.name === name);
      return tenure === null && !isGivenUp && (lease === undefined || lease.freeMs > 0 || lease.holder === null);
    });
    let room = this.#share(processes) - this.#held().length;
    return free.filter(({ name }) => {
      if (!isPlugin(name) || room-- > 0) return true;
      const lease = leases.find((each) => each.name === name);
      return lease !== undefined && lease.freeMs > UNWANTED_MS;
    });
  }

  /** A plugin's lease beyond our share, if another process has less than its own. */
  #toGiveBack({ processes, leases }: Seen): Wanted | null {
    const held = this.#held();
    if (held.length <= this.#share(processes) || held.some(({ tenure }) => tenure?.ending.signal.aborted)) return null;
    const living = processes.filter(({ isLiving, id }) => isLiving && id !== this.#options.self.id);
    for (const wanted of held) {
      const plugin = wanted.name.slice(pluginLease("").length);
      const isWanted = living.some(({ id, plugins }) =>
        plugins.includes(plugin) &&
        leases.filter(({ name, holder }) => isPlugin(name) && holder === id).length < held.length - 1
      );
      if (isWanted) return wanted;
    }
    return null;
  }

  #held(): readonly Wanted[] {
    return [...this.#wanted.values()].filter(({ name, tenure }) => isPlugin(name) && tenure !== null);
  }

  /** Plugins that one process has if all have as many. */
  #share(processes: readonly SeenProcess[]): number {
    const living = processes.filter(({ isLiving }) => isLiving);
    const plugins = new Set(living.flatMap((process) => process.plugins));
    return Math.ceil(plugins.size / Math.max(1, living.length));
  }

  async #take(wanted: Wanted): Promise<void> {
    const { queries, self: { id }, leaseSeconds, clock, held, onBegin, log } = this.#options;
    const startedMs = clock.passedMs();
    const lease = await takeLease(queries, { name: wanted.name, id, leaseSeconds });
    if (lease === null) return;
    const tenure: RunningTenure = {
      lease,
      ending: new AbortController(),
      lost: new AbortController(),
      validUntilMs: startedMs + leaseSeconds * 1000 - MARGIN_MS,
      isGivenBack: false,
    };
    wanted.tenure = tenure;
    if (wanted.isGivenUp) tenure.ending.abort();
    held.begin(lease);
    onBegin(wanted.name);
    log.debug(`Took the lease "${wanted.name}" (epoch ${lease.epoch})`);
    void this.#work(wanted, tenure);
  }

  async #work(wanted: Wanted, tenure: RunningTenure): Promise<void> {
    const { log, clock } = this.#options;
    try {
      await wanted.work({
        ending: tenure.ending.signal,
        lost: tenure.lost.signal,
        isValid: () => !tenure.lost.signal.aborted && clock.passedMs() < tenure.validUntilMs,
      });
    } catch (error) {
      if (!(error instanceof LeaseLost)) {
        wanted.ended.reject(error);
        return;
      }
      if (!tenure.lost.signal.aborted) {
        log.warn(`Lost the lease "${wanted.name}": ${error.message}`);
        this.#lose(tenure);
      }
    }
    await this.#giveBack(wanted, tenure);
    wanted.tenure = null;
    if (wanted.isGivenUp) wanted.ended.resolve();
    this.#wake.notify();
  }

  async #giveBack({ name }: Wanted, tenure: RunningTenure): Promise<void> {
    const { queries, held, onEnd, self, log } = this.#options;
    const { lease, lost } = tenure;
    try {
      await onEnd(name);
      tenure.isGivenBack = true;
      if (!lost.signal.aborted) await queries.rows(GIVE_BACK, [plain(name), lease.epoch, self.id]);
    } catch (error) {
      // It expires by itself.
      log.debug(`Cannot give back the lease "${name}": ${error}`);
    }
    held.end(lease);
  }
}

function isPlugin(lease: string): boolean {
  return lease.startsWith(pluginLease(""));
}

/** Takes a lease that is free or has expired; `null`: it is neither. */
export async function takeLease(
  queries: Queries,
  { name, id, leaseSeconds }: { readonly name: string; readonly id: string; readonly leaseSeconds: number },
): Promise<HeldLease | null> {
  const [row] = await queries.rows(TAKE, [plain(name), id, leaseSeconds]);
  return row === undefined ? null : { name, epoch: Number(row["epoch"]) };
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
  SELECT pg_notify(current_schema(), 'leases') FROM free`;

const LEAVE = "UPDATE process SET stopped_at = clock_timestamp(), seen_at = clock_timestamp() WHERE id = $1";
