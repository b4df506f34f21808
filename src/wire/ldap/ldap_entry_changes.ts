import { isSameAttribute } from "./attribute_name.ts";
import { changesOf, ldapValues, namingValues, valuesIn, valuesNotIn } from "./ldap_entry.ts";
import type { LdapChange, LdapEntry } from "./ldap_entry.ts";
import { foldedText } from "./ldap_text.ts";

/**
 * Attributes with their values; `null`: none. An attribute that is listed twice gets the values of
 * both.
 */
export type LdapContent = readonly (readonly [attribute: string, values: string | readonly string[] | null])[];

/** Selects the present values that stay when an entry is written again. */
export type KeptValues = (held: (attribute: string) => readonly string[]) => LdapContent;

type Values = ReadonlyMap<string, readonly string[]>;

/** Classes that require an attribute: they are added and removed with it. */
const CLASS_NEEDS: ReadonlyMap<string, string> = new Map([["iphost", "ipHostNumber"]]);

/** Those of the classes that require an attribute, with that attribute. */
export function neededAttributes(
  objectClasses: readonly string[],
): readonly (readonly [objectClass: string, attribute: string])[] {
  return objectClasses.flatMap((name) => {
    const attribute = CLASS_NEEDS.get(name.toLowerCase());
    return attribute === undefined ? [] : [[name, attribute] as const];
  });
}

/** The values of the wanted attributes after an entry was set to them, apart from those kept. */
export function valuesAfterPut(
  there: LdapEntry,
  { wanted, kept }: { readonly wanted: Iterable<readonly [string, readonly string[]]>; readonly kept: KeptValues },
): Values {
  const staying = kept((attribute) => valuesIn(there, attribute));
  return new Map([...wanted].map(([name, values]) => {
    const more = staying.filter(([other]) => isSameAttribute(other, name)).flatMap(([, texts]) => texts ?? []);
    const keptValues = valuesIn(there, name).filter((value) => more.includes(value));
    return [name, [...values, ...valuesNotIn(keptValues, values)]];
  }));
}

/** The values of the named attributes after values were added to an entry, or deleted from it. */
export function valuesAfterChange(
  there: LdapEntry,
  { values, operation }: { readonly values: LdapContent; readonly operation: "add" | "delete" },
): Values {
  return new Map(values.map(([name, given]) => {
    const [before, changed] = [valuesIn(there, name), ldapValues(name, [given ?? []].flat())];
    return [name, operation === "add" ? [...before, ...valuesNotIn(changed, before)] : valuesNotIn(before, changed)];
  }));
}

/**
 * The changes that set attributes of an entry to these values and add classes that it lacks. The
 * values that name the entry stay.
 */
export function changesTo(
  there: LdapEntry,
  { values, classes, needs }: {
    readonly values: Values;
    readonly classes: readonly string[];
    /** Those of our classes that require an attribute. */
    readonly needs: ReturnType<typeof neededAttributes>;
  },
): readonly LdapChange[] {
  const naming = namingValues(there.dn);
  const wanted = new Map([...values].map(([name, texts]) => {
    const named = naming.get(name.toLowerCase());
    return [
      name,
      named === undefined ? texts : [...texts, ...valuesNotIn(namedBy(named, valuesIn(there, name)), texts)],
    ];
  }));
  const after = (name: string) => [...wanted].find(([one]) => isSameAttribute(one, name))?.[1] ?? valuesIn(there, name);
  const lone = needs.filter(([, needed]) => after(needed).length === 0).map(([name]) => name);
  const due = needs.filter(([, needed]) => after(needed).length > 0).map(([name]) => name);
  const before = valuesIn(there, "objectClass");
  const wantedClasses = valuesNotIn([...before, ...valuesNotIn([...new Set([...classes, ...due])], before)], lone);
  return [
    ...[...wanted].flatMap(([name, texts]) => changesOf(there, name, texts)),
    ...changesOf(there, "objectClass", wantedClasses),
  ];
}

/**
 * The value of an attribute that names the entry. All values, if it cannot be identified: an entry
 * cannot lose its name.
 */
function namedBy(name: string, values: readonly string[]): readonly string[] {
  const found = values.filter((value) => foldedText(value) === foldedText(name));
  return found.length === 0 ? values : found;
}
