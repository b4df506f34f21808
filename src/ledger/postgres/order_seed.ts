import { ORDER_SEED, type OrderHash, orderHash } from "../order_hash.ts";
import type { Queries } from "./client.ts";

/** The hash function for order keys with the seed of a ledger. */
export async function readOrderHash(queries: Queries): Promise<OrderHash> {
  const [row] = await queries.rows("SELECT value FROM fact WHERE name = $1", [ORDER_SEED]);
  return orderHash(String(row?.["value"]));
}
