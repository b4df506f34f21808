import { type Json, PermanentError } from "../mod.ts";
import { type DnsRecord, DnsTarget, type DnsTargetOptions, dnsUpdateText } from "../src/kit/mod.ts";
import { dnsZoneAmong, type DnsZoneUpdate } from "../src/kit/mod.ts";
import type { DnsPlace, DnsZones } from "./dns_zones.ts";

/** Zones that are changed by UPDATE messages. */
export class DnsUpdateZones implements DnsZones {
  readonly #target: DnsTarget;
  readonly #zones: readonly string[] | undefined;

  /** @param zones `undefined`: those of the server, found by their SOA records. */
  constructor(target: DnsTargetOptions, zones: readonly string[] | undefined) {
    this.#target = new DnsTarget(target);
    this.#zones = zones;
  }

  known(name: string): string | null | undefined {
    return this.#zones === undefined ? undefined : dnsZoneAmong(this.#zones, name);
  }

  async zoneOf(name: string, signal: AbortSignal): Promise<string | null> {
    const known = this.known(name);
    return known === undefined ? await this.#target.zoneOf(name, signal) : known;
  }

  async texts({ name }: DnsPlace, signal: AbortSignal): Promise<readonly DnsRecord[] | null> {
    return await this.#target.query(name, "TXT", signal);
  }

  async update(update: DnsZoneUpdate, signal: AbortSignal): Promise<boolean> {
    return await this.#target.update(update, signal);
  }

  async *records(signal: AbortSignal): AsyncGenerator<DnsRecord, void> {
    if (this.#zones === undefined) throw new PermanentError("Cannot list what the DNS holds: set zones");
    for (const zone of this.#zones) yield* this.#target.transfer(zone, signal);
  }

  async check(signal: AbortSignal): Promise<void> {
    if (this.#zones === undefined) await this.#target.zoneOf("oss-watcher.invalid", signal);
    for (const zone of this.#zones ?? []) {
      await this.#target.update({ zone, prerequisites: [], changes: [] }, signal);
    }
  }

  /** In the language of nsupdate. */
  shown(updates: readonly DnsZoneUpdate[]): Json {
    const texts = updates.map((update) =>
      update.zone === ""
        ? dnsUpdateText(update).replace(/^zone \.$/m, "; the zone that the server names for it")
        : dnsUpdateText(update)
    );
    return texts.length === 0 ? "; nothing" : texts.join("\n\n");
  }
}
