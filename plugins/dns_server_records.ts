import { suffixed } from "./dns_content.ts";
import { type DnsFacts, otherNamesOf, renamedTo, without, withoutOtherNames } from "./dns_facts.ts";
import type { DnsHolder, DnsOwnRecords } from "./dns_own_records.ts";
import { inNoZone, isZonesOwn, takenBy } from "./dns_refusals.ts";
import type { DnsReverseRecords } from "./dns_reverse_records.ts";
import type { DnsServerChange, DnsServerRemoval, DnsServerWritten } from "./dns_server_change.ts";
import type { DnsPlace, DnsZones } from "./dns_zones.ts";

/** Options of {@linkcode DnsServerRecords}. */
export interface DnsServerRecordsOptions {
  readonly own: DnsOwnRecords;
  readonly reverse: DnsReverseRecords;
  readonly onConflict: "refuse" | "suffix";
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
    const { server, former, leaves } = wanted;
    const change = (held: DnsFacts) => wanted.change(withoutOtherNames(held));
    const place = await this.#placeOf(wanted, signal);
    const { name } = place;
    const holder = await this.#own.holder(place, signal);
    const held = factsOf(holder, server);
    const others = otherNamesOf(held);
    for (const other of others) {
      await this.remove({ server, name: other, former: [], stay: { name, facts: change(held) } }, signal);
    }
    const isTheirs = holder.state === "theirs" || holder.state === "ours" && holder.server !== server;
    if (leaves !== undefined && !isTheirs) await this.#noteRename(server, { from: leaves, to: name }, signal);
    // Records that are not to stay go first: the TXT record of the name is what lists them.
    await this.#reverse.remove(server, without([...held, ...former], change(held)), signal);
    const outcome = await this.#own.put(place, { server, change, holder }, signal);
    if (!outcome.isDone) {
      // Another server was faster by a moment: this one gets the name with a suffix.
      const isOther = this.#onConflict === "suffix" && outcome.isServers && name !== suffixed(name, server);
      if (isOther) return await this.write(wanted, signal);
      throw takenBy(name, outcome.who);
    }
    await this.#reverse.write(server, { name, facts: others.length === 0 && wanted.reverse || outcome.facts }, signal);
    return { name, facts: outcome.facts };
  }

  /** Removes records of a server. What is not there, or is another's, counts as removed. */
  async remove(
    { server, name, former, change = () => [], stay }: DnsServerRemoval,
    signal: AbortSignal,
  ): Promise<void> {
    const places: (readonly [DnsPlace, DnsHolder])[] = [];
    const gone = [former];
    const all = [...await this.#placesOf(server, name, signal)];
    for (const place of all) {
      if (place.name === stay?.name) continue;
      const holder = await this.#own.holder(place, signal);
      const held = factsOf(holder, server);
      if (held.length === 0) continue;
      places.push([place, holder]);
      for (const other of otherNamesOf(held)) {
        const more = await this.#placesOf(server, other, signal);
        all.push(...more.filter((one) => all.every((known) => known.name !== one.name)));
      }
      gone.push(held.filter((fact) => !change(held).includes(fact)));
    }
    await this.#reverse.remove(server, without(gone.flat(), stay?.facts ?? []), signal);
    // The name that lists others goes after them.
    for (const [place, holder] of places.toReversed()) await this.#own.put(place, { server, change, holder }, signal);
  }

  /** What is written of a server under a name, or that name with a suffix. */
  async heldBy(server: string, name: string, signal: AbortSignal): Promise<DnsFacts> {
    const all: string[] = [];
    for (const place of await this.#placesOf(server, name, signal)) {
      all.push(...await this.#heldUnder(server, place, signal));
    }
    return all;
  }

  /** The name that the server loses lists the new one: who removes the one finds the other. */
  async #noteRename(
    server: string,
    { from, to }: { readonly from: string; readonly to: string },
    signal: AbortSignal,
  ): Promise<void> {
    for (const place of await this.#placesOf(server, from, signal)) {
      if (place.name === to) continue;
      const change = (held: DnsFacts) => held.length === 0 ? [] : [...new Set([...held, renamedTo(to)])];
      await this.#own.put(place, { server, change }, signal);
    }
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
