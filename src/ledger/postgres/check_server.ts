import type { PostgresOptions } from "../../model/config.ts";
import type { Finding } from "../../model/finding.ts";
import { postgresAddress } from "../../model/postgres_address.ts";
import type { Queries, Row } from "./client.ts";
import { openClient, placeOf, unopenable } from "./open_client.ts";
import { STEPS } from "./schema.ts";

/** The oldest release that works: it compresses columns with lz4. Debian 12 has 15. */
const OLDEST_RELEASE = 14;

/** Connections that one process takes, with one for an operator's command. */
const PER_PROCESS = 7;

/** Clocks that differ by more are told: times of listings are those of the processes. */
const MAX_SKEW_MS = 2000;

const ANSWER_MS = 10_000;

const KEY = "ledger.postgres";

/**
 * What a server says of itself: whether we have the rights, and whether it keeps what it commits.
 *
 * @throws {UserError} when it cannot be asked.
 */
export async function checkServer(postgres: PostgresOptions): Promise<readonly Finding[]> {
  await using client = await openClient(postgres, { connections: 1, answerMs: ANSWER_MS });
  const { schema } = postgresAddress(postgres);
  try {
    const before = Date.now();
    const [server = {}] = await client.rows(SERVER, [schema]);
    const now = (before + Date.now()) / 2;
    const standbys = await client.rows(STANDBYS);
    return [
      ...releaseOf(server),
      ...rightsOf(server, { schema, steps: await stepsOf(server, client) }),
      ...durabilityOf(server),
      ...standbysOf(standbys),
      ...connectionsOf(server),
      ...clockOf(server, now),
    ];
  } catch (error) {
    throw unopenable(placeOf(postgres), error);
  }
}

/** Steps that were run; 0: there are no tables, or we may not read them. */
async function stepsOf(server: Row, queries: Queries): Promise<number> {
  if (server["usage"] !== true || server["has_tables"] !== true || server["may_use"] !== true) return 0;
  const [row] = await queries.rows("SELECT coalesce(max(step), 0) AS steps FROM schema_version");
  return Number(row?.["steps"]);
}

function releaseOf(server: Row): readonly Finding[] {
  const [number, release] = [Number(server["number"]), String(server["release"])];
  if (server["in_recovery"] === true) {
    return [error("the server is a standby: name the primary, or all servers, in ledger.postgres.url")];
  }
  if (number < OLDEST_RELEASE * 10_000) {
    return [error(`PostgreSQL ${release} is too old: ${OLDEST_RELEASE} or newer is needed`)];
  }
  return [{ level: "ok", key: KEY, text: `PostgreSQL ${release}` }];
}

function rightsOf(
  server: Row,
  { schema, steps }: { readonly schema: string; readonly steps: number },
): readonly Finding[] {
  const user = String(server["user"]);
  if (server["has_schema"] !== true) {
    if (server["may_create_schema"] === true) return [ok(`the service will make the schema "${schema}"`)];
    return [error(
      `there is no schema "${schema}", and "${user}" may not make one: CREATE SCHEMA ${schema} AUTHORIZATION "${user}"`,
    )];
  }
  if (server["usage"] !== true || server["may_create"] !== true) {
    return [error(
      `"${user}" may not make tables in the schema "${schema}": GRANT USAGE, CREATE ON SCHEMA ${schema} TO "${user}"`,
    )];
  }
  if (server["may_use"] !== true) {
    return [error(
      `"${user}" may not use the tables in "${schema}": GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO "${user}"`,
    )];
  }
  if (steps > STEPS.length) return [warning(`the tables are of a newer oss-watcher (schema ${steps})`)];
  return [ok(steps === 0 ? `the service will make its tables in "${schema}"` : `its tables are in "${schema}"`)];
}

function durabilityOf(server: Row): readonly Finding[] {
  const findings: Finding[] = [];
  if (server["fsync"] === "off") {
    findings.push(error("fsync is off: a crash of the server's machine destroys the ledger. Turn it on"));
  }
  if (server["full_page_writes"] === "off") {
    findings.push(warning("full_page_writes is off: a crash of the server's machine may damage the ledger"));
  }
  if (server["synchronous_commit"] === "off") {
    findings.push(warning(
      `synchronous_commit is off: a crash of the server loses what was acknowledged last. ALTER ROLE "${
        server["user"]
      }" SET synchronous_commit = on`,
    ));
  }
  return findings.length > 0 ? findings : [ok("what is committed is on disk")];
}

function standbysOf(standbys: readonly Row[]): readonly Finding[] {
  if (standbys.length === 0) return [];
  const states = standbys.map((row) => row["sync_state"]);
  if (states.some((state) => state === "sync" || state === "quorum")) return [ok("a standby is synchronous")];
  if (states.every((state) => state === null)) {
    return [{
      level: "unchecked",
      key: KEY,
      text:
        "there are standbys, and we may not see whether one is synchronous: GRANT pg_monitor TO our user, or look there",
    }];
  }
  return [warning(
    "no standby is synchronous: a fail-over loses what was acknowledged last. Set synchronous_standby_names, or read " +
      "docs/CLUSTER.md on what is lost",
  )];
}

function connectionsOf(server: Row): readonly Finding[] {
  const [most, used] = [Number(server["most"]), Number(server["used"])];
  const left = most - used;
  const text = `${left} of ${most} connections are left; each process takes ${PER_PROCESS - 1}`;
  return [left < 3 * PER_PROCESS ? warning(`${text}: raise max_connections`) : ok(text)];
}

function clockOf(server: Row, now: number): readonly Finding[] {
  const skewMs = Number(server["now"]) - now;
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return [];
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  return [warning(
    `the server's clock is ${seconds} s ${
      skewMs > 0 ? "ahead of" : "behind"
    } ours: leases work all the same, but times ` +
      "of events are those of our clock. Use NTP on both",
  )];
}

const ok = (text: string): Finding => ({ level: "ok", key: KEY, text });
const warning = (text: string): Finding => ({ level: "warning", key: KEY, text });
const error = (text: string): Finding => ({ level: "error", key: KEY, text });

const SERVER = `SELECT current_setting('server_version_num')::integer AS number,
    current_setting('server_version') AS release, current_user::text AS user, pg_is_in_recovery() AS in_recovery,
    current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer AS most,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,
    n.oid IS NOT NULL AS has_schema, has_database_privilege(current_database(), 'CREATE') AS may_create_schema,
    coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS usage,
    coalesce(has_schema_privilege(n.oid, 'CREATE'), false) AS may_create,
    EXISTS (SELECT 1 FROM pg_class AS c WHERE c.relnamespace = n.oid AND c.relname = 'schema_version') AS has_tables,
    NOT EXISTS (SELECT 1 FROM pg_class AS c CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS r (privilege)
      WHERE c.relnamespace = n.oid AND c.relkind = 'r' AND NOT has_table_privilege(c.oid, r.privilege)) AS may_use
  FROM (SELECT to_regnamespace(quote_ident($1)) AS oid) AS n`;

const STANDBYS = "SELECT sync_state FROM pg_stat_replication WHERE application_name <> 'pg_basebackup'";
