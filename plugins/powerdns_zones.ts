import { DeliveryError, type Json } from "../mod.ts";
import { type DnsRecord, dnsZoneAmong, type DnsZoneUpdate, type HttpTargetOptions } from "../src/kit/mod.ts";
import { DnsRrsetUpdates, isDelegated } from "./dns_rrset_updates.ts";
import { recordsOf, shownRrsets } from "./dns_rrsets.ts";
import type { DnsPlace, DnsZones } from "./dns_zones.ts";
import type { PowerDnsOptions } from "./powerdns_options.ts";
import { PowerDnsApi } from "./powerdns_api.ts";

/** Zones that are changed by the HTTP API of PowerDNS. */
export class PowerDnsZones implements DnsZones {
  readonly #api: PowerDnsApi;
  readonly #updates: DnsRrsetUpdates;
  readonly #zones: readonly string[];

  constructor(options: Pick<PowerDnsOptions, "url" | "apiKey" | "zones">, http: HttpTargetOptions) {
    this.#api = new PowerDnsApi(options, http);
    // With SQLite, PowerDNS answers 500 to one of two that write at the same time.
    this.#updates = new DnsRrsetUpdates(this.#api, "in all");
    this.#zones = options.zones;
  }

  known(name: string): string | null {
    return dnsZoneAmong(this.#zones, name);
  }

  zoneOf(name: string): Promise<string | null> {
    return Promise.resolve(this.known(name));
  }

  async texts({ name, zone }: DnsPlace, signal: AbortSignal): Promise<readonly DnsRecord[] | null> {
    const sets = await this.#api.read(zone, [name], signal);
    const texts = sets.filter(({ type }) => type === "TXT").flatMap(recordsOf);
    // What has an owner was not below a delegation when it was written.
    return texts.length === 0 && await isDelegated({ name, zone }, this.#api, signal) ? null : texts;
  }

  async update(update: DnsZoneUpdate, signal: AbortSignal): Promise<boolean> {
    return await this.#updates.update(update, signal);
  }

  async *records(signal: AbortSignal): AsyncGenerator<DnsRecord, void> {
    for (const zone of this.#zones) {
      for (const set of await this.#api.readAll(zone, signal)) yield* recordsOf(set);
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    for (const zone of this.#zones) {
      const kind = await this.#api.kindOf(zone, signal);
      if (!/^(?:native|master|primary|producer)$/i.test(kind)) {
        const text =
          `Cannot write the zone "${zone}": PowerDNS has it as ${kind}, from another server; set url to that`;
        throw new DeliveryError(text, { reason: "client_error" });
      }
    }
  }

  shown(updates: readonly DnsZoneUpdate[]): Json {
    return updates.map((update) => this.#api.shown(update.zone, shownRrsets(update)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api[Symbol.asyncDispose]();
  }
}
