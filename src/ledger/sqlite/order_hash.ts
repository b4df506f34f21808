/** A number below 2^53 that stands for an order key in the file. */
export type OrderHash = (key: string) => number;

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

/** The fact that holds a ledger's seed. */
export const ORDER_SEED = "order_seed";

/**
 * How a ledger shortens order keys: numbers of six bytes take a third of the pages that texts of forty do, and each event writes several.
 * Two keys of one number would only keep an order that nobody asked for. Tenants choose names and addresses, so every ledger has a random seed
 * of its own: nobody can look for a name that stands in another's way.
 *
 * @param seed 16 hexadecimal digits.
 */
export function orderHash(seed: string): OrderHash {
  const [first, second] = [Number.parseInt(seed.slice(0, 8), 16), Number.parseInt(seed.slice(8), 16)];
  return (key) => mixed(key, first, second);
}

/** The one that a ledger's file asks for. */
export function orderHashOf(database: SqlReader): OrderHash {
  const row = database.prepare("SELECT value FROM fact WHERE name = ?").get(ORDER_SEED);
  return orderHash(String(row?.["value"]));
}

/** Makes `order_hash(seed, key)` known to SQL. */
export function addOrderHash(database: SqlFunctions): void {
  database.function("order_hash", { deterministic: true }, (seed, key) => orderHash(String(seed))(String(key)));
}

/** Two rounds of multiply and xor over the UTF-16 code units, finished as MurmurHash3 does; 53 bits of both. */
function mixed(key: string, first: number, second: number): number {
  let [one, other] = [first, second];
  for (let at = 0; at < key.length; at++) {
    const unit = key.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x9e3779b1);
    other = Math.imul(other ^ unit, 0x5f356495);
  }
  one = Math.imul(one ^ (one >>> 16), 0x85ebca6b) ^ Math.imul(other ^ (other >>> 13), 0xc2b2ae35);
  other = Math.imul(other ^ (other >>> 16), 0x85ebca6b) ^ Math.imul(one ^ (one >>> 13), 0xc2b2ae35);
  return (other & 0x1fffff) * 0x1_0000_0000 + (one >>> 0);
}
