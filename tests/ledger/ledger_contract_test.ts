import { RamLedger } from "../../src/ledger/ram/ledger.ts";
import { OpenedSqliteLedger } from "../support/opened_sqlite_ledger.ts";
import { type LedgerContract, type LedgerUnderTest, testLedger } from "./contract.ts";
import { testLedgerFates } from "./fates_contract.ts";
import { testLedgerUpdates } from "./updates_contract.ts";

/** A ledger in RAM and its time. */
class OpenedRamLedger implements LedgerUnderTest {
  now = 0;
  readonly ledger = new RamLedger(() => this.now);

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

const CONTRACTS: readonly LedgerContract[] = [
  { name: "RamLedger", open: () => Promise.resolve(new OpenedRamLedger()), firstDueAt: () => 0 },
  {
    name: "SqliteLedger",
    open: () => Promise.resolve(new OpenedSqliteLedger()),
    firstDueAt: (decidedAt) => decidedAt,
  },
  {
    name: "SqliteLedger that keeps few deliveries in memory",
    open: () => Promise.resolve(new OpenedSqliteLedger({ windowSize: 2 })),
    firstDueAt: (decidedAt) => decidedAt,
  },
];

for (const contract of CONTRACTS) {
  testLedger(contract);
  testLedgerUpdates(contract);
  testLedgerFates(contract);
}
