import type { DeliveredEvent, Detail, ListedResource, NotifyContext, UpdateContext } from "../mod.ts";
import { PermanentError } from "../mod.ts";
import { isSameAttribute, type KeptValues, type LdapEntry, LdapOwnEntries, LdapTarget } from "../src/kit/mod.ts";
import { printable } from "../src/kit/mod.ts";
import { ServerContent, serverId } from "./ldap_content.ts";
import { ServerListing } from "./ldap_listing.ts";
import type { LdapDirectoryOptions } from "./ldap_options.ts";
import { presetOf, RECORD } from "./ldap_presets.ts";

/** Carries out the events that `LdapDirectory` is told. */
export class LdapDelivery implements AsyncDisposable {
  readonly #name: string;
  readonly #content: ServerContent;
  readonly #target: LdapTarget;
  readonly #entries: LdapOwnEntries;
  readonly #listing: ServerListing;

  /** @param options Checked ones. */
  constructor(options: LdapDirectoryOptions & { readonly name: string }) {
    const {
      name,
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
    } = options;
    const preset = presetOf(presetName);
    this.#name = name;
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

  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    const { subject, signal, log } = context;
    if (subject === "floatingip") {
      const fact = this.#content.factOf(detail);
      if (fact === null) return;
      const change = created ? this.#entries.addValues(fact, signal) : this.#entries.removeValues(fact, signal);
      // The creation of the server, yet to come, brings its floating IPs; its deletion has removed
      // them, and nothing may return.
      if (!await change) log.debug(`${this.#name}: ${printable(fact.id, 80)} has no entry for its floating IP`);
    } else if (created) {
      const server = this.#server(detail, context);
      await this.#entries.put(server.entry, { ...server, signal });
    } else {
      await this.#entries.remove(serverId(detail), signal);
    }
  }

  async update(detail: Detail, context: UpdateContext): Promise<void> {
    const server = this.#server(detail, context);
    const before = this.#formerEntry(context.before, server.entry);
    await this.#entries.update(server.entry, { ...server, before }, context.signal);
  }

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

  previewUpdate(detail: Detail, { before }: UpdateContext): string {
    const { entry, comments, ...server } = this.#server(detail);
    return comments + this.#entries.ldifOfUpdate(entry, { ...server, before: this.#formerEntry(before, entry) });
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#entries.check(this.#content.names, signal);
  }

  list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
    return this.#listing.list(signal);
  }

  async expected(delivered: readonly DeliveredEvent[]): Promise<ListedResource[]> {
    return await this.#listing.expected(delivered);
  }

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
      log?.info(`${this.#name}: left out of ${printable(id, 80)} what does not fit into ${what}`);
    }
    // The floating IPs of a repaired entry are delivered again, too: what is there may be wrong.
    const kept: KeptValues = (held) => repair ? [] : this.#content.keptValues(held);
    const comments = leftOut.map((what) => `# left out: what does not fit into ${what}\n`).join("");
    return { id, entry, kept, comments };
  }
}
