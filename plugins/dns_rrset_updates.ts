import { Deadline, type DnsPrerequisite, type DnsZoneUpdate, isDnsData, isSameDnsName } from "../src/kit/mod.ts";
import { printable } from "../src/kit/mod.ts";
import type { DnsPlace } from "./dns_zones.ts";
import { changedRrsets, type DnsRrset, isOf } from "./dns_rrsets.ts";

/** A change of sets. */
export interface DnsRrsetChange {
  readonly zone: string;
  /** Those that change, as they are to be. */
  readonly sets: readonly DnsRrset[];
  /** All that were read before. */
  readonly held: readonly DnsRrset[];
}

/** Sets of a zone as an API reads and writes them. */
export interface DnsRrsetStore {
  /** All sets of these names, of every type. */
  read(zone: string, names: readonly string[], signal: AbortSignal): Promise<readonly DnsRrset[]>;
  /** Writes sets in the place of those that were read. `false`: others have changed them meanwhile. */
  write(change: DnsRrsetChange, signal: AbortSignal): Promise<boolean>;
}

/** For others to be written before. */
const MAX_WAIT_SECONDS = 60;

/**
 * Carries out updates by an API that has no prerequisites: reads, compares, and writes the sets that
 * change. Nothing comes between these steps that goes through the same object; what others do in
 * between is not seen.
 */
export class DnsRrsetUpdates {
  readonly #store: DnsRrsetStore;
  readonly #oneAtATime: "per name" | "in all";
  /** The last updates that are under way. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  /** @param oneAtATime What waits for what; at least updates of one name do. */
  constructor(store: DnsRrsetStore, oneAtATime: "per name" | "in all") {
    this.#store = store;
    this.#oneAtATime = oneAtATime;
  }

  /** `false`: a prerequisite does not hold, and nothing was changed. */
  async update(update: DnsZoneUpdate, signal: AbortSignal): Promise<boolean> {
    const names = namesOf(update);
    const key = this.#oneAtATime === "in all" ? "" : names.join(" ");
    const before = this.#underWay.get(key);
    const done = this.#carriedOut(update, { names, before, signal });
    // One that was given up while it waited must not let the next one go before its turn.
    const all = Promise.allSettled([before, done]).then(() => {
      if (this.#underWay.get(key) === all) this.#underWay.delete(key);
    });
    this.#underWay.set(key, all);
    return await done;
  }

  async #carriedOut(
    update: DnsZoneUpdate,
    { names, before, signal }: {
      readonly names: readonly string[];
      readonly before: Promise<unknown> | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<boolean> {
    if (before !== undefined) await this.#waited(before, { name: names[0] ?? "", signal });
    const held = await this.#store.read(update.zone, names, signal);
    if (!update.prerequisites.every((one) => holds(one, held))) return false;
    const { zone } = update;
    const sets = changedRrsets(update, held);
    return sets.length === 0 || await this.#store.write({ zone, sets, held }, signal);
  }

  async #waited(
    before: Promise<unknown>,
    { name, signal }: { readonly name: string; readonly signal: AbortSignal },
  ): Promise<void> {
    using deadline = new Deadline(signal, MAX_WAIT_SECONDS);
    await deadline.race(before).catch(() => {
      throw deadline.failure(`Cannot write "${printable(name, 80)}" after what is being written before it`);
    });
  }
}

/** Whether a name above this one, within its zone, leads to another zone or stands for another name. */
export async function isDelegated(
  { name, zone }: DnsPlace,
  store: Pick<DnsRrsetStore, "read">,
  signal: AbortSignal,
): Promise<boolean> {
  const labels = name.split(".");
  const above = labels.map((_, at) => labels.slice(at).join(".")).slice(1);
  const names = above.slice(0, above.findIndex((one) => isSameDnsName(one, zone)));
  const sets = names.length === 0 ? [] : await store.read(zone, names, signal);
  return sets.some(({ type }) => type === "NS" || type === "DNAME");
}

function namesOf({ prerequisites, changes }: DnsZoneUpdate): readonly string[] {
  const asked = prerequisites.flatMap((one) => one.is === "equal" ? one.records.map(({ name }) => name) : [one.name]);
  return [...new Set([...asked, ...changes.map(({ record }) => record.name)])].sort();
}

function holds(prerequisite: DnsPrerequisite, held: readonly DnsRrset[]): boolean {
  if (prerequisite.is === "unused") return !held.some(({ name }) => isSameDnsName(name, prerequisite.name));
  if (prerequisite.is === "absent") return !held.some((set) => isOf(set, prerequisite));
  const { records } = prerequisite;
  const rows = held.filter((set) => records.some((record) => isOf(set, record))).flatMap((set) => set.rows);
  return rows.length === records.length &&
    records.every((record) => rows.some(({ content, disabled }) => !disabled && isDnsData(content, record)));
}
