import { isSameAttribute } from "./attribute_name.ts";
import { type LdapEntry, namingValues, valuesIn, valuesNotIn } from "./ldap_entry.ts";
import { dnValue, foldedText } from "./ldap_text.ts";

/** A new name of an entry, a new entry above it, or both (RFC 4511, 4.9). */
export interface LdapName {
  /** The RDN, its values escaped as `dnValue` does: no comma, not even as `\,`. */
  readonly rdn: string;
  /** The DN of the entry above. @default as before */
  readonly parent?: string;
}

/**
 * The new name of an entry whose name was to be that of `from` and is to be that of `to`; `null`:
 * it keeps its name. What is equal in both stays as somebody may have set it. An entry keeps its
 * RDN also when it is named by an attribute beside these: with its name it would lose that value,
 * which may be its ID.
 *
 * @param nameable The attributes whose naming values may go.
 */
export function newNameOf(
  there: LdapEntry,
  { from, to, nameable }: { readonly from: string; readonly to: string; readonly nameable: readonly string[] },
): LdapName | null {
  const [rdn, parent] = splitDn(there.dn);
  const [[oldRdn, oldParent], [wantedRdn, wantedParent]] = [splitDn(from), splitDn(to)];
  const wanted = namingValues(to);
  const isOurs = [...namingValues(there.dn).keys()].every((name) =>
    wanted.has(name) || nameable.some((other) => isSameAttribute(other, name))
  );
  const isRenamed = isOurs && !isSameDn(oldRdn, wantedRdn) && !isSameDn(rdn, wantedRdn);
  const isMoved = !isSameDn(oldParent, wantedParent) && !isSameDn(parent, wantedParent);
  if (!isRenamed && !isMoved) return null;
  return { rdn: isRenamed ? wantedRdn : plainRdn(rdn), ...(isMoved ? { parent: wantedParent } : {}) };
}

/** An entry after it was renamed: the values of its old name are gone, those of the new one there. */
export function renamedEntry(there: LdapEntry, { rdn, parent = splitDn(there.dn)[1] }: LdapName): LdapEntry {
  const dn = parent === "" ? rdn : `${rdn},${parent}`;
  const [old, wanted] = [namingValues(there.dn), namingValues(rdn)];
  const attributes = new Map(there.attributes);
  for (const name of new Set([...old.keys(), ...wanted.keys()])) {
    const known = [...attributes.keys()].find((other) => isSameAttribute(other, name)) ?? name;
    const [gone, come] = [old.get(name), wanted.get(name)].map((value) => value === undefined ? [] : [value]);
    const left = valuesNotIn(valuesIn(there, name), valuesNotIn(gone ?? [], come ?? []));
    attributes.set(known, [...left, ...valuesNotIn(come ?? [], left)]);
  }
  return { dn, attributes };
}

/** The RDN of an entry and the DN of the entry above. */
function splitDn(dn: string): readonly [rdn: string, parent: string] {
  const [rdn = ""] = /^(?:\\.|[^\\,;])*/s.exec(dn) ?? [];
  return [rdn.trim(), dn.slice(rdn.length + 1).trim()];
}

/** Whether two DNs name the same entry, whatever their escapes, blanks, case and order of values. */
function isSameDn(one: string, other: string): boolean {
  return formOf(one) === formOf(other);
}

function formOf(dn: string): string {
  const [, parent] = splitDn(dn);
  const values = [...namingValues(dn)].map(([name, value]) => `${name}=${dnValue(foldedText(value))}`);
  const rdn = values.sort().join("+");
  return parent === "" ? rdn : `${rdn},${formOf(parent)}`;
}

/** An RDN that a server gave, with the escapes that we write. */
function plainRdn(rdn: string): string {
  return rdn.replace(/\\(?![\da-f]{2})(.)/gis, (_escape, char) => dnValue(char));
}
