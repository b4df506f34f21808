import assert from "node:assert/strict";
import type { Queries } from "../../../src/ledger/postgres/client.ts";
import { HeldLeases } from "../../../src/ledger/postgres/held_leases.ts";
import { PostgresLedger } from "../../../src/ledger/postgres/ledger.ts";
import { pluginLease } from "../../../src/model/tenancy.ts";
import { announceEvents, madeServerEvent } from "../../support/made_events.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";
import { takeLeases, TemporaryPostgresLedger } from "../../support/temporary_postgres_ledger.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

const SERVERS = 20;
const ENDED = { startedAt: 0, endedAt: 1, triedMs: 1 } as const;

/** A ledger whose statements are told. */
async function openTelling(
  opened: TemporaryPostgresLedger,
  onStatement: (sql: string) => void,
): Promise<PostgresLedger> {
  const queries: Queries = {
    rows: (sql, parameters) => {
      onStatement(sql);
      return opened.client.rows(sql, parameters);
    },
  };
  const leases = new HeldLeases();
  const ledger = await PostgresLedger.open({ queries, leases, now: () => 0 });
  await ledger.activate(["p"]);
  await ledger.follow({ plugins: ["p"], settleMs: 0, makeUpdate: () => null });
  await takeLeases({ client: opened.client, ledger, leases }, ["facts", pluginLease("p")]);
  return ledger;
}

Deno.test("ready() reads the events of the next deliveries with those that it is asked for", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  await opened.ledger.activate(["p"]);
  const servers = Array.from({ length: SERVERS }, (_, index) => `s${index}`);
  await announceEvents(
    opened.ledger,
    servers.map((server) => madeServerEvent("creation", { id: server, hostname: server })),
  );
  let reads = 0;
  const ledger = await openTelling(opened, (sql) => sql.startsWith("SELECT seq, data, detail") && reads++);
  const told: string[] = [];
  for (let times = 0; times < SERVERS / 5; times++) {
    const ready = await ledger.ready({ plugin: "p", now: 10, limit: 5 });
    told.push(...ready.map(({ detail }) => String(detail["FQDN"])));
    const ends = ready.map(({ seq }) =>
      ({ seq, plugin: "p", outcome: "done", dueAt: 0, failure: null, ...ENDED }) as const
    );
    await ledger.settle(ends);
  }
  assert.deepEqual(told, servers);
  assert.equal(reads, 1);
});

Deno.test("ready() asks as often for many deliveries as for one, whatever they need", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  let asked = 0;
  const ledger = await openTelling(opened, () => asked++);
  const ready = (limit: number) => ledger.ready({ plugin: "p", now: 10, limit });
  const servers = Array.from({ length: SERVERS }, (_, index) => `s${index}`);
  await announceEvents(ledger, servers.map((server) => madeServerEvent("creation", { id: server, hostname: server })));
  for (const { seq } of await ready(SERVERS)) {
    await ledger.settle([{ seq, plugin: "p", outcome: "done", dueAt: 0, failure: null, ...ENDED }]);
  }
  await announceEvents(
    ledger,
    servers.map((server) => madeServerEvent("update", { id: server, hostname: `${server}-b` })),
  );
  // Each was attempted, and kept something.
  const updates = await ready(SERVERS);
  assert.equal(updates.length, SERVERS);
  for (const { seq } of updates) {
    const failure = { reason: "timeout", error: "late", progress: { seq } } as const;
    await ledger.settle([{ seq, plugin: "p", outcome: "retry", dueAt: 2, failure, ...ENDED }]);
  }

  asked = 0;
  assert.equal((await ready(1)).length, 1);
  const askedForOne = asked;
  asked = 0;
  const deliveries = await ready(SERVERS);
  assert.equal(asked, askedForOne);
  assert.deepEqual(
    deliveries.map(({ event, before, progress, seq }) => ({
      key: event.key,
      before: before?.FQDN,
      isOwn: JSON.stringify(progress) === JSON.stringify({ seq }),
    })),
    servers.map((server) => ({ key: `server/${server}/update/1`, before: server, isOwn: true })),
  );
});
