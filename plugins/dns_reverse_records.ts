import { PermanentError } from "../mod.ts";
import { dnsReverseName } from "../src/kit/mod.ts";
import { addressesOf, type DnsFacts } from "./dns_facts.ts";
import type { DnsOwnRecords } from "./dns_own_records.ts";
import { takenBy } from "./dns_refusals.ts";
import type { DnsPlace, DnsZones } from "./dns_zones.ts";

/** PTR records of a server's addresses, where a zone has their names. */
export class DnsReverseRecords {
  readonly #zones: DnsZones;
  readonly #own: DnsOwnRecords;
  readonly #isOn: boolean;

  /** @param isOn Whether PTR records are written. */
  constructor(zones: DnsZones, own: DnsOwnRecords, isOn: boolean) {
    this.#zones = zones;
    this.#own = own;
    this.#isOn = isOn;
  }

  /** The reverse name of an address; `null`: by the options it gets no PTR record. */
  nameOf(address: string): string | null {
    const name = this.#isOn ? dnsReverseName(address) : null;
    return name === null || this.#zones.known(name) === null ? null : name;
  }

  /** Writes what can be written, then tells of what belongs to others. */
  async write(
    server: string,
    { name, facts }: { readonly name: string; readonly facts: DnsFacts },
    signal: AbortSignal,
  ): Promise<void> {
    const taken: PermanentError[] = [];
    for (const address of addressesOf(facts)) {
      const place = await this.#placeOf(address, signal);
      if (place === null) continue;
      const outcome = await this.#own.put(place, { server, change: () => [`name=${name}`] }, signal);
      if (!outcome.isDone) taken.push(takenBy(place.name, outcome.who));
    }
    if (taken.length > 0) throw new PermanentError(taken.map(({ message }) => message).join("; "));
  }

  /** What is not there, or is another's, counts as removed. */
  async remove(server: string, facts: DnsFacts, signal: AbortSignal): Promise<void> {
    for (const address of addressesOf(facts)) {
      const place = await this.#placeOf(address, signal);
      if (place !== null) await this.#own.put(place, { server, change: () => [] }, signal);
    }
  }

  async #placeOf(address: string, signal: AbortSignal): Promise<DnsPlace | null> {
    const name = this.nameOf(address);
    const zone = name === null ? null : await this.#zones.zoneOf(name, signal);
    return name === null || zone === null || zone.toLowerCase() === name ? null : { name, zone };
  }
}
