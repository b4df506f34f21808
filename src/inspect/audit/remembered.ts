import type { DeliveredLedger } from "../../model/delivered.ts";

/** What memory has of the resources that an audit looks at, by id; absent: not in memory. */
export interface Remembered {
  readonly servers: ReadonlyMap<string, { readonly isDeleted: boolean }>;
  readonly floatingIps: ReadonlyMap<string, { readonly isAssociated: boolean; readonly transitions: number }>;
}

/** Ids that one call looks up. */
const BATCH = 500;

/** Looks resources up in memory, and keeps of each what an audit needs. */
export async function readRemembered(
  ledger: Pick<DeliveredLedger, "servers" | "floatingIps">,
  ids: { readonly servers: ReadonlySet<string>; readonly floatingIps: ReadonlySet<string> },
): Promise<Remembered> {
  const servers: [string, { readonly isDeleted: boolean }][] = [];
  const floatingIps: [string, { readonly isAssociated: boolean; readonly transitions: number }][] = [];
  for (const batch of batches(ids.servers)) {
    for (const [id, { deleted }] of await ledger.servers(batch)) servers.push([id, { isDeleted: deleted }]);
  }
  for (const batch of batches(ids.floatingIps)) {
    for (const [id, { association, transitions }] of await ledger.floatingIps(batch)) {
      floatingIps.push([id, { isAssociated: association !== null, transitions }]);
    }
  }
  return { servers: new Map(servers), floatingIps: new Map(floatingIps) };
}

function* batches(ids: ReadonlySet<string>): Iterable<readonly string[]> {
  const all = [...ids];
  for (let from = 0; from < all.length; from += BATCH) yield all.slice(from, from + BATCH);
}
