import {
  Deadline,
  dnsDataText,
  type DnsPrerequisite,
  type DnsRecord,
  dnsRecord,
  type DnsZoneUpdate,
} from "../src/kit/mod.ts";
import { isDnsData, isSameDnsName, printable } from "../src/kit/mod.ts";
import type { DnsPlace } from "./dns_zones.ts";

/** One record of a set, as an API has it. */
export interface DnsRrsetRow {
  /** The data as master files have it. */
  readonly content: string;
  /** It is there, but name servers do not tell it. */
  readonly disabled?: boolean;
}

/** All records of a name and a type: what APIs read and write at once. */
export interface DnsRrset {
  /** Without a final dot. */
  readonly name: string;
  /** Any type. */
  readonly type: string;
  /** In seconds. */
  readonly ttl: number;
  /** Empty: the set is to be removed. */
  readonly rows: readonly DnsRrsetRow[];
  /** By which the API knows a set that is there, if not by name and type. */
  readonly id?: string;
}

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

/**
 * The sets that an update changes, as they are to be. Records of others in them stay as they are.
 * Those of owners come first if something is added, and last otherwise.
 */
export function changedRrsets({ changes }: DnsZoneUpdate, held: readonly DnsRrset[]): readonly DnsRrset[] {
  const sets = new Map<string, DnsRrset>();
  for (const { operation, record } of changes) {
    const { name, type, ttl } = record;
    const key = `${name} ${type}`;
    const set = sets.get(key) ?? held.find((one) => isOf(one, record)) ?? { name, type, ttl, rows: [] };
    const others = set.rows.filter(({ content }) => !isDnsData(content, record));
    // A record that is there stays in its place, and in the form that the server has given it.
    const same = set.rows.find(({ content, disabled }) => !disabled && isDnsData(content, record));
    if (operation === "delete") sets.set(key, { ...set, rows: others });
    else if (same !== undefined && others.length === set.rows.length - 1) sets.set(key, { ...set, ttl });
    else sets.set(key, { ...set, ttl, rows: [...others, { content: dnsDataText(record) }] });
  }
  return [...sets.values()].filter((set) => isChanged(set, held.find((one) => isOf(one, set))));
}

/** The records of a set that name servers tell, of the types that are written. */
export function recordsOf({ name, type, ttl, rows }: DnsRrset): readonly DnsRecord[] {
  const told = rows.filter(({ disabled = false }) => !disabled);
  return told.flatMap(({ content }) => dnsRecord({ name, type, ttl, text: content }) ?? []);
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

/** The sets that an update leaves, in zones that hold what it asks for and removes, for previews. */
export function shownRrsets(update: DnsZoneUpdate): readonly DnsRrset[] {
  const asked = update.prerequisites.flatMap((one) => one.is === "equal" ? one.records : []);
  const deleted = update.changes.filter(({ operation }) => operation === "delete").map(({ record }) => record);
  const before = [...asked, ...deleted].map((record) => ({ operation: "add", record }) as const);
  return changedRrsets(update, changedRrsets({ ...update, changes: before }, []));
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

function isOf(set: DnsRrset, { name, type }: Pick<DnsRecord, "name" | "type"> | DnsRrset): boolean {
  return set.type === type && isSameDnsName(set.name, name);
}

function isChanged(set: DnsRrset, before: DnsRrset | undefined): boolean {
  if (before === undefined) return set.rows.length > 0;
  return JSON.stringify([set.ttl, set.rows]) !== JSON.stringify([before.ttl, before.rows]);
}
