import { printable } from "../escaping/printable.ts";
import type { LdapChange, LdapEntry } from "./ldap_entry.ts";
import type { LdapName } from "./ldap_renaming.ts";

/** Texts that LDIF (RFC 2849) allows unencoded; all others are written in base64. */
const SAFE = /^(?![ :<])[\x20-\x7e]*(?<! )$/;

/** An entry to be added, as a record of LDIF (RFC 2849). */
export function ldifOfAdd({ dn, attributes }: LdapEntry): string {
  const lines = [...attributes].flatMap(([attribute, values]) => values.map((value) => line(attribute, value)));
  return [line("dn", dn), "changetype: add", ...lines].join("\n");
}

/** Changes of an entry, as a record of LDIF. */
export function ldifOfModify(dn: string, changes: readonly LdapChange[]): string {
  const lines = changes.flatMap(({ operation, attribute, values }) => [
    `${operation}: ${attribute}`,
    ...values.map((value) => line(attribute, value)),
    "-",
  ]);
  return [line("dn", dn), "changetype: modify", ...lines].join("\n");
}

/** An entry's new name, as a record of LDIF. */
export function ldifOfRename(dn: string, { rdn, parent }: LdapName): string {
  const superior = parent === undefined ? [] : [line("newsuperior", parent)];
  return [line("dn", dn), "changetype: modrdn", line("newrdn", rdn), "deleteoldrdn: 1", ...superior].join("\n");
}

/** An entry's removal, as a record of LDIF. */
export function ldifOfDelete(dn: string): string {
  return [line("dn", dn), "changetype: delete"].join("\n");
}

/** People cannot read base64: a comment before it shows the text. */
function line(attribute: string, value: string): string {
  if (SAFE.test(value)) return `${attribute}: ${value}`;
  return `# ${attribute}: ${printable(value)}\n${attribute}:: ${new TextEncoder().encode(value).toBase64()}`;
}
