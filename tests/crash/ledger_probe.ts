// What a ledger says in the end, read from outside of the service.
import { DatabaseSync } from "node:sqlite";
import type { PostgresServer } from "../../tools/postgres/server.ts";

/** Counts what is in a ledger. */
export interface LedgerProbe {
  /** Notifications that both the load and the ledger count: those of changes are recorded only where changes are followed. */
  recorded(): Promise<number>;
  /** Deliveries that are not done. */
  open(): Promise<number>;
  /** Deliveries that are done, without updates. */
  done(): Promise<number>;
  /** Attempts that were recorded as interrupted. */
  interrupted(): Promise<number>;
}

const RECORDED = `SELECT count(*) AS n FROM notification
  WHERE event_type NOT LIKE '%instance.update' AND event_type NOT LIKE '%instance.delete.start'`;
const INTERRUPTED = "SELECT count(*) AS n FROM failure WHERE reason = 'interrupted'";

/** A ledger in a file. */
export function sqliteProbe(file: string): LedgerProbe {
  const count = (sql: string): Promise<number> => {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return Promise.resolve(Number(database.prepare(sql).get()?.["n"]));
    } finally {
      database.close();
    }
  };
  return {
    recorded: () => count(RECORDED),
    open: () => count("SELECT count(*) AS n FROM delivery WHERE state <> 'done'"),
    done: () =>
      count(`SELECT count(*) AS n FROM delivery AS d JOIN event AS e ON e.seq = d.seq
        WHERE state = 'done' AND key NOT LIKE '%/update/%'`),
    interrupted: () => count(INTERRUPTED),
  };
}

/** What the tables of PostgreSQL say of leases. */
export interface LeaseProbe {
  /** How often a lease was taken, of all leases together. */
  taken(): Promise<number>;
}

/** A ledger on a server. A delivery that was never attempted has no row. */
export function postgresProbe(server: PostgresServer): LedgerProbe & LeaseProbe {
  const count = async (sql: string) => Number(await server.psql(`SET search_path = ${SCHEMA};\n${sql}`));
  const deliveries = `FROM event AS e CROSS JOIN unnest(e.plugins) AS p (plugin)
    LEFT JOIN delivery AS d ON d.seq = e.seq AND d.plugin = p.plugin`;
  return {
    recorded: () => count(RECORDED),
    open: () => count(`SELECT count(*) AS n ${deliveries} WHERE d.state IS DISTINCT FROM 'done'`),
    done: () => count(`SELECT count(*) AS n ${deliveries} WHERE d.state = 'done' AND e.key NOT LIKE '%/update/%'`),
    interrupted: () => count(INTERRUPTED),
    taken: () => count("SELECT coalesce(sum(epoch), 0) FROM lease"),
  };
}

const SCHEMA = "oss_watcher";
