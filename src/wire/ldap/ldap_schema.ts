import type { LdapTarget } from "./ldap.ts";
import { valuesIn } from "./ldap_entry.ts";

/**
 * The names that are missing from a server's schema (RFC 4512, 4.2). Empty also when the server
 * does not show its schema.
 */
export async function missingFromSchema(
  target: LdapTarget,
  names: { readonly objectClasses: readonly string[]; readonly attributeTypes: readonly string[] },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const anything = { scope: "base", filter: "(objectClass=*)" } as const;
  const [root] = await target.search({ ...anything, base: "", attributes: ["subschemaSubentry"] }, signal);
  const base = root && valuesIn(root, "subschemaSubentry")[0];
  if (base === undefined) return [];
  const [schema] = await target.search({ ...anything, base, attributes: Object.keys(names) }, signal);
  if (schema === undefined) return [];
  return Object.entries(names).flatMap(([kind, wanted]) => {
    const known = new Set(valuesIn(schema, kind).flatMap(namesIn));
    return known.size === 0 ? [] : wanted.filter((name) => !known.has(name.toLowerCase()));
  });
}

/** The names in a definition: `NAME 'cn'` or `NAME ( 'cn' 'commonName' )`. */
function namesIn(definition: string): string[] {
  const [, list = ""] = /\sNAME\s+('[^']*'|\([^)]*\))/.exec(definition) ?? [];
  return [...list.matchAll(/'([^']+)'/g)].map(([, name = ""]) => name.toLowerCase());
}
