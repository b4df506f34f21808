import type { DeliveredEvent, Detail, ListedResource, NotifyContext, Plugin, UpdateContext } from "../mod.ts";
import { PermanentError } from "../mod.ts";
import { type KeptValues, type LdapEntry, LdapOwnEntries, LdapTarget } from "../src/kit/mod.ts";
import { givenOptions, isSameAttribute, optionProblems, printable, refuseProblems } from "../src/kit/mod.ts";
import { ServerContent, serverId } from "./ldap_content.ts";
import { ServerListing } from "./ldap_listing.ts";
import { LDAP_RULES, type LdapDirectoryOptions } from "./ldap_options.ts";
import { presetOf, RECORD } from "./ldap_presets.ts";

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
      preset: presetName,
      objectClasses,
      attributes,
      idAttribute = presetOf(presetName).idAttribute ?? "serialNumber",
      rdn = presetOf(presetName).rdn ?? [idAttribute],
      parent,
      markAttribute = presetOf(presetName).markAttribute ?? RECORD,
      mark = "oss-watcher",
      addressAttribute,
      ...server
    } = givenOptions("LdapDirectory", options);
    refuseProblems("Cannot make LdapDirectory", [
      ...optionProblems(options, LDAP_RULES),
      ...LdapTarget.problems(server),
    ]);
    const preset = presetOf(presetName);
    this.name = name;
    const content = { preset, idAttribute, markAttribute, attributes, addressAttribute, parent };
    this.#content = new ServerContent({ plugin: name, ...content });
    this.#target = new LdapTarget(server);
    const own = { baseDn, objectClasses: objectClasses ?? preset.objectClasses, rdn, idAttribute, markAttribute, mark };
    const initial = ServerContent.initialOf(content);
    const namesVary = parent !== undefined || rdn.some((name) => !isSameAttribute(name, idAttribute));
    this.#entries = new LdapOwnEntries(this.#target, { ...own, initial, namesVary });
    this.#listing = new ServerListing(this.#target, {
      ...{ ...own, attributes: this.#content.names, kept: (held) => this.#content.keptValues(held) },
      entry: (detail) => this.#server(detail).entry,
      floating: (detail) => this.#content.factOf(detail)?.values ?? null,
    });
  }

  /**
   * Adds, changes or removes the entry of the event's server.
   *
   * @throws {PermanentError} when the schema or another's entry prevents it, or a function of
   * config.ts fails.
   * @throws {DeliveryError} when the directory cannot be reached or refuses at present.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    const { subject, signal, log } = context;
    if (subject === "floatingip") {
      const fact = this.#content.factOf(detail);
      if (fact === null) return;
      const change = created ? this.#entries.addValues(fact, signal) : this.#entries.removeValues(fact, signal);
      // The creation of the server, yet to come, brings its floating IPs; its deletion has removed
      // them, and nothing may return.
      if (!await change) log.debug(`${this.name}: ${printable(fact.id, 80)} has no entry for its floating IP`);
    } else if (created) {
      const server = this.#server(detail, context);
      await this.#entries.put(server.entry, { ...server, signal });
    } else {
      await this.#entries.remove(serverId(detail), signal);
    }
  }

  /**
   * Changes the entry of a server, and renames or moves it if its name or place has changed. Keeps
   * its floating IPs and attributes that are not ours. Adds the entry if it is missing.
   *
   * @throws {PermanentError} as {@linkcode LdapDirectory.notify}, also when the new name is taken.
   * @throws {DeliveryError} likewise.
   */
  async update(detail: Detail, context: UpdateContext): Promise<void> {
    const server = this.#server(detail, context);
    const before = this.#formerEntry(context.before, server.entry);
    await this.#entries.update(server.entry, { ...server, before }, context.signal);
  }

  /** What {@linkcode LdapDirectory.notify} would send, as LDIF (RFC 2849). */
  preview(detail: Detail, created: boolean, { subject }: NotifyContext): string {
    if (subject === "server") {
      if (!created) return this.#entries.ldifOfRemove(serverId(detail));
      const { entry, comments } = this.#server(detail);
      return comments + this.#entries.ldifOfPut(entry);
    }
    const fact = this.#content.factOf(detail);
    return fact === null
      ? "# nothing: the address is no server's"
      : this.#entries.ldifOfValues(fact, created ? "add" : "delete");
  }

  /**
   * What {@linkcode LdapDirectory.update} would send, as LDIF, to an entry that is as the last
   * delivery left it.
   */
  previewUpdate(detail: Detail, { before }: UpdateContext): string {
    const { entry, comments, ...server } = this.#server(detail);
    return comments + this.#entries.ldifOfUpdate(entry, { ...server, before: this.#formerEntry(before, entry) });
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

  /**
   * The entry that the former detail makes with the present options. Where it makes none, because
   * config.ts named entries by something else then, the present one: its name is no change.
   */
  #formerEntry(before: Detail, present: LdapEntry): LdapEntry {
    try {
      return this.#server(before).entry;
    } catch (error) {
      if (error instanceof PermanentError) return present;
      throw error;
    }
  }

  /** The entry of a server, the values there that stay, and comments on what is left out. */
  #server(detail: Detail, { log, repair = false }: Partial<NotifyContext | UpdateContext> = {}) {
    const id = serverId(detail);
    const content = this.#content.of(detail);
    const entry = this.#entries.entry(id, content, this.#content.parentOf(detail));
    const leftOut = this.#entries.leftOut(content);
    for (const what of leftOut) {
      log?.info(`${this.name}: left out of ${printable(id, 80)} what does not fit into ${what}`);
    }
    // The floating IPs of a repaired entry are delivered again, too: what is there may be wrong.
    const kept: KeptValues = (held) => repair ? [] : this.#content.keptValues(held);
    const comments = leftOut.map((what) => `# left out: what does not fit into ${what}\n`).join("");
    return { id, entry, kept, comments };
  }
}
