import type { DeliveredEvent, Detail, ListedResource, NotifyContext, Plugin, UpdateContext } from "../mod.ts";
import { DnsTarget, givenOptions, optionProblems, refuseProblems } from "../src/kit/mod.ts";
import { DnsContent, serverIdOf, suffixed } from "./dns_content.ts";
import { DnsListing } from "./dns_listing.ts";
import { DNS_RULES, type DnsUpdateOptions } from "./dns_options.ts";
import { type DnsFacts, DnsOwnRecords } from "./dns_own_records.ts";
import { DnsPreview } from "./dns_preview.ts";
import { type DnsServerChange, DnsServerRecords, type DnsServerWritten } from "./dns_server_records.ts";

/**
 * Keeps the names and addresses of servers in the DNS by signed UPDATE messages (RFC 2136, RFC
 * 8945): A, AAAA and PTR records, and beside each name a TXT record that says whose it is. Names
 * that others own are never changed, and a deletion removes what was written. Every event may come
 * twice. docs/DNS.md says what the name server needs.
 *
 * @example
 * ```ts
 * import { type DnsAddresses, DnsUpdate, type DnsUpdateOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const addresses: DnsAddresses = (address) => address.network === "public";
 * const options: DnsUpdateOptions = {
 *   server: ["ns1.example.com", "ns2.example.com"],
 *   keyName: "oss-watcher",
 *   keySecret: "czNjcmV0",
 *   zones: ["cloud.example.com", "113.0.203.in-addr.arpa"],
 *   addresses,
 * };
 *
 * assert.equal(new DnsUpdate(options).name, "DnsUpdate");
 * assert.throws(() => new DnsUpdate({ ...options, zones: [] }), /zones: must be a list of zones' names/);
 * ```
 */
export class DnsUpdate implements Plugin {
  readonly name: string;
  readonly #zones: readonly string[] | undefined;
  readonly #target: DnsTarget;
  readonly #content: DnsContent;
  readonly #records: DnsServerRecords;
  readonly #listing: DnsListing;
  readonly #preview: DnsPreview;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: DnsUpdateOptions) {
    const {
      name = "DnsUpdate",
      zones,
      hostName,
      addresses = "fixed",
      ptr = true,
      ttlSeconds: ttl = 300,
      onConflict = "refuse",
      owner = "oss-watcher",
      ...server
    } = givenOptions("DnsUpdate", options);
    refuseProblems("Cannot make DnsUpdate", [...optionProblems(options, DNS_RULES), ...DnsTarget.problems(server)]);
    this.name = name;
    this.#zones = zones;
    this.#target = new DnsTarget(server);
    this.#content = new DnsContent({ plugin: name, addresses, ...(hostName === undefined ? {} : { hostName }) });
    const own = new DnsOwnRecords(this.#target, { owner, ttl });
    this.#records = new DnsServerRecords(this.#target, own, { zones, onConflict, ptr });
    const reverseOf = (address: string) => this.#records.reverseOf(address)?.name ?? null;
    const common = { content: this.#content, own, zones, reverseOf };
    this.#preview = new DnsPreview(common);
    this.#listing = new DnsListing(this.#target, {
      ...common,
      comparedName: (id, hostName) => onConflict === "suffix" ? suffixed(hostName, id) : hostName,
    });
  }

  /**
   * Writes, changes or removes the records of the event's server.
   *
   * @throws {PermanentError} when the server's name is no host name or in no zone, others own it, or
   * a function of config.ts fails.
   * @throws {DeliveryError} when no name server can be reached, or they refuse at present.
   */
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
      await this.#records.remove({ server: serverIdOf(detail), name, former, change }, signal);
    }
  }

  /**
   * Writes the records of a server that has changed, under its new name, and removes those of its
   * former name and addresses. Keeps its floating IPs.
   *
   * @throws {PermanentError} as {@linkcode DnsUpdate.notify}, also when the new name is taken.
   * @throws {DeliveryError} likewise.
   */
  async update(detail: Detail, context: UpdateContext): Promise<void> {
    const { before, signal } = context;
    const server = serverIdOf(detail);
    const [old, name] = [this.#content.formerNameOf(before), this.#content.nameOf(detail)];
    const former = this.#content.formerFactsOf(before);
    const isRenamed = old !== null && old !== name;
    // The former name goes last: until then it lists the floating IPs that the new one gets.
    const held = isRenamed ? await this.#records.heldBy(server, old, signal) : [];
    const change = this.#content.changeOf(detail, context, held);
    const stay = await this.#write(detail, { change, former: [...former, ...held] }, context);
    if (isRenamed) await this.#records.remove({ server, name: old, former, ...stay === null ? {} : { stay } }, signal);
  }

  /** What {@linkcode DnsUpdate.notify} would send, in the language of nsupdate. */
  preview(detail: Detail, created: boolean, { subject }: NotifyContext): string {
    return this.#preview.textOfEvent(detail, created, subject);
  }

  /** What {@linkcode DnsUpdate.update} would send, likewise. */
  previewUpdate(detail: Detail, { before }: UpdateContext): string {
    return this.#preview.textOfUpdate(detail, before);
  }

  /** Rejects when no server can be reached, or one does not know the key or has not the zones. */
  async check(signal: AbortSignal): Promise<void> {
    if (this.#zones === undefined) await this.#target.zoneOf("oss-watcher.invalid", signal);
    for (const zone of this.#zones ?? []) {
      await this.#target.update({ zone, prerequisites: [], changes: [] }, signal);
    }
  }

  /**
   * Lists the servers of which the zones hold records, by the server's UUID.
   *
   * @throws {PermanentError} without the option `zones`.
   * @throws {DeliveryError} when a zone cannot be transferred whole.
   */
  list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
    return this.#listing.list(signal);
  }

  /** What {@linkcode DnsUpdate.list} must report of a server after these deliveries. */
  async expected(delivered: readonly DeliveredEvent[]): Promise<ListedResource[]> {
    return await this.#listing.expected(delivered);
  }

  /** `null`: config.ts wants no records of the server. */
  async #write(
    detail: Detail,
    change: Omit<DnsServerChange, "server" | "name">,
    { signal, note }: NotifyContext | UpdateContext,
  ): Promise<DnsServerWritten | null> {
    const name = this.#content.nameOf(detail);
    if (name === null) return null;
    const written = await this.#records.write({ server: serverIdOf(detail), name, ...change }, signal);
    if (written.name !== name) note(`${name} belongs to another server: written as ${written.name}`);
    return written;
  }
}
