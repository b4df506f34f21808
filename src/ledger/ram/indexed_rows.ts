/** Gives what a row is found by; `null`: it is not found by it. */
type KeyOf<Row> = (row: Row) => string | null;

/**
 * Rows by their ids, and by further keys that several may share. A dry run reads recordings of a
 * hundred thousand notifications: it must not search all rows for each.
 */
export class IndexedRows<Row extends { readonly id: string }, Index extends string = never> {
  readonly #rows = new Map<string, Row>();
  readonly #indexes: ReadonlyMap<string, { readonly keyOf: KeyOf<Row>; readonly found: Map<string, Map<string, Row>> }>;

  constructor(keys: Readonly<Record<Index, KeyOf<Row>>>) {
    this.#indexes = new Map(
      Object.entries<KeyOf<Row>>(keys).map(([name, keyOf]) => [name, { keyOf, found: new Map() }]),
    );
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  /** The rows with this key, ordered by the last change. */
  by(index: Index, key: string): readonly Row[] {
    return [...this.#indexes.get(index)?.found.get(key)?.values() ?? []];
  }

  /** Writes rows; a changed row moves to the end of its lists. */
  write(rows: readonly Row[]): void {
    for (const row of rows) {
      const old = this.#rows.get(row.id);
      this.#rows.set(row.id, row);
      for (const { keyOf, found } of this.#indexes.values()) {
        if (old !== undefined) remove(found, { key: keyOf(old), id: row.id });
        add(found, { key: keyOf(row), row });
      }
    }
  }
}

function remove(
  found: Map<string, Map<string, unknown>>,
  { key, id }: { readonly key: string | null; readonly id: string },
): void {
  if (key === null) return;
  const rows = found.get(key);
  rows?.delete(id);
  if (rows?.size === 0) found.delete(key);
}

function add<Row extends { readonly id: string }>(
  found: Map<string, Map<string, Row>>,
  { key, row }: { readonly key: string | null; readonly row: Row },
): void {
  if (key === null) return;
  const rows = found.get(key) ?? new Map<string, Row>();
  found.set(key, rows.set(row.id, row));
}
