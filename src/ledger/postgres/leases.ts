import type { Clock } from "../../model/clock.ts";
import { LedgerUnavailable } from "../../model/ledger.ts";
import type { Logger } from "../../model/plugin.ts";
import { type HeldPart, LeaseLost, pluginLease, type Tenancy, type Tenure } from "../../model/tenancy.ts";
import { WakeSignal } from "../../model/wake_signal.ts";
import type { Queries } from "./client.ts";
import type { HeldLease, HeldLeases } from "./held_leases.ts";
import {
  giveBackLease,
  leave,
  look,
  type ProcessIdentity,
  renewLeases,
  type Seen,
  type SeenProcess,
  takeLease,
} from "./lease_table.ts";

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

  /** Says that this process is there, without taking anything. */
  async register(): Promise<void> {
    await this.#renew();
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
    if (this.#isRegistered) await leave(this.#options.queries, this.#options.self.id);
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
    const { queries, self, leaseSeconds, clock } = this.#options;
    const tenures = [...this.#wanted.values()].flatMap(({ tenure }) => tenure ?? []);
    const held = tenures.filter(({ lost, isGivenBack }) => !lost.signal.aborted && !isGivenBack);
    const startedMs = clock.passedMs();
    const renewed = await renewLeases(queries, self, { leaseSeconds, leases: held.map(({ lease }) => lease) });
    this.#isRegistered = true;
    for (const tenure of held) {
      const { name } = tenure.lease;
      if (renewed.has(tenure.lease)) {
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
      if (!lost.signal.aborted) await giveBackLease(queries, lease, self.id);
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
