import { wasTold } from "./delivery_states.ts";

/** Both endings of keys, `/creation` and `/deletion`, have 9 characters. */
const ENDING = 9;

/**
 * SQL: event `row` says what targets hold of a resource that exists, so it outlives
 * `ledger.keepDays`. `audit` compares targets with these events:
 *
 * - the creation of a server that is not deleted, or whose deletion is not delivered yet;
 * - its last update, and the last one that each plugin was told;
 * - the beginning of a floating IP's current association, or of one whose end is not delivered yet:
 *   whether that is told depends on whether the beginning was;
 * - the end of an association, if the creation of its server, or the server's last update, lists the
 *   floating IP and the server is not deleted: these alone would say that the server still has it.
 */
export function isLasting(row: string): string {
  const key = `${row}.key`;
  const path = `substr(${key}, 1, length(${key}) - ${ENDING})`;
  const serverId = `substr(${path}, ${"server/".length + 1})`;
  // `floatingip/<id>/<n>` without its number and the slash before it.
  const prefix = `rtrim(rtrim(${path}, '0123456789'), '/')`;
  const floatingIpId = `substr(${prefix}, ${"floatingip/".length + 1})`;
  return `CASE
    WHEN ${key} GLOB 'server/*/creation' THEN ${isThere(serverId)}
    WHEN ${key} GLOB 'server/*/update/*' THEN ${isLastUpdate(row)}
    WHEN ${key} GLOB 'floatingip/*/creation' THEN EXISTS (SELECT 1 FROM floatingip AS f WHERE f.id = ${floatingIpId}
      AND json_extract(f.data, '$.association') IS NOT NULL
      AND ${key} = 'floatingip/' || f.id || '/' || json_extract(f.data, '$.transitions') || '/creation')
      OR ${
    isUndelivered(`${prefix} || '/' || (CAST(substr(${path}, length(${prefix}) + 2) AS INTEGER) + 1) || '/deletion'`)
  }
    WHEN ${key} GLOB 'floatingip/*/deletion' THEN EXISTS (
      SELECT 1 FROM event AS own WHERE own.key IN (${creationAndUpdate(serverOf(row))})
        AND instr(own.detail, ${floatingIpId}) > 0 AND ${isThere(serverOf(row))})
    ELSE 0 END`;
}

/** SQL: the id of the server of event `row`. An event whose detail was made later has it whole. */
export function serverOf(row: string): string {
  return `coalesce(json_extract(${row}.data, '$.serverId'), json_extract(${row}.data, '$.server.id'))`;
}

/** SQL: the keys of a server's creation and of its last update, if there is one. */
function creationAndUpdate(id: string): string {
  const number = `(SELECT json_extract(u.data, '$.updates') FROM server AS u WHERE u.id = ${id})`;
  return `'server/' || ${id} || '/creation', 'server/' || ${id} || '/update/' || ${number}`;
}

function isThere(id: string): string {
  return `EXISTS (SELECT 1 FROM server AS s WHERE s.id = ${id} AND ${IS_KNOWN_TO_TARGETS})`;
}

/** SQL: targets hold server `s`, or will be told its deletion by what they were told of it. */
const IS_KNOWN_TO_TARGETS = `(s.deleted_at IS NULL OR ${isUndelivered("'server/' || s.id || '/deletion'")})`;

/** SQL: there is an event with this key, and a plugin will perhaps be told of it. */
function isUndelivered(key: string): string {
  return `EXISTS (SELECT 1 FROM event AS g
    JOIN delivery AS d ON d.seq = g.seq AND (d.finished_at IS NULL OR d.state = 'dead') WHERE g.key = ${key})`;
}

/**
 * SQL: the server's last update, or the last one that some plugin was told, which later events of
 * that plugin build on.
 */
function isLastUpdate(row: string): string {
  const key = `${row}.key`;
  const rest = `substr(${key}, ${"server/".length + 1})`;
  const id = `substr(${rest}, 1, instr(${rest}, '/') - 1)`;
  const number = `CAST(substr(${rest}, instr(${rest}, '/') + ${"/update/".length}) AS INTEGER)`;
  return `EXISTS (SELECT 1 FROM server AS s WHERE s.id = ${id} AND ${IS_KNOWN_TO_TARGETS}
    AND (${number} >= json_extract(s.data, '$.updates') OR EXISTS (
      SELECT 1 FROM delivery AS d WHERE d.seq = ${row}.seq AND ${wasTold("d")} AND NOT EXISTS (
        SELECT 1 FROM event AS l CROSS JOIN delivery AS t ON t.seq = l.seq AND t.plugin = d.plugin AND ${wasTold("t")}
        WHERE l.key > 'server/' || s.id || '/update/' AND l.key < 'server/' || s.id || '/update0' AND l.seq > ${row}.seq))))`;
}
