import { suffixed } from "./dns_content.ts";
import { type DnsFacts, without } from "./dns_facts.ts";
import type { DnsHolder, DnsOwnRecords } from "./dns_own_records.ts";
import { inNoZone, isZonesOwn, takenBy } from "./dns_refusals.ts";
import type { DnsReverseRecords } from "./dns_reverse_records.ts";
import type { DnsPlace, DnsZones } from "./dns_zones.ts";

/** Options of {@linkcode DnsServerRecords}. */
export interface DnsServerRecordsOptions {
  readonly own: DnsOwnRecords;
  readonly reverse: DnsReverseRecords;
  readonly onConflict: "refuse" | "suffix";
}

/** What is to be left of a server's records. */
export interface DnsServerChange {
  readonly server: string;
  readonly name: string;
  /** What is to be written under the name, by what is there. */
  readonly change: (held: DnsFacts) => DnsFacts;
  /** What the server had, whatever is written there. */
  readonly former: DnsFacts;
  /** The addresses whose PTR records are written. @default all */
  readonly reverse?: DnsFacts;
}

/** What is to be removed of a server's records. */
export interface DnsServerRemoval {
  readonly server: string;
  /** `null`: there is nothing under its name. */
  readonly name: string | null;
  /** What the server had: its addresses' PTR records go, too. */
  readonly former: DnsFacts;
  /** What stays under the name, by what is there. @default nothing */
  readonly change?: (held: DnsFacts) => DnsFacts;
  /** What the server has by its new name: it stays. @default nothing */
  readonly stay?: DnsServerWritten;
}

/** What was written. */
export interface DnsServerWritten {
  /** The server's name, which may be the one with a suffix. */
  readonly name: string;
  readonly facts: DnsFacts;
}

/** Writes and removes all records of a server: those of its name, and those of its addresses. */
export class DnsServerRecords {
  readonly #zones: DnsZones;
  readonly #own: DnsOwnRecords;
  readonly #reverse: DnsReverseRecords;
  readonly #onConflict: "refuse" | "suffix";

  constructor(zones: DnsZones, { own, reverse, onConflict }: DnsServerRecordsOptions) {
    this.#zones = zones;
    this.#own = own;
    this.#reverse = reverse;
    this.#onConflict = onConflict;
  }

  /**
   * Writes the records of a server. Repeated, it completes what an earlier attempt has left.
   *
   * @throws {PermanentError} when others have the name, or the name of an address.
   */
  async write(wanted: DnsServerChange, signal: AbortSignal): Promise<DnsServerWritten> {
    const { server, change, former, reverse } = wanted;
    const place = await this.#placeOf(wanted, signal);
    const { name } = place;
    const holder = await this.#own.holder(place, signal);
    const held = factsOf(holder, server);
    // Records that are not to stay go first: the TXT record of the name is what lists them.
    await this.#reverse.remove(server, without([...held, ...former], change(held)), signal);
    const outcome = await this.#own.put(place, { server, change, holder }, signal);
    if (!outcome.isDone) {
      // Another server was faster by a moment: this one gets the name with a suffix.
      const isOther = this.#onConflict === "suffix" && outcome.isServers && name !== suffixed(name, server);
      if (isOther) return await this.write(wanted, signal);
      throw takenBy(name, outcome.who);
    }
    await this.#reverse.write(server, { name, facts: reverse ?? outcome.facts }, signal);
    return { name, facts: outcome.facts };
  }

  /** Removes records of a server. What is not there, or is another's, counts as removed. */
  async remove(
    { server, name, former, change = () => [], stay }: DnsServerRemoval,
    signal: AbortSignal,
  ): Promise<void> {
    const places: (readonly [DnsPlace, DnsHolder])[] = [];
    const gone = [former];
    for (const place of await this.#placesOf(server, name, signal)) {
      if (place.name === stay?.name) continue;
      const holder = await this.#own.holder(place, signal);
      const held = factsOf(holder, server);
      if (held.length === 0) continue;
      places.push([place, holder]);
      gone.push(held.filter((fact) => !change(held).includes(fact)));
    }
    await this.#reverse.remove(server, without(gone.flat(), stay?.facts ?? []), signal);
    for (const [place, holder] of places) await this.#own.put(place, { server, change, holder }, signal);
  }

  /** What is written of a server under a name, or that name with a suffix. */
  async heldBy(server: string, name: string, signal: AbortSignal): Promise<DnsFacts> {
    const all: string[] = [];
    for (const place of await this.#placesOf(server, name, signal)) {
      all.push(...await this.#heldUnder(server, place, signal));
    }
    return all;
  }

  /**
   * The name that the server has or gets, and its zone.
   *
   * @throws {PermanentError} when no zone has the name, or it is the zone's own.
   */
  async #placeOf({ server, name }: DnsServerChange, signal: AbortSignal): Promise<DnsPlace> {
    const zone = await this.#zones.zoneOf(name, signal);
    if (zone === null) throw inNoZone(name);
    if (zone.toLowerCase() === name) {
      throw isZonesOwn(name);
    }
    const other = suffixed(name, server);
    if (this.#onConflict !== "suffix" || other === name) return { name, zone };
    // A server keeps the name that it got, also when the better one has become free.
    if ((await this.#heldUnder(server, { name: other, zone }, signal)).length > 0) return { name: other, zone };
    const holder = await this.#own.holder({ name, zone }, signal);
    return { name: holder.state === "ours" && holder.server !== server ? other : name, zone };
  }

  /** The names under which a server can be. Empty: it has none that could have been written. */
  async #placesOf(server: string, name: string | null, signal: AbortSignal): Promise<readonly DnsPlace[]> {
    const zone = name === null ? null : await this.#zones.zoneOf(name, signal);
    if (name === null || zone === null || zone.toLowerCase() === name) return [];
    // Whatever the option says by now: what was written is found.
    return [...new Set([suffixed(name, server), name])].map((one) => ({ name: one, zone }));
  }

  async #heldUnder(server: string, place: DnsPlace, signal: AbortSignal): Promise<DnsFacts> {
    return factsOf(await this.#own.holder(place, signal), server);
  }
}

/** What a server has under a name. */
function factsOf(holder: DnsHolder, server: string): DnsFacts {
  return holder.state === "ours" && holder.server === server ? holder.facts : [];
}
