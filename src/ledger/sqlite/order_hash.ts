import { ORDER_SEED, type OrderHash, orderHash } from "../order_hash.ts";

/** The part of a database that {@linkcode orderHashOf} reads. */
interface SqlReader {
  prepare(sql: string): { get(name: string): Readonly<Record<string, unknown>> | undefined };
}

/** The part of a database that {@linkcode addOrderHash} extends. */
interface SqlFunctions {
  function(
    name: string,
    options: { readonly deterministic: boolean },
    call: (seed: unknown, key: unknown) => number,
  ): void;
}

/** The hash function with the seed of a ledger file. */
export function orderHashOf(database: SqlReader): OrderHash {
  const row = database.prepare("SELECT value FROM fact WHERE name = ?").get(ORDER_SEED);
  return orderHash(String(row?.["value"]));
}

/** Registers the SQL function `order_hash(seed, key)`. */
export function addOrderHash(database: SqlFunctions): void {
  database.function("order_hash", { deterministic: true }, (seed, key) => orderHash(String(seed))(String(key)));
}
