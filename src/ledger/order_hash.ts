/** Maps an order key to the number below 2^53 that stands for it in the ledger. */
export type OrderHash = (key: string) => number;

/** The row of table `fact` that has the ledger's seed. */
export const ORDER_SEED = "order_seed";

/**
 * Makes a ledger's hash function for order keys. Numbers of 6 bytes take a third of the pages that
 * texts of 40 bytes take, and each event writes several keys. A collision does little harm: of two
 * unrelated events, the later one waits for the earlier one. Tenants choose names and addresses, so
 * every ledger has a random seed: nobody can search for a name that collides with another tenant's.
 *
 * @param seed 16 hexadecimal digits.
 */
export function orderHash(seed: string): OrderHash {
  const [first, second] = [Number.parseInt(seed.slice(0, 8), 16), Number.parseInt(seed.slice(8), 16)];
  return (key) => mixed(key, first, second);
}

/** Two multiply-xor hashes of the UTF-16 code units, mixed as MurmurHash3 does; 53 bits of both. */
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
