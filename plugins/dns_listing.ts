import type { DeliveredEvent, ListedResource } from "../mod.ts";
import { type DnsRecord, fingerprint } from "../src/kit/mod.ts";
import type { DnsContent } from "./dns_content.ts";
import { addressesOf, type DnsFacts, recordOfFact } from "./dns_facts.ts";
import { type DnsOwnRecords, ownedName } from "./dns_own_records.ts";
import type { DnsZones } from "./dns_zones.ts";

/** What is written of a server: facts by name, those of its addresses' names among them. */
type Written = ReadonlyMap<string, DnsFacts>;

/** Options of {@linkcode DnsListing}. */
export interface DnsListingOptions {
  readonly own: DnsOwnRecords;
  readonly content: DnsContent;
  /** The name by which a server with another one's name is compared. */
  readonly comparedName: (server: string, name: string) => string;
  /** The reverse name of an address that gets a PTR record. */
  readonly reverseOf: (address: string) => string | null;
}

/** The records of servers in zones, as they are and as deliveries have made them. */
export class DnsListing {
  readonly #zones: DnsZones;
  readonly #options: DnsListingOptions;

  constructor(zones: DnsZones, options: DnsListingOptions) {
    this.#zones = zones;
    this.#options = options;
  }

  /** The servers that zones hold records of. */
  async *list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
    const { own } = this.#options;
    const records = new Set<string>();
    const owners = new Map<string, DnsRecord[]>();
    for await (const record of this.#zones.records(signal)) {
      const name = record.type === "TXT" ? ownedName(record.name) : null;
      if (name !== null) owners.set(name, [...owners.get(name) ?? [], record]);
      else if (record.type !== "TXT") records.add(keyOf(record));
    }
    const servers = new Map<string, Map<string, DnsFacts>>();
    for (const [name, texts] of owners) {
      const holder = own.holderOf(texts);
      if (holder.state !== "ours") continue;
      const written = servers.get(holder.server) ?? new Map<string, DnsFacts>();
      servers.set(holder.server, written.set(name, holder.facts.filter((fact) => isThere(records, name, fact))));
    }
    for (const [id, written] of servers) yield await this.#resource(id, written);
  }

  /** What {@linkcode DnsListing.list} must report of a server after these deliveries. */
  async expected(delivered: readonly DeliveredEvent[]): Promise<ListedResource[]> {
    const id = delivered[0]?.detail.ID ?? "";
    const { name, facts } = this.#after(delivered);
    if (name === null || facts.length === 0) return [];
    const written = new Map<string, DnsFacts>([[name, facts]]);
    for (const address of addressesOf(facts)) {
      const reverse = this.#options.reverseOf(address);
      if (reverse !== null) written.set(reverse, [`name=${name}`]);
    }
    return [await this.#resource(id, written)];
  }

  #after(delivered: readonly DeliveredEvent[]): { readonly name: string | null; readonly facts: DnsFacts } {
    const { content } = this.#options;
    let name: string | null = null;
    let facts: DnsFacts = [];
    for (const { subject, created, detail } of delivered) {
      if (subject === "server") {
        name = created ? content.formerNameOf(detail) : null;
        facts = created ? [...new Set([...content.formerFactsOf(detail), ...facts])] : [];
      } else {
        name ??= content.formerNameOf(detail);
        const floating = content.floatingFactsOf(detail, created);
        facts = created ? [...new Set([...facts, ...floating])] : facts.filter((fact) => !floating.includes(fact));
      }
    }
    return { name, facts };
  }

  async #resource(id: string, written: Written): Promise<ListedResource> {
    const { comparedName } = this.#options;
    const named = [...written].map(([name, facts]): readonly [string, DnsFacts] => {
      const own = facts.map((fact) => fact.replace(/^name=(.*)$/, (_, name) => `name=${comparedName(id, name)}`));
      return [name.endsWith(".arpa") ? name : comparedName(id, name), own.toSorted()];
    });
    named.sort(([one], [other]) => one < other ? -1 : 1);
    return { subject: "server", id, fingerprint: await fingerprint(named.map(([name, facts]) => [name, [...facts]])) };
  }
}

function isThere(records: ReadonlySet<string>, name: string, fact: string): boolean {
  const record = recordOfFact(name, fact);
  return record !== null && records.has(keyOf(record));
}

function keyOf({ name, type, data }: DnsRecord): string {
  return `${name} ${type} ${String(data)}`.toLowerCase();
}
