import type { DeliveredEvent, Detail, ListedResource, NotifyContext, Plugin } from "../mod.ts";
import { type LdapEntry, type LdapFact, LdapOwnEntries, LdapTarget } from "../src/kit/mod.ts";
import { callUserFunction, givenOptions, isSameAttribute, printable } from "../src/kit/mod.ts";
import { optionProblems, refuseProblems } from "../src/kit/mod.ts";
import { RETURNS_PARENT, ServerContent, serverId } from "./ldap_content.ts";
import { ServerListing } from "./ldap_listing.ts";
import { LDAP_RULES, type LdapDirectoryOptions } from "./ldap_options.ts";
import { LDAP_PRESETS, type LdapPreset } from "./ldap_presets.ts";

/**
 * Keeps an entry for each server in an LDAP directory, from its creation to its deletion, with its
 * floating IPs. Entries are found by the server's UUID and our mark, whatever their DN; other
 * entries are never changed. Every event may come twice. A floating IP that is associated before
 * the server's creation is written together with the server; one after its deletion is ignored. So
 * `events` must list servers and floating IPs.
 *
 * @example
 * ```ts
 * import { LdapDirectory, type LdapDirectoryOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: LdapDirectoryOptions = {
 *   url: ["ldaps://ldap1.example.com", "ldaps://ldap2.example.com"],
 *   bindDn: "cn=oss-watcher,dc=example,dc=com",
 *   password: "s3cret",
 *   baseDn: "ou=servers,dc=example,dc=com",
 *   attributes: { ou: (detail) => detail.ProjectName },
 * };
 *
 * assert.equal(new LdapDirectory(options).name, "LdapDirectory");
 * assert.throws(() => new LdapDirectory({ ...options, url: "ldap.example.com" }), /url: must be ldaps:/);
 * ```
 */
export class LdapDirectory implements Plugin {
  readonly name: string;
  readonly #content: ServerContent;
  readonly #parent: (detail: Detail) => string;
  readonly #target: LdapTarget;
  readonly #entries: LdapOwnEntries;
  readonly #listing: ServerListing;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: LdapDirectoryOptions) {
    const {
      name = "LdapDirectory",
      baseDn,
      preset: presetName = "host",
      objectClasses,
      attributes,
      idAttribute = "serialNumber",
      rdn = [idAttribute],
      parent,
      markAttribute = "description",
      mark = "oss-watcher",
      addressAttribute,
      ...server
    } = givenOptions("LdapDirectory", options);
    refuseProblems("Cannot make LdapDirectory", [
      ...optionProblems(options, LDAP_RULES),
      ...LdapTarget.problems(server),
    ]);
    const preset = LDAP_PRESETS[presetName] as LdapPreset;
    this.name = name;
    this.#content = new ServerContent({
      plugin: name,
      preset,
      idAttribute,
      markAttribute,
      attributes,
      addressAttribute,
    });
    this.#parent = parent ?? (() => "");
    this.#target = new LdapTarget(server);
    const own = { baseDn, objectClasses: objectClasses ?? preset.objectClasses, rdn, idAttribute, markAttribute, mark };
    const namesVary = parent !== undefined || rdn.some((name) => !isSameAttribute(name, idAttribute));
    this.#entries = new LdapOwnEntries(this.#target, { ...own, namesVary });
    this.#listing = new ServerListing(this.#target, {
      ...{ ...own, attributes: this.#content.names, kept: (held) => this.#content.keptValues(held) },
      entry: (detail) => this.#entry(detail).entry,
      floating: (detail) => this.#fact(detail)?.values ?? null,
    });
  }

  /**
   * Adds, changes or removes the entry of the event's server.
   *
   * @throws {PermanentError} when the schema or another's entry prevents it, or a function of
   * config.ts fails.
   * @throws {DeliveryError} when the directory cannot be reached or refuses at present.
   */
  async notify(detail: Detail, created: boolean, { subject, signal, log, repair }: NotifyContext): Promise<void> {
    if (subject === "floatingip") {
      const fact = this.#fact(detail);
      if (fact === null) return;
      const { id } = fact;
      const hasEntry = created
        ? await this.#entries.addValues(fact, signal)
        : await this.#entries.removeValues(fact, signal);
      // The creation of the server, yet to come, brings its floating IPs; its deletion has removed
      // them, and nothing may return.
      if (!hasEntry) log.debug(`${this.name}: ${printable(id, 80)} has no entry for its floating IP`);
    } else if (created) {
      const { id, entry, leftOut } = this.#entry(detail);
      for (const what of leftOut) {
        log.info(`${this.name}: left out of ${printable(id, 80)} what does not fit into ${what}`);
      }
      // The floating IPs of a repaired entry are delivered again, too: what is there may be wrong.
      await this.#entries.put(entry, { id, kept: (held) => repair ? [] : this.#content.keptValues(held), signal });
    } else {
      await this.#entries.remove(serverId(detail), signal);
    }
  }

  /** What {@linkcode LdapDirectory.notify} would send, as LDIF (RFC 2849). */
  preview(detail: Detail, created: boolean, { subject }: NotifyContext): string {
    if (subject === "server") {
      if (!created) return this.#entries.ldifOfRemove(serverId(detail));
      const { entry, leftOut } = this.#entry(detail);
      const comments = leftOut.map((what) => `# left out: what does not fit into ${what}\n`);
      return comments.join("") + this.#entries.ldifOfPut(entry);
    }
    const fact = this.#fact(detail);
    return fact === null
      ? "# nothing: the address is no server's"
      : this.#entries.ldifOfValues(fact, created ? "add" : "delete");
  }

  /**
   * Rejects when the bind fails, `baseDn` is missing, or the schema lacks a class or an attribute.
   */
  async check(signal: AbortSignal): Promise<void> {
    await this.#entries.check(this.#content.names, signal);
  }

  /**
   * Lists our entries, by the server's UUID. A server's floating IPs are part of its entry.
   *
   * @throws {DeliveryError} when the directory cannot be read whole.
   */
  list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
    return this.#listing.list(signal);
  }

  /** What {@linkcode LdapDirectory.list} must report of a server after these deliveries. */
  async expected(delivered: readonly DeliveredEvent[]): Promise<ListedResource[]> {
    return await this.#listing.expected(delivered);
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  /** The entry of a server, and what cannot be written into it. */
  #entry(detail: Detail): { readonly id: string; readonly entry: LdapEntry; readonly leftOut: readonly string[] } {
    const id = serverId(detail);
    const content = this.#content.of(detail);
    const parent = callUserFunction({ ...RETURNS_PARENT, plugin: this.name }, () => this.#parent(detail));
    return { id, entry: this.#entries.entry(id, content, parent), leftOut: this.#entries.leftOut(content) };
  }

  /** The floating IP of an association; `null` when no server has it. */
  #fact({ ID, IP }: Detail): LdapFact | null {
    return !ID || !IP ? null : { id: ID, values: this.#content.floatingValues([IP]) };
  }
}
