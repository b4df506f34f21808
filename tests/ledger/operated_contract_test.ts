import { OperatedSqliteLedger } from "../support/operated_sqlite_ledger.ts";
import { sharedPostgres } from "../support/postgres_server.ts";
import { TemporaryPostgresLedger } from "../support/temporary_postgres_ledger.ts";
import { testAuditTrail } from "./audit_trail_contract.ts";
import { testComparisons } from "./comparisons_contract.ts";
import { testLastingEvents } from "./lasting_events_contract.ts";
import type { OperatedContract } from "./operated_ledger.ts";
import { testOperations } from "./operations_contract.ts";
import { testPruning } from "./pruning_contract.ts";
import { testSkipped } from "./skipped_contract.ts";
import { testRedelivery } from "./redelivery_contract.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

const CONTRACTS: readonly OperatedContract[] = [
  { name: "SQLite", open: () => Promise.resolve(new OperatedSqliteLedger()) },
  {
    name: "SQLite that keeps few deliveries in memory",
    open: () => Promise.resolve(new OperatedSqliteLedger({ windowSize: 1 })),
  },
  { name: "PostgreSQL", open: () => TemporaryPostgresLedger.open() },
];

for (const contract of CONTRACTS) {
  testOperations(contract);
  testAuditTrail(contract);
  testRedelivery(contract);
  testComparisons(contract);
  testPruning(contract);
  testLastingEvents(contract);
  testSkipped(contract);
}
