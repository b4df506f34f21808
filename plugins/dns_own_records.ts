import { DeliveryError } from "../mod.ts";
import type { DnsChange, DnsRecord, DnsTextRecord } from "../src/kit/mod.ts";
import { type DnsZoneUpdate, printable } from "../src/kit/mod.ts";
import { type DnsFacts, recordOfFact } from "./dns_facts.ts";
import type { DnsPlace, DnsZones } from "./dns_zones.ts";

/** Who has a name. */
export type DnsHolder =
  | { readonly state: "free" }
  /** It has a TXT record beside it that is no owner's: somebody's, or a wildcard's. */
  | { readonly state: "unclear" }
  /** `server` of this installation has it; `text` is the record that says so. */
  | { readonly state: "ours"; readonly server: string; readonly facts: DnsFacts; readonly text: DnsTextRecord }
  /** `who` continues "it belongs to". */
  | { readonly state: "theirs"; readonly who: string };

/** A change of what is written under a name. Empty facts: nothing stays. */
export interface DnsFactsChange {
  readonly server: string;
  readonly change: (held: DnsFacts) => DnsFacts;
  /** Who had the name a moment ago. @default it is looked up */
  readonly holder?: DnsHolder;
}

/** What became of a change. */
export type DnsOutcome =
  | { readonly isDone: true; readonly facts: DnsFacts }
  /** `isServers`: it belongs to another server of this installation. */
  | { readonly isDone: false; readonly who: string; readonly isServers?: boolean };

const OWNER_LABEL = "_oss-watcher";
const HERITAGE = "heritage=oss-watcher";
/** Others may change a name between reading and writing. */
const MAX_TRIES = 4;

/**
 * Records of names that are ours. A TXT record beside each name says which installation and which
 * server own it, and what was written. Each change is one UPDATE whose prerequisites hold that
 * nobody else has the name.
 */
export class DnsOwnRecords {
  readonly #zones: DnsZones;
  readonly #owner: string;
  readonly #ttl: number;

  constructor(zones: DnsZones, { owner, ttl }: { readonly owner: string; readonly ttl: number }) {
    this.#zones = zones;
    this.#owner = owner;
    this.#ttl = ttl;
  }

  /** Who has a name, as far as owners' records say. */
  async holder({ name, zone }: DnsPlace, signal: AbortSignal): Promise<DnsHolder> {
    const texts = await this.#zones.texts({ name: ownerName(name), zone }, signal);
    if (texts === null) return { state: "theirs", who: "a zone that is delegated" };
    return texts.length === 0 ? { state: "free" } : this.holderOf(texts);
  }

  /** Who has a name by the records of its owner; at least one. */
  holderOf(texts: readonly DnsRecord[]): DnsHolder {
    const [text] = texts;
    if (text?.type !== "TXT" || texts.length > 1) return { state: "unclear" };
    const [heritage, owner, server, ...facts] = text.data;
    if (heritage !== HERITAGE || !owner?.startsWith("owner=") || !server?.startsWith("server=")) {
      return { state: "unclear" };
    }
    if (owner !== `owner=${this.#owner}`) {
      return { state: "theirs", who: `another installation, ${printable(owner, 120)}` };
    }
    return { state: "ours", server: server.slice("server=".length), facts, text };
  }

  /**
   * Changes what is written under a name, if it is free or the server's.
   *
   * @throws {DeliveryError} when others change the name again and again, or as `DnsTarget.update`.
   */
  async put(
    place: DnsPlace,
    { server, change, holder: known }: DnsFactsChange,
    signal: AbortSignal,
  ): Promise<DnsOutcome> {
    let mayHaveBeenFree = false;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const holder = tries === 0 && known !== undefined ? known : await this.holder(place, signal);
      if (holder.state === "theirs") return { isDone: false, who: holder.who };
      if (holder.state === "ours" && holder.server !== server) {
        return { isDone: false, who: `the server ${printable(holder.server, 80)}`, isServers: true };
      }
      const facts = change(holder.state === "ours" ? holder.facts : []);
      const mayBeFree = holder.state !== "ours";
      if (mayBeFree && facts.length === 0) return { isDone: true, facts };
      // Without an owner, and not unused: the name has other records.
      if (mayBeFree && mayHaveBeenFree) return { isDone: false, who: "somebody else" };
      mayHaveBeenFree = mayBeFree;
      if (await this.#zones.update(this.updateOf(place, { server, facts, holder }), signal)) {
        return { isDone: true, facts };
      }
    }
    throw new DeliveryError(`Cannot write "${place.name}": others change it at the same time`, { reason: "other" });
  }

  /** The UPDATE that leaves these facts under a name. */
  updateOf(
    { name, zone }: DnsPlace,
    { server, facts, holder }: { readonly server: string; readonly facts: DnsFacts; readonly holder: DnsHolder },
  ): DnsZoneUpdate {
    const records = facts.flatMap((fact) => this.#recordsOf(name, fact));
    const text = this.textOf(name, server, facts);
    const added: DnsChange[] = (facts.length === 0 ? [] : [...records, text]).map((record) => ({
      operation: "add",
      record,
    }));
    if (holder.state !== "ours") {
      // A CNAME at the owner's name would swallow the owner's record, and leave the others without one.
      const names = [name, ownerName(name)];
      return { zone, prerequisites: names.map((name) => ({ is: "unused", name })), changes: added };
    }
    const left = new Set(added.map(({ record }) => keyOf(record)));
    const written = [...holder.facts.flatMap((fact) => this.#recordsOf(name, fact)), holder.text];
    const deleted = written.filter((record) => !left.has(keyOf(record)));
    const changes = [...deleted.map((record): DnsChange => ({ operation: "delete", record })), ...added];
    return { zone, prerequisites: [{ is: "equal", records: [holder.text] }], changes };
  }

  /** The record that says who owns a name. */
  textOf(name: string, server: string, facts: DnsFacts): DnsTextRecord {
    const data = [HERITAGE, `owner=${this.#owner}`, `server=${server}`, ...facts];
    return { name: ownerName(name), type: "TXT", ttl: this.#ttl, data };
  }

  /** One record of a fact; none for a fact of another version. */
  #recordsOf(name: string, fact: string): DnsRecord[] {
    const record = recordOfFact(name, fact);
    return record === null ? [] : [{ ...record, ttl: this.#ttl }];
  }
}

/** The name whose owner a record at this name tells; `null`: it tells of none. */
export function ownedName(name: string): string | null {
  return name.toLowerCase().startsWith(`${OWNER_LABEL}.`) ? name.slice(OWNER_LABEL.length + 1).toLowerCase() : null;
}

function ownerName(name: string): string {
  return `${OWNER_LABEL}.${name}`;
}

function keyOf({ name, type, data }: DnsRecord): string {
  return JSON.stringify([name, type, data]);
}
