// Fills a ledger as the stages do, without a broker and without waiting for the disk.
import { makeDetail } from "../src/detail/make_detail.ts";
import { decide } from "../src/facts/decide.ts";
import { decodeBody } from "../src/intake/envelope.ts";
import { openDatabase } from "../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../src/ledger/sqlite/ledger.ts";
import type { Arrival } from "../src/model/ledger.ts";
import { EVERYTHING } from "../tests/support/rules.ts";
import { lives } from "./mix.ts";

/** Servers that come and go in one transaction. */
const BATCH = 200;

/** One delivery in so many is a dead letter. */
const DEAD_SHARE = 100;

/** Adds this many events, all delivered to one plugin. */
export async function growLedger(
  file: string,
  { events, plugin }: { readonly events: number; readonly plugin: string },
): Promise<void> {
  const database = openDatabase(file, { create: true });
  try {
    database.exec("PRAGMA synchronous = OFF");
    const ledger = new SqliteLedger(database, Date.now);
    await ledger.activate([plugin]);
    for (let servers = 0; servers < events / 2; servers += BATCH) {
      await add(ledger, arrivalsOf(servers, Math.min(BATCH, events / 2 - servers)));
      await settle(ledger, plugin);
    }
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    database.close();
  }
}

/** Makes dead letters, with failures, of one in a hundred deliveries that are done. */
export function makeDead(file: string): void {
  using database = openDatabase(file, { create: false });
  const reasons = "CASE (seq / 100) % 3 WHEN 0 THEN 'timeout' WHEN 1 THEN 'permanent' ELSE 'server_error' END";
  database.exec(`INSERT OR IGNORE INTO failure (plugin, seq, attempt, started_at, ended_at, reason, error)
    SELECT plugin, seq, 1, finished_at, finished_at, ${reasons}, 'it was refused' FROM delivery WHERE seq % ${DEAD_SHARE} = 0`);
  database.exec(`UPDATE delivery SET state = 'dead' WHERE seq % ${DEAD_SHARE} = 0`);
}

function arrivalsOf(from: number, servers: number): readonly Arrival[] {
  return lives(servers, from).bodies.map((body) => {
    const decoded = decodeBody(body);
    if ("refused" in decoded) throw new Error(`Cannot decode the load: ${decoded.refused}`);
    return { receivedAt: Date.now(), notification: decoded.notification };
  });
}

async function add(ledger: SqliteLedger, arrivals: readonly Arrival[]): Promise<void> {
  await ledger.record(arrivals);
  await ledger.decide(arrivals.length, (notification, memory) => decide(notification, memory, EVERYTHING));
  const events = await ledger.undetailed(arrivals.length);
  await ledger.storeDetails(
    events.map(({ seq, event }) => ({ seq, detail: makeDetail(event).detail, missing: [], learned: null })),
  );
}

async function settle(ledger: SqliteLedger, plugin: string): Promise<void> {
  for (;;) {
    const now = Date.now();
    const ready = await ledger.ready({ plugin, now, limit: BATCH });
    if (ready.length === 0) return;
    const how = { plugin, startedAt: now, endedAt: now, outcome: "done", failure: null, dueAt: 0, triedMs: 0 } as const;
    await ledger.settle(ready.map(({ seq }) => ({ seq, ...how })));
  }
}
