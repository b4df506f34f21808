import type { Database } from "./database.ts";
import { ORDER_HASH, PARTITIONS } from "./partitions.ts";

/** Servers of table `server` that match a name or a fixed address. */
export interface NamedServers {
  /** Matched by hostname, DNS name or address. */
  readonly ids: readonly string[];
  /**
   * Matched by the first label of a FQDN: their events count if their detail has the whole FQDN.
   */
  readonly byLabel: readonly string[];
}

export const NO_SERVERS: NamedServers = { ids: [], byLabel: [] };

/** Matches beyond this number are ignored. */
const MAX_NAMED = 1000;

/** SQL: the FQDN in an event's detail. */
export const FQDN = "json_extract(e.detail, '$.FQDN')";

/**
 * Finds servers by a name or an address. Scans table `server`: 2 µs for each row whose text does
 * not have the name. The case of ASCII letters is ignored.
 */
export function serversNamed(database: Database, resource: string): NamedServers {
  const statement = database.prepare(
    `SELECT id FROM server WHERE instr(lower(data), lower(?1)) > 0
      AND (lower(json_extract(data, '$.snapshot.hostname')) = lower(?2) OR lower(json_extract(data, '$.snapshot.dnsName')) = lower(?2)
        OR EXISTS (SELECT 1 FROM json_each(data, '$.snapshot.addresses') AS a WHERE lower(json_extract(a.value, '$.address')) = lower(?2)))
      LIMIT ${MAX_NAMED}`,
  );
  const found = (name: string) => statement.all(`:${JSON.stringify(name)}`, name).map(({ id }) => String(id));
  const label = /^([^.]+)\.[^.].*[^.\d]$/.exec(resource)?.[1];
  return { ids: found(resource), byLabel: label === undefined ? [] : found(label) };
}

/**
 * SQL with its values: event `e` is about a resource, or about one of the servers that it names.
 */
export function ofResource(
  resource: string,
  { ids, byLabel }: NamedServers,
): { readonly sql: string; readonly values: readonly string[] } {
  const keys = [`server/${resource}`, `floating/${resource}`, ...ids.map((id) => `server/${id}`)];
  const ranges = [`floatingip/${resource}/`, `floatingip/${resource}0`];
  const whole = `e.seq IN (${withOrderKeys(keys.length)} UNION ALL SELECT seq FROM event WHERE key >= ? AND key < ?)`;
  if (byLabel.length === 0) return { sql: whole, values: [...keys, ...ranges] };
  const named = `(e.seq IN (${withOrderKeys(byLabel.length)}) AND lower(${FQDN}) = lower(?))`;
  return {
    sql: `(${whole} OR ${named})`,
    values: [...keys, ...ranges, ...byLabel.map((id) => `server/${id}`), resource],
  };
}

/** SQL: the events that have one of `count` order keys. */
function withOrderKeys(count: number): string {
  return `SELECT o.seq FROM (${PARTITIONS}) AS s CROSS JOIN event_order AS o
    ON o.span = s.span AND o.order_key IN (${Array(count).fill(ORDER_HASH).join(", ")})`;
}
