import { OperatedSqliteLedger } from "../support/operated_sqlite_ledger.ts";
import { sharedPostgres } from "../support/postgres_server.ts";
import { TemporaryPostgresLedger } from "../support/temporary_postgres_ledger.ts";
import { testSearch } from "./search_contract.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

testSearch({ name: "SQLite", open: () => Promise.resolve(new OperatedSqliteLedger()) });
testSearch({ name: "PostgreSQL", open: () => TemporaryPostgresLedger.open() });
