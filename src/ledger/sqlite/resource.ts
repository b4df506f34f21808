import type { Database } from "./database.ts";
import { ORDER_HASH, PARTITIONS } from "./partitions.ts";

/** Servers that memory has by a name or a fixed address. */
export interface NamedServers {
  /** By hostname, name in the DNS, or address. */
  readonly ids: readonly string[];
  /** By the first label of a name with a domain: their events count if the detail has the whole name. */
  readonly byLabel: readonly string[];
}

export const NO_SERVERS: NamedServers = { ids: [], byLabel: [] };

/** More are not looked for. */
const MAX_NAMED = 1000;

/** SQL: the name of the server that an event's detail gives. */
export const FQDN = "json_extract(e.detail, '$.FQDN')";

/**
 * Walks through all servers that are remembered: most are passed over in some two microseconds, since their text does not have the name.
 * ASCII is compared without case.
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

/** SQL, with its values: whether an event `e` is about a resource, or about one of the servers that it names. */
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

/** SQL: the events that have one of so many order keys. */
function withOrderKeys(count: number): string {
  return `SELECT o.seq FROM (${PARTITIONS}) AS s CROSS JOIN event_order AS o
    ON o.span = s.span AND o.order_key IN (${Array(count).fill(ORDER_HASH).join(", ")})`;
}
