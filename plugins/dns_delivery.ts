import type { DeliveredEvent, Detail, Json, ListedResource, NotifyContext, UpdateContext } from "../mod.ts";
import { DnsContent, serverIdOf, suffixed } from "./dns_content.ts";
import { DnsListing } from "./dns_listing.ts";
import type { DnsRecordsOptions } from "./dns_options.ts";
import type { DnsFacts } from "./dns_facts.ts";
import { DnsOwnRecords } from "./dns_own_records.ts";
import { DnsReverseRecords } from "./dns_reverse_records.ts";
import { DnsPreview } from "./dns_preview.ts";
import type { DnsServerChange, DnsServerWritten } from "./dns_server_change.ts";
import { DnsServerRecords } from "./dns_server_records.ts";
import type { DnsZones } from "./dns_zones.ts";

/** Carries out the events that plugins for the DNS are told. */
export class DnsDelivery implements AsyncDisposable {
  readonly #zones: DnsZones;
  readonly #options: DnsRecordsOptions;
  readonly #content: DnsContent;

  /** @param options Checked ones. */
  constructor(zones: DnsZones, options: DnsRecordsOptions & { readonly name: string }) {
    this.#zones = zones;
    this.#options = options;
    this.#content = new DnsContent(options);
  }

  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    const { subject, signal } = context;
    const isServer = subject === "server";
    const floating = isServer ? [] : this.#content.floatingFactsOf(detail, created);
    if (!isServer && (floating.length === 0 || !detail.ID)) return;
    if (created) {
      const added = (held: DnsFacts) => [...new Set([...held, ...floating])];
      const change = isServer ? this.#content.changeOf(detail, context) : added;
      await this.#write(detail, { change, former: [], ...isServer ? {} : { reverse: floating } }, context);
    } else {
      const change = (held: DnsFacts) => isServer ? [] : held.filter((fact) => !floating.includes(fact));
      const former = isServer ? this.#content.formerFactsOf(detail) : floating;
      const name = this.#content.formerNameOf(detail);
      await this.#recordsFor(detail).remove({ server: serverIdOf(detail), name, former, change }, signal);
    }
  }

  async update(detail: Detail, context: UpdateContext): Promise<void> {
    const { before, signal } = context;
    const server = serverIdOf(detail);
    const records = this.#recordsFor(detail);
    const [old, name] = [this.#content.formerNameOf(before), this.#content.nameOf(detail)];
    const former = this.#content.formerFactsOf(before);
    const isRenamed = old !== null && old !== name;
    // The former name goes last: until then it lists the floating IPs that the new one gets.
    const held = isRenamed ? await records.heldBy(server, old, signal) : [];
    const change = this.#content.changeOf(detail, context, held);
    const leaves = isRenamed ? { leaves: old } : {};
    const stay = await this.#write(detail, { change, former: [...former, ...held], ...leaves }, context);
    if (isRenamed) await records.remove({ server, name: old, former, ...stay === null ? {} : { stay } }, signal);
  }

  preview(detail: Detail, created: boolean, { subject }: NotifyContext): Json {
    return this.#previewFor(detail).ofEvent(detail, created, subject);
  }

  previewUpdate(detail: Detail, { before }: UpdateContext): Json {
    return this.#previewFor(detail).ofUpdate(detail, before);
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#zones.check(signal);
  }

  list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
    return this.#listing(this.#zones).list(signal);
  }

  async expected(delivered: readonly DeliveredEvent[]): Promise<ListedResource[]> {
    return await this.#listing(this.#zones).expected(delivered);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#zones[Symbol.asyncDispose]?.();
  }

  /** `null`: config.ts wants no records of the server. */
  async #write(
    detail: Detail,
    change: Omit<DnsServerChange, "server" | "name">,
    { signal, note }: NotifyContext | UpdateContext,
  ): Promise<DnsServerWritten | null> {
    const name = this.#content.nameOf(detail);
    if (name === null) return null;
    const written = await this.#recordsFor(detail).write({ server: serverIdOf(detail), name, ...change }, signal);
    if (written.name !== name) note(`${name} belongs to another server: written as ${written.name}`);
    return written;
  }

  #zonesFor(detail: Detail): DnsZones {
    return this.#zones.forServer?.(detail) ?? this.#zones;
  }

  #recordsFor(detail: Detail): DnsServerRecords {
    return this.#records(this.#zonesFor(detail));
  }

  #records(zones: DnsZones): DnsServerRecords {
    const { onConflict = "refuse" } = this.#options;
    return new DnsServerRecords(zones, { own: this.#own(zones), reverse: this.#reverse(zones), onConflict });
  }

  #reverse(zones: DnsZones): DnsReverseRecords {
    return new DnsReverseRecords(zones, this.#own(zones), this.#options.ptr ?? true);
  }

  #own(zones: DnsZones): DnsOwnRecords {
    const { owner = "oss-watcher", ttlSeconds: ttl = 300 } = this.#options;
    return new DnsOwnRecords(zones, { owner, ttl });
  }

  #previewFor(detail: Detail): DnsPreview {
    const zones = this.#zonesFor(detail);
    const reverse = this.#reverse(zones);
    const reverseOf = (address: string) => reverse.nameOf(address);
    return new DnsPreview({ content: this.#content, own: this.#own(zones), zones, reverseOf });
  }

  #listing(zones: DnsZones): DnsListing {
    const reverse = this.#reverse(zones);
    return new DnsListing(zones, {
      content: this.#content,
      own: this.#own(zones),
      reverseOf: (address) => reverse.nameOf(address),
      comparedName: (id, name) => this.#options.onConflict === "suffix" ? suffixed(name, id) : name,
    });
  }
}
