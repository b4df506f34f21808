import { fingerprint } from "../fingerprint.ts";
import { isSameAttribute } from "./attribute_name.ts";
import type { LdapTarget } from "./ldap.ts";
import { namingValues, valuesIn } from "./ldap_entry.ts";
import type { LdapEntry } from "./ldap_entry.ts";
import { type KeptValues, type LdapContent, neededAttributes } from "./ldap_entry_changes.ts";
import { valuesAfterChange, valuesAfterPut } from "./ldap_entry_changes.ts";
import type { LdapOwnEntriesOptions } from "./ldap_own_entries.ts";
import { filterValue, foldedText } from "./ldap_text.ts";

/** An entry of ours in a directory. */
export interface LdapOwnEntry {
  /** A value of the attribute that holds the ID. */
  readonly id: string;
  /** Stands for the values of our attributes. */
  readonly fingerprint: string;
}

/** Options of {@linkcode LdapOwnListing}. */
export interface LdapOwnListingOptions extends LdapOwnEntriesOptions {
  /** The attributes of entries besides ID and mark. */
  readonly attributes: readonly string[];
}

/** Something that was written into an entry: the whole entry, or values of it. */
export type LdapWritten =
  | { readonly put: LdapEntry; readonly kept: KeptValues }
  | { readonly operation: "add" | "delete"; readonly values: LdapContent }
  | { readonly operation: "remove" };

/**
 * Our entries in a directory, as they are and as they must be, with a fingerprint each. It says
 * nothing of an entry's DN, of attributes and classes that are not ours, and of values that a server
 * considers equal.
 *
 * @example
 * ```ts
 * import { LdapOwnListing, LdapTarget } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * await using target = new LdapTarget({ url: "ldaps://ldap.example.com", bindDn: "cn=watcher,dc=example,dc=com", password: "s3cret" });
 * const rooms = new LdapOwnListing(target, {
 *   baseDn: "ou=rooms,dc=example,dc=com",
 *   objectClasses: ["room"],
 *   rdn: ["cn"],
 *   idAttribute: "roomNumber",
 *   markAttribute: "description",
 *   mark: "watcher",
 *   attributes: ["cn"],
 * });
 *
 * assert.equal(await rooms.fingerprintOf([]), null);
 * ```
 */
export class LdapOwnListing {
  readonly #target: LdapTarget;
  readonly #options: LdapOwnListingOptions;
  /** The names of our attributes, `objectClass` apart. */
  readonly #names: readonly string[];

  /** Does no I/O. */
  constructor(target: LdapTarget, options: LdapOwnListingOptions) {
    const { idAttribute, markAttribute, attributes } = options;
    this.#target = target;
    this.#options = options;
    this.#names = [...new Set([idAttribute, markAttribute, ...attributes].map((name) => name.toLowerCase()))].sort();
  }

  /** The entries with our mark and an ID. One with several IDs is listed for each. */
  async *list(signal: AbortSignal): AsyncGenerator<LdapOwnEntry, void> {
    const { baseDn, idAttribute, markAttribute, mark } = this.#options;
    const filter = `(&(${markAttribute}=${filterValue(mark)})(${idAttribute}=*))`;
    const search = { base: baseDn, filter, attributes: ["objectClass", ...this.#names] };
    for await (const page of this.#target.searchPages(search, signal)) {
      for (const entry of page) {
        const print = await this.#fingerprint(entry);
        for (const id of valuesIn(entry, idAttribute)) yield { id, fingerprint: print };
      }
    }
  }

  /** The fingerprint of an entry after all that was written, in its order; `null`: there is none. */
  async fingerprintOf(written: readonly LdapWritten[]): Promise<string | null> {
    let entry: LdapEntry | null = null;
    for (const one of written) entry = after(entry, one);
    return entry === null ? null : await this.#fingerprint(this.#withClasses(entry));
  }

  async #fingerprint(entry: LdapEntry): Promise<string> {
    const naming = namingValues(entry.dn);
    const values = this.#names.map((name) => {
      const folded = new Set(valuesIn(entry, name).map(foldedText));
      const named = naming.get(name);
      // An entry keeps the value that names it, whatever is written later.
      if (named !== undefined && folded.size > 1) folded.delete(foldedText(named));
      return [name, ...[...folded].sort()];
    });
    const present = valuesIn(entry, "objectClass").map((name) => name.toLowerCase());
    const classes = this.#options.objectClasses.map((name) => name.toLowerCase()).filter((name) =>
      present.includes(name)
    );
    return await fingerprint([["objectclass", ...classes.sort()], ...values]);
  }

  /** The entry with the classes that it gets for its values. */
  #withClasses(entry: LdapEntry): LdapEntry {
    const needs = neededAttributes(this.#options.objectClasses);
    const lone = needs.filter(([, needed]) => valuesIn(entry, needed).length === 0).map(([name]) => name);
    const classes = this.#options.objectClasses.filter((name) => !lone.includes(name));
    const others = [...entry.attributes].filter(([name]) => !isSameAttribute(name, "objectClass"));
    return { dn: entry.dn, attributes: new Map([["objectClass", classes], ...others]) };
  }
}

function after(there: LdapEntry | null, written: LdapWritten): LdapEntry | null {
  if ("put" in written) {
    const { put, kept } = written;
    if (there === null) return put;
    return { dn: there.dn, attributes: changed(there, valuesAfterPut(there, { wanted: put.attributes, kept })) };
  }
  if (written.operation === "remove" || there === null) return null;
  const { values, operation } = written;
  return { dn: there.dn, attributes: changed(there, valuesAfterChange(there, { values, operation })) };
}

function changed(there: LdapEntry, values: ReadonlyMap<string, readonly string[]>): LdapEntry["attributes"] {
  const others = [...there.attributes].filter(([name]) =>
    ![...values.keys()].some((one) => isSameAttribute(one, name))
  );
  return new Map([...others, ...values]);
}
