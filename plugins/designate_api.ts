import { DeliveryError, PermanentError } from "../mod.ts";
import { dnsAbsoluteName, dnsPlainName, dnsZoneAmong, isSameDnsName, type OpenStackTarget } from "../src/kit/mod.ts";
import { DesignateClient } from "./designate_client.ts";
import { isOwners, newRecordsetOf, recordsetOf, rrsetOf, unionOf } from "./designate_recordsets.ts";
import type { DnsRrsetChange, DnsRrsetStore } from "./dns_rrset_updates.ts";
import type { DnsRrset } from "./dns_rrsets.ts";
import type { DnsPlace } from "./dns_zones.ts";

type Headers = Readonly<Record<string, string>>;

/** A zone, and the headers by which it may be reached. */
interface Place {
  readonly id: string;
  readonly headers: Headers;
}

/** Zones and sets of records by Designate's API v2. */
export class DesignateApi implements DnsRrsetStore {
  readonly #client: DesignateClient;
  readonly #zones: readonly string[];
  /** Zones that were found, by name. */
  readonly #places = new Map<string, Place>();

  /** @param zones The login's. Another project may have one of the same name, in another pool. */
  constructor(target: OpenStackTarget, zones: readonly string[]) {
    this.#client = new DesignateClient(target);
    this.#zones = zones;
  }

  /** Finds a zone: another project's that was listed, or the login's. */
  async find(zone: string, signal: AbortSignal): Promise<Place> {
    const known = this.#places.get(zone);
    if (known !== undefined) return known;
    await this.#listed(`name=${encodeURIComponent(dnsAbsoluteName(zone))}&`, {}, signal);
    const found = this.#places.get(zone);
    if (found !== undefined) return found;
    const text = `Cannot find the zone "${zone}" in Designate: the login's project has none; make it, or set zones`;
    throw new DeliveryError(text, { reason: "client_error" });
  }

  /** The names of a project's zones. */
  zonesOfProject(project: string, signal: AbortSignal): Promise<readonly string[]> {
    return this.#listed("", { "X-Auth-Sudo-Project-ID": project }, signal);
  }

  /** The names of all projects' zones. */
  allZones(signal: AbortSignal): Promise<readonly string[]> {
    return this.#listed("", { "X-Auth-All-Projects": "true" }, signal);
  }

  async read(zone: string, names: readonly string[], signal: AbortSignal): Promise<readonly DnsRrset[]> {
    const sets: DnsRrset[] = [];
    for (const name of names) {
      for await (const { set } of this.#sets(zone, `name=${encodeURIComponent(dnsAbsoluteName(name))}&`, signal)) {
        if (set.name === name) sets.push(set);
      }
    }
    return sets;
  }

  /** Whether a name is below a delegation of its zone: the zone's few NS sets say so at once. */
  async isDelegated({ name, zone }: DnsPlace, signal: AbortSignal): Promise<boolean> {
    for await (const { set } of this.#sets(zone, "type=NS&", signal)) {
      if (!isSameDnsName(set.name, zone) && dnsZoneAmong([set.name], name) !== null) return true;
    }
    return false;
  }

  /** All sets of a zone but those in error, which name servers may lack; owners' even then. */
  async *readAll(zone: string, signal: AbortSignal): AsyncGenerator<DnsRrset, void> {
    for await (const { set, status } of this.#sets(zone, "", signal)) {
      if (status !== "ERROR" || isOwners(set)) yield set;
    }
  }

  /**
   * Writes one set after the other. The owner's lists, at each moment, at least what is there: so an
   * attempt that ends in between leaves nothing without an owner.
   */
  async write({ zone, sets, held }: DnsRrsetChange, signal: AbortSignal): Promise<boolean> {
    const place = await this.find(zone, signal);
    const [owner, before] = [sets.find(isOwners), held.find(isOwners)];
    const first = owner === undefined ? undefined : unionOf(before, owner);
    const claim = first === undefined ? null : await this.#put(place, first, signal);
    if (first !== undefined && claim === null) return false;
    // A name that cannot be written after all is given back.
    const giveUp = async () => {
      if (before === undefined && claim !== null) await this.#put(place, { ...claim, rows: [] }, signal);
    };
    try {
      for (const set of sets.filter((one) => !isOwners(one))) {
        if (await this.#put(place, set, signal) === null) return await giveUp().then(() => false);
      }
    } catch (error) {
      if (error instanceof PermanentError) await giveUp();
      throw error;
    }
    return owner === undefined || owner === first || await this.#put(place, owner, signal) !== null;
  }

  /** `null`: others were faster. */
  async #put({ id, headers }: Place, set: DnsRrset, signal: AbortSignal): Promise<DnsRrset | null> {
    const path = `/zones/${id}/recordsets`;
    const own = `${path}/${set.id}`;
    if (set.rows.length === 0) {
      if (set.id !== undefined) {
        await this.#client.ask({ method: "DELETE", path: own, headers, handles: [404] }, signal);
      }
      return set;
    }
    const { status, body } = set.id === undefined
      ? await this.#client.ask({ method: "POST", path, headers, body: newRecordsetOf(set), handles: [409] }, signal)
      : await this.#client.ask({ method: "PUT", path: own, headers, body: recordsetOf(set), handles: [404] }, signal);
    return status >= 300 ? null : body === null ? set : rrsetOf(body) ?? set;
  }

  async #listed(query: string, headers: Headers, signal: AbortSignal): Promise<readonly string[]> {
    const names: string[] = [];
    const isOthers = Object.keys(headers).length > 0;
    for await (
      const { id, name, project_id: project } of this.#client.rows({ path: `/zones?${query}`, headers }, signal)
    ) {
      if (typeof id !== "string" || typeof name !== "string") continue;
      if (isOthers && this.#zones.includes(dnsPlainName(name))) continue;
      names.push(dnsPlainName(name));
      const sudo = isOthers && typeof project === "string" ? { "X-Auth-Sudo-Project-ID": project } : headers;
      this.#places.set(dnsPlainName(name), { id, headers: sudo });
    }
    return names;
  }

  /** Those that are being deleted are left out: they make no answer any more, and cannot be changed. */
  async *#sets(
    zone: string,
    query: string,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly set: DnsRrset; readonly status: unknown }, void> {
    const { id, headers } = await this.find(zone, signal);
    try {
      for await (const row of this.#client.rows({ path: `/zones/${id}/recordsets?${query}`, headers }, signal)) {
        const set = rrsetOf(row);
        if (set !== null && row["action"] !== "DELETE") yield { set, status: row["status"] };
      }
    } catch (error) {
      // It may have been made anew.
      if (error instanceof DeliveryError && error.status === 404) this.#places.delete(zone);
      throw error;
    }
  }
}
