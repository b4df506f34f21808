import { TemporaryPostgresLedger } from "../support/temporary_postgres_ledger.ts";
import { sharedPostgres } from "../support/postgres_server.ts";
import { testLedger } from "./contract.ts";
import { testLedgerFates } from "./fates_contract.ts";
import { testLedgerUpdates } from "./updates_contract.ts";

const contract = {
  name: "PostgresLedger",
  open: () => TemporaryPostgresLedger.open(),
  isSequential: false,
  firstDueAt: (decidedAt: number) => decidedAt,
};

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

testLedger(contract);
testLedgerUpdates(contract);
testLedgerFates(contract);
