import type { ServerMemory } from "../../model/memory.ts";
import type { OrderHash } from "../order_hash.ts";
import type { Queries } from "./client.ts";
import { plain } from "./columns.ts";
import { partitionsFrom } from "./partitions.ts";
import type { Values } from "./values.ts";

/** Servers of table `server` that match a name or a fixed address. */
export interface NamedServers {
  /** Matched by hostname, DNS name or address. */
  readonly ids: readonly string[];
  /**
   * Matched by the first label of a FQDN: their events count if their detail has the whole FQDN.
   */
  readonly byLabel: readonly string[];
}

/** Servers that a name may match: those beyond are ignored. */
const MAX_NAMED = 1000;

/**
 * Finds servers by a name or an address. Scans table `server`: some 5 µs a row. The case of ASCII
 * letters is ignored.
 */
export async function serversNamed(queries: Queries, resource: string): Promise<NamedServers> {
  const label = /^([^.]+)\.[^.].*[^.\d]$/.exec(resource)?.[1];
  return {
    ids: await idsNamed(queries, resource),
    byLabel: label === undefined ? [] : await idsNamed(queries, label),
  };
}

/** PostgreSQL only preselects: JSON of a tenant may have escapes that its functions refuse. */
async function idsNamed(queries: Queries, name: string): Promise<readonly string[]> {
  const keys = ["hostname", "dnsname", "address"].map((key) => jsonPair(key, name));
  const rows = await queries.rows(NAMED, keys);
  const wanted = lowerCase(name);
  return rows.map(({ data }) => JSON.parse(data as string) as ServerMemory)
    .filter(({ snapshot: { hostname, dnsName, addresses } }) =>
      [hostname, dnsName, ...addresses.map(({ address }) => address)].some((each) =>
        typeof each === "string" && lowerCase(each) === wanted
      )
    ).map(({ id }) => id);
}

/** Whether events are about a resource, or about one of the servers that it names. */
export class ResourceFilter {
  readonly #resource: string;
  readonly #servers: NamedServers;
  readonly #orderHash: OrderHash;

  constructor(resource: string, { servers, orderHash }: {
    readonly servers: NamedServers;
    readonly orderHash: OrderHash;
  }) {
    this.#resource = resource;
    this.#servers = servers;
    this.#orderHash = orderHash;
  }

  /** SQL: selects the numbers of events that may pass. */
  candidates(values: Values): string {
    const [resource, { ids, byLabel }] = [this.#resource, this.#servers];
    const keys = [`server/${resource}`, `floating/${resource}`, ...[...ids, ...byLabel].map((id) => `server/${id}`)];
    const [from, to] = [`floatingip/${resource}/`, `floatingip/${resource}0`];
    return `SELECT o.seq FROM (${partitionsFrom("0")}) AS s
        JOIN event_order AS o ON o.span = s.span AND o.order_key = ANY(${values.numbers(keys.map(this.#orderHash))})
      UNION SELECT seq FROM event WHERE key >= ${values.text(plain(from))} AND key < ${values.text(plain(to))}`;
  }

  /**
   * SQL: a condition on event `e` beside the above, where only the label of a FQDN matched. It lets
   * the events pass that have the FQDN, and some more: its text may be in other parts of the detail.
   */
  condition(values: Values): string {
    const { byLabel } = this.#servers;
    if (byLabel.length === 0) return "true";
    const hashes = values.numbers(byLabel.map((id) => this.#orderHash(`server/${id}`)));
    const others = [`server/${this.#resource}`, ...this.#servers.ids.map((id) => `server/${id}`)];
    return `(NOT e.order_keys && ${hashes} OR e.order_keys && ${values.numbers(others.map(this.#orderHash))}
      OR position(${values.text(jsonPair("fqdn", this.#resource))} IN lower(e.detail COLLATE "C")) > 0)`;
  }
}

/** A pair of an object of JSON, in small letters. */
function jsonPair(key: string, value: string): string {
  return lowerCase(`"${key}":${JSON.stringify(value)}`);
}

/** Small letters for ASCII's alone, as PostgreSQL's collation "C" has it. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

const NAMED = `SELECT data FROM server, lower(data COLLATE "C") AS l (text)
  WHERE position($1 IN l.text) > 0 OR position($2 IN l.text) > 0 OR position($3 IN l.text) > 0 LIMIT ${MAX_NAMED}`;
