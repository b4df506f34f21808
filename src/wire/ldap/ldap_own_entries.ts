import { DeliveryError, PermanentError } from "../../model/errors.ts";
import { printable } from "../escaping/printable.ts";
import { isSameAttribute } from "./attribute_name.ts";
import type { LdapTarget } from "./ldap.ts";
import { countLeftOut, ldapValues, rdnOf, valuesIn } from "./ldap_entry.ts";
import type { LdapChange, LdapEntry } from "./ldap_entry.ts";
import {
  changesTo,
  type KeptValues,
  type LdapContent,
  neededAttributes,
  valuesAfterChange,
  valuesAfterPut,
} from "./ldap_entry_changes.ts";
import { type LdapName, newNameOf, renamedEntry } from "./ldap_renaming.ts";
import { missingFromSchema } from "./ldap_schema.ts";
import { filterValue } from "./ldap_text.ts";
import { ldifOfAdd, ldifOfDelete, ldifOfModify, ldifOfRename } from "./ldif.ts";

/** Form of our entries, and how they are recognised. */
export interface LdapOwnEntriesOptions {
  /** The entry below which ours are. It must exist. */
  readonly baseDn: string;
  /** The classes of our entries. */
  readonly objectClasses: readonly string[];
  /** The attributes that name an entry, by the first value of each. */
  readonly rdn: readonly string[];
  /** The attribute that holds the ID, by which an entry is found. */
  readonly idAttribute: string;
  /** The attribute that holds our mark. */
  readonly markAttribute: string;
  /** A value that tells our entries from others. */
  readonly mark: string;
  /**
   * Whether the DN of one ID may vary, because its name or parent changes: then the ID is searched
   * for before its entry is added. @default true
   */
  readonly namesVary?: boolean;
  /** Attributes that a new entry gets, and that are left as they are from then on. @default none */
  readonly initial?: LdapContent;
}

/** Values that are added to the entry of one ID, or removed from it. */
export interface LdapFact {
  /** The ID of the entry. */
  readonly id: string;
  /** What is added, or removed. */
  readonly values: LdapContent;
}

/** An entry that is to be changed into another one. */
export interface LdapEntryUpdate {
  /** The ID of the entry. */
  readonly id: string;
  /** The entry as it was to be before. */
  readonly before: LdapEntry;
  /** As for {@linkcode LdapOwnEntries.put}. */
  readonly kept: KeptValues;
}

/**
 * Our entries in a directory. Each has our mark and the ID of what it describes, and is found by
 * them, whatever its DN. No other entry is ever changed, and every operation is idempotent.
 *
 * @example
 * ```ts
 * import { LdapOwnEntries, LdapTarget } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * await using target = new LdapTarget({ url: "ldaps://ldap.example.com", bindDn: "cn=watcher,dc=example,dc=com", password: "s3cret" });
 * const rooms = new LdapOwnEntries(target, {
 *   baseDn: "ou=rooms,dc=example,dc=com",
 *   objectClasses: ["room"],
 *   rdn: ["cn"],
 *   idAttribute: "roomNumber",
 *   markAttribute: "description",
 *   mark: "watcher",
 * });
 *
 * assert.equal(rooms.entry("4.12", [["cn", "Ada, Grace"]]).dn, "cn=Ada\\2C Grace,ou=rooms,dc=example,dc=com");
 * ```
 */
export class LdapOwnEntries {
  readonly #target: LdapTarget;
  readonly #options: LdapOwnEntriesOptions;
  /** Those of our classes that require an attribute. */
  readonly #needs: readonly (readonly [objectClass: string, attribute: string])[];

  /** Does no I/O. */
  constructor(target: LdapTarget, options: LdapOwnEntriesOptions) {
    this.#target = target;
    this.#options = options;
    this.#needs = neededAttributes(options.objectClasses);
  }

  /**
   * The entry of an ID as it would be added: classes, ID, mark and content. Texts become values
   * that a server accepts: hostile characters are written as `\u{…}`, long values are cut, and
   * texts that cannot be a value of their attribute are left out.
   *
   * @param parent The part of the DN between the entry's name and the base.
   * @throws {PermanentError} when its attribute cannot hold the ID, or a naming attribute has no
   * value.
   */
  entry(id: string, content: LdapContent, parent = ""): LdapEntry {
    const { baseDn, objectClasses, rdn, idAttribute, markAttribute, mark } = this.#options;
    const given = new Map<string, readonly string[]>();
    for (const [name, texts] of [[idAttribute, id], [markAttribute, mark], ...content] as const) {
      const known = [...given.keys()].find((other) => isSameAttribute(other, name)) ?? name;
      given.set(known, [...given.get(known) ?? [], ...[texts ?? []].flat()]);
    }
    const attributes = new Map([...given].map(([name, texts]) => [name, ldapValues(name, texts)]));
    const name = rdnOf(attributes, rdn);
    if (valuesIn({ dn: name, attributes }, idAttribute)[0] !== id) {
      throw new PermanentError(`Cannot write the entry of "${printable(id, 80)}": ${idAttribute} cannot hold this ID`);
    }
    const dn = [name, parent, baseDn].filter((part) => part !== "").join(",");
    const lone = this.#needs.filter(([, needed]) => valuesIn({ dn, attributes }, needed).length === 0);
    const classes = objectClasses.filter((name) => !lone.some(([one]) => one === name));
    return { dn, attributes: new Map([["objectClass", classes], ...attributes]) };
  }

  /**
   * The texts that {@linkcode LdapOwnEntries.entry} leaves out because they cannot be a value of
   * their attribute, `attribute: how many` each.
   */
  leftOut(content: LdapContent): readonly string[] {
    return content.flatMap(([name, given]) => {
      const count = countLeftOut(name, [given ?? []].flat());
      return count === 0 ? [] : [`${name}: ${count}`];
    });
  }

  /**
   * Adds the entry of an ID, or sets the attributes of its existing entry: to these values and no
   * others, except those that `kept` returns.
   *
   * @param only.kept Selects the present values that stay, because other events add and remove
   * them.
   * @throws {PermanentError} when the name is taken by an entry without our mark or of another ID.
   */
  async put(
    entry: LdapEntry,
    { id, kept, signal }: {
      readonly id: string;
      readonly kept: KeptValues;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const names = wantedOf(entry).map(([name]) => name);
    let found = this.#options.namesVary ?? true ? await this.#find(id, names, signal) : [];
    if (found.length === 0 && await this.#target.add(this.#added(entry), signal)) return;
    if (found.length === 0) found = await this.#find(id, names, signal);
    if (found.length === 0) {
      throw new PermanentError(
        `Cannot add "${printable(entry.dn, 200)}": an entry of this name is there, without our mark or with another ` +
          `${this.#options.idAttribute}; rename it, or let other attributes name ours`,
      );
    }
    for (const there of found) {
      await this.#modify(there, { id, changes: this.#changesOfPut(there, entry, kept), signal });
    }
  }

  /**
   * Sets the attributes of the entry of an ID, as {@linkcode LdapOwnEntries.put} does, and renames
   * or moves it if its name or the entry above it differs from that before. An entry that somebody
   * has renamed or moved stays so in what is equal before and now. Adds the entry if it is missing.
   *
   * @throws {PermanentError} when the name is taken by another entry.
   */
  async update(entry: LdapEntry, update: LdapEntryUpdate, signal: AbortSignal): Promise<void> {
    const { id, kept } = update;
    const found = await this.#find(id, wantedOf(entry).map(([name]) => name), signal);
    if (found.length === 0) return await this.put(entry, { id, kept, signal });
    for (const there of found) {
      const name = this.#newName(there, entry, update);
      if (name !== null && !await this.#target.rename(there.dn, name, { only: this.#filter(id), signal })) {
        throw new PermanentError(
          `Cannot rename "${printable(there.dn, 200)}" to "${printable(name.rdn, 200)}": an entry of this name is ` +
            "there; rename it, or let other attributes name ours",
        );
      }
      const renamed = name === null ? there : renamedEntry(there, name);
      await this.#modify(renamed, { id, changes: this.#changesOfPut(renamed, entry, kept), signal });
    }
  }

  /** Adds values in the form that servers accept. `false`: the ID has no entry. */
  async addValues(fact: LdapFact, signal: AbortSignal): Promise<boolean> {
    return await this.#changeValues(fact, "add", signal);
  }

  /** Removes values. `false`: the ID has no entry. */
  async removeValues(fact: LdapFact, signal: AbortSignal): Promise<boolean> {
    return await this.#changeValues(fact, "delete", signal);
  }

  /** Removes the entry of an ID, if there is one. */
  async remove(id: string, signal: AbortSignal): Promise<void> {
    const only = this.#filter(id);
    for (const { dn } of await this.#find(id, [], signal)) await this.#target.remove(dn, { only, signal });
  }

  /**
   * Rejects when the base is missing or hidden from us, or the schema lacks something.
   *
   * @param attributes The attributes of entries besides ID and mark.
   */
  async check(attributes: readonly string[], signal: AbortSignal): Promise<void> {
    const { baseDn, objectClasses, rdn, idAttribute, markAttribute } = this.#options;
    const base = { base: baseDn, scope: "base", filter: "(objectClass=*)", attributes: [] } as const;
    if ((await this.#target.search(base, signal)).length === 0) {
      throw new DeliveryError(`Cannot read "${printable(baseDn, 200)}": we may not see it`, { reason: "unauthorized" });
    }
    // A large directory refuses this search without an index: better at the start than when a
    // server is deleted.
    await this.#find("no such ID", [], signal);
    const initial = (this.#options.initial ?? []).map(([name]) => name);
    const attributeTypes = [...new Set([idAttribute, markAttribute, ...rdn, ...attributes, ...initial])];
    const missing = await missingFromSchema(this.#target, { objectClasses, attributeTypes }, signal);
    if (missing.length > 0) {
      throw new Error(
        `Cannot write entries: the directory's schema lacks ${missing.join(", ")}. Load the schema that has them ` +
          "(OpenLDAP: nis.schema for ipHost), or choose other classes and attributes",
      );
    }
  }

  /** What {@linkcode LdapOwnEntries.put} would send first, as LDIF (RFC 2849). */
  ldifOfPut(entry: LdapEntry): string {
    return ldifOfAdd(this.#added(entry));
  }

  /**
   * What {@linkcode LdapOwnEntries.update} would send, as LDIF, to an entry that is as it was to be
   * before.
   */
  ldifOfUpdate(entry: LdapEntry, update: LdapEntryUpdate): string {
    const before = present(update.before);
    const name = this.#newName(before, entry, update);
    const changes = this.#changesOfPut(name === null ? before : renamedEntry(before, name), entry, update.kept);
    const records = [
      ...(name === null ? [] : [ldifOfRename("(its name)", name)]),
      ...(changes.length === 0 ? [] : [ldifOfModify("(its name)", changes)]),
    ];
    const shown = records.length === 0 ? "# nothing of it changes" : records.join("\n\n");
    return `${this.#where(update.id, "or a new one")}\n${shown}`;
  }

  /** What adding or removing values would send, as LDIF. */
  ldifOfValues({ id, values }: LdapFact, operation: "add" | "delete"): string {
    const changes = values.map(([attribute, given]) => ({
      operation,
      attribute,
      values: ldapValues(attribute, [given ?? []].flat()),
    }));
    return `${this.#where(id)}\n${ldifOfModify("(its name)", changes.filter(({ values }) => values.length > 0))}`;
  }

  /** What {@linkcode LdapOwnEntries.remove} would send, as LDIF. */
  ldifOfRemove(id: string): string {
    return `${this.#where(id)}\n${ldifOfDelete("(its name)")}`;
  }

  /** The entry as it is added. */
  #added(entry: LdapEntry): LdapEntry {
    const { dn, attributes } = present(entry);
    const { initial = [] } = this.#options;
    return {
      dn,
      attributes: new Map([...attributes, ...initial.map(([name, given]) => [name, [given ?? []].flat()] as const)]),
    };
  }

  #where(id: string, otherwise = "if there is one"): string {
    return `# the entry that ${this.#filter(id)} finds below ${this.#options.baseDn}, ${otherwise}`;
  }

  #filter(id: string): string {
    const { idAttribute, markAttribute, mark } = this.#options;
    return `(&(${idAttribute}=${filterValue(id)})(${markAttribute}=${filterValue(mark)}))`;
  }

  #find(id: string, attributes: readonly string[], signal: AbortSignal): Promise<readonly LdapEntry[]> {
    const read = attributes.length === 0
      ? []
      : ["objectClass", ...attributes, ...this.#needs.map(([, needed]) => needed)];
    return this.#target.search({ base: this.#options.baseDn, filter: this.#filter(id), attributes: read }, signal);
  }

  async #changeValues(
    { id, values }: LdapFact,
    operation: "add" | "delete",
    signal: AbortSignal,
  ): Promise<boolean> {
    const found = await this.#find(id, values.map(([name]) => name), signal);
    for (const there of found) {
      const after = valuesAfterChange(there, { values, operation });
      const changes = changesTo(there, { values: after, classes: [], needs: this.#needs });
      await this.#modify(there, { id, changes, signal });
    }
    return found.length > 0;
  }

  async #modify(
    { dn }: LdapEntry,
    { id, changes, signal }: {
      readonly id: string;
      readonly changes: readonly LdapChange[];
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    if (changes.length > 0) await this.#target.modify(dn, changes, { only: this.#filter(id), signal });
  }

  #newName(there: LdapEntry, entry: LdapEntry, { before }: LdapEntryUpdate): LdapName | null {
    const { idAttribute, markAttribute } = this.#options;
    const nameable = wantedOf(entry).map(([name]) => name).filter((name) =>
      !isSameAttribute(name, idAttribute) && !isSameAttribute(name, markAttribute)
    );
    return newNameOf(there, { from: before.dn, to: entry.dn, nameable });
  }

  #changesOfPut(there: LdapEntry, entry: LdapEntry, kept: KeptValues): readonly LdapChange[] {
    const values = valuesAfterPut(there, { wanted: wantedOf(entry), kept });
    return changesTo(there, { values, classes: this.#options.objectClasses, needs: this.#needs });
  }
}

/** The attributes of an entry without its classes. */
function wantedOf({ attributes }: LdapEntry): readonly (readonly [name: string, values: readonly string[]])[] {
  return [...attributes].filter(([name]) => !isSameAttribute(name, "objectClass"));
}

/** Without attributes that have no value. */
function present({ dn, attributes }: LdapEntry): LdapEntry {
  return { dn, attributes: new Map([...attributes].filter(([, values]) => values.length > 0)) };
}
