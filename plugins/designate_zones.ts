import type { Detail, Json } from "../mod.ts";
import {
  dnsAbsoluteName,
  type DnsRecord,
  dnsZoneAmong,
  type DnsZoneUpdate,
  type OpenStackTarget,
} from "../src/kit/mod.ts";
import { DesignateApi } from "./designate_api.ts";
import { DnsRrsetUpdates } from "./dns_rrset_updates.ts";
import { recordsOf, shownRrsets } from "./dns_rrsets.ts";
import type { DnsPlace, DnsZones } from "./dns_zones.ts";

/** Options of {@linkcode DesignateZones}. */
export interface DesignateZonesOptions {
  /** Those of the login's project. */
  readonly zones: readonly string[];
  /** Whether names may be in zones of the server's project. */
  readonly projectZones: boolean;
}

const PROJECT_ID = /^[\w-]{1,64}$/;

/** Zones of Designate. */
export class DesignateZones implements DnsZones {
  readonly #target: OpenStackTarget;
  readonly #options: DesignateZonesOptions;
  readonly #api: DesignateApi;
  readonly #updates: DnsRrsetUpdates;
  /** The server's project; `null`: zones of no project but the login's. */
  readonly #project: string | null;

  /** @param shared The zones that these are a view of. */
  constructor(
    target: OpenStackTarget,
    options: DesignateZonesOptions,
    { api = new DesignateApi(target, options.zones), updates = new DnsRrsetUpdates(api, "per name"), project = null }: {
      readonly api?: DesignateApi;
      readonly updates?: DnsRrsetUpdates;
      readonly project?: string | null;
    } = {},
  ) {
    this.#target = target;
    this.#options = options;
    this.#api = api;
    this.#updates = updates;
    this.#project = project;
  }

  forServer({ ProjectID: project }: Detail): DnsZones {
    if (!this.#options.projectZones || project === null || !PROJECT_ID.test(project)) return this;
    return new DesignateZones(this.#target, this.#options, { api: this.#api, updates: this.#updates, project });
  }

  known(name: string): string | null | undefined {
    const { zones, projectZones } = this.#options;
    return projectZones && !isReverse(name) ? undefined : dnsZoneAmong(zones, name);
  }

  async zoneOf(name: string, signal: AbortSignal): Promise<string | null> {
    const isProjects = this.#project !== null && !isReverse(name);
    const more = isProjects ? await this.#api.zonesOfProject(this.#project, signal) : [];
    return dnsZoneAmong([...this.#options.zones, ...more], name);
  }

  async texts({ name, zone }: DnsPlace, signal: AbortSignal): Promise<readonly DnsRecord[] | null> {
    const sets = await this.#api.read(zone, [name], signal);
    const texts = sets.filter(({ type }) => type === "TXT").flatMap(recordsOf);
    // What has an owner was not below a delegation when it was written.
    return texts.length === 0 && await this.#api.isDelegated({ name, zone }, signal) ? null : texts;
  }

  async update(update: DnsZoneUpdate, signal: AbortSignal): Promise<boolean> {
    return await this.#updates.update(update, signal);
  }

  async *records(signal: AbortSignal): AsyncGenerator<DnsRecord, void> {
    const { zones, projectZones } = this.#options;
    const all = projectZones ? await this.#api.allZones(signal) : [];
    for (const zone of new Set([...zones, ...all])) {
      for await (const set of this.#api.readAll(zone, signal)) yield* recordsOf(set);
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    const { zones, projectZones } = this.#options;
    for (const zone of zones) await this.#api.find(zone, signal);
    if (projectZones) await this.#api.allZones(signal);
  }

  shown(updates: readonly DnsZoneUpdate[]): Json {
    return updates.map((update) => ({
      zone: update.zone === "" ? "the one of the server's project that the name is in" : dnsAbsoluteName(update.zone),
      recordsets: shownRrsets(update).map(({ name, type, ttl, rows }) => ({
        name: dnsAbsoluteName(name),
        type,
        ...rows.length === 0 ? { deleted: true } : { ttl, records: rows.map(({ content }) => content) },
      })),
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }
}

function isReverse(name: string): boolean {
  return name.endsWith(".arpa");
}
