import { MAX_ITEMS } from "../../model/bounds.ts";

/** What a row was read for. */
export type Kind = "server" | "port" | "port of server" | "floating IP" | "of port" | "of server";

/** SQL: the rows of `table` for each of a list of owners, the last 256 that changed. */
function ofOwners(
  kind: Kind,
  table: string,
  { column, parameter }: { readonly column: string; readonly parameter: number },
): string {
  return `SELECT '${kind}' AS kind, found.id, owner.id AS of, found.changed, found.data
    FROM unnest(string_to_array($${parameter}, E'\\x1e')) AS owner (id)
    CROSS JOIN LATERAL (SELECT id, changed, data FROM ${table} WHERE ${column} = owner.id ORDER BY changed DESC LIMIT ${MAX_ITEMS}) AS found`;
}

function byIds(kind: Kind, table: string, parameter: number): string {
  return `SELECT '${kind}' AS kind, id, NULL AS of, 0 AS changed, data FROM ${table} WHERE id = ANY(string_to_array($${parameter}, E'\\x1e'))`;
}

/** Rows of memory by id, and those of servers and ports; the latest change comes last. */
export const READ = `${byIds("server", "server", 1)}
  UNION ALL ${byIds("port", "port", 2)}
  UNION ALL ${byIds("floating IP", "floatingip", 3)}
  UNION ALL ${ofOwners("port of server", "port", { column: "server_id", parameter: 1 })}
  UNION ALL ${ofOwners("of server", "floatingip", { column: "server_id", parameter: 1 })}
  UNION ALL ${ofOwners("of port", "floatingip", { column: "port_id", parameter: 2 })}
  ORDER BY changed`;
