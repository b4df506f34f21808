import type { NetBoxRow, Query } from "./netbox_api.ts";

/** After the server's UUID in the custom field of an address that people made. */
const ADOPTED = " adopted";

/**
 * The custom field by which our objects are told from others: it holds the server's UUID. An
 * address that was adopted is told from one that we made.
 */
export class Mark {
  /** The custom field's name. */
  readonly field: string;

  constructor(field: string) {
    this.field = field;
  }

  /** The query that finds the objects of a server. */
  query(id: string): Query {
    return { [`cf_${this.field}`]: [id, id + ADOPTED] };
  }

  /** The query that finds the objects of all servers. */
  get any(): Query {
    return { [`cf_${this.field}__empty`]: "false" };
  }

  /** Marks an object as ours. */
  of(id: string, { isAdopted = false } = {}): { readonly custom_fields: Readonly<Record<string, string>> } {
    return { custom_fields: { [this.field]: isAdopted ? id + ADOPTED : id } };
  }

  /** Takes the mark away. */
  get none(): { readonly custom_fields: Readonly<Record<string, null>> } {
    return { custom_fields: { [this.field]: null } };
  }

  /** The server whose object this is; `null`: it is not ours. */
  serverOf(row: NetBoxRow): string | null {
    const value = row.custom_fields?.[this.field];
    return typeof value !== "string" || value === "" ? null : value.replace(ADOPTED, "");
  }

  isAdopted(row: NetBoxRow): boolean {
    return String(row.custom_fields?.[this.field]).endsWith(ADOPTED);
  }

  /**
   * Of objects that a query has found, those of this server: the field's filter may be a loose one,
   * and NetBox ignores the filter of a field that is missing.
   */
  own(rows: readonly NetBoxRow[], id: string): readonly NetBoxRow[] {
    return rows.filter((row) => this.serverOf(row) === id);
  }
}
