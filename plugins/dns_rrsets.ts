import { dnsDataText, type DnsRecord, dnsRecord, type DnsZoneUpdate } from "../src/kit/mod.ts";
import { isDnsData, isSameDnsName } from "../src/kit/mod.ts";

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

/** The sets that an update leaves, in zones that hold what it asks for and removes, for previews. */
export function shownRrsets(update: DnsZoneUpdate): readonly DnsRrset[] {
  const asked = update.prerequisites.flatMap((one) => one.is === "equal" ? one.records : []);
  const deleted = update.changes.filter(({ operation }) => operation === "delete").map(({ record }) => record);
  const before = [...asked, ...deleted].map((record) => ({ operation: "add", record }) as const);
  return changedRrsets(update, changedRrsets({ ...update, changes: before }, []));
}

/** Whether a set has the name and type of a record. */
export function isOf(set: DnsRrset, { name, type }: Pick<DnsRecord, "name" | "type"> | DnsRrset): boolean {
  return set.type === type && isSameDnsName(set.name, name);
}

function isChanged(set: DnsRrset, before: DnsRrset | undefined): boolean {
  if (before === undefined) return set.rows.length > 0;
  return JSON.stringify([set.ttl, set.rows]) !== JSON.stringify([before.ttl, before.rows]);
}
