import { RamLedger } from "../../src/ledger/ram/ledger.ts";
import { TemporaryLedger } from "../support/temporary_ledger.ts";
import { type LedgerContract, type LedgerUnderTest, testLedger } from "./contract.ts";
import { testLedgerUpdates } from "./updates_contract.ts";

/** A ledger in RAM and its time. */
class OpenedRamLedger implements LedgerUnderTest {
  now = 0;
  readonly ledger = new RamLedger(() => this.now);

  [Symbol.dispose](): void {}
}

const CONTRACTS: readonly LedgerContract[] = [
  { name: "RamLedger", open: () => new OpenedRamLedger(), firstDueAt: () => 0 },
  { name: "SqliteLedger", open: () => new TemporaryLedger(), firstDueAt: (decidedAt) => decidedAt },
  {
    name: "SqliteLedger that keeps few deliveries in memory",
    open: () => new TemporaryLedger({ windowSize: 2 }),
    firstDueAt: (decidedAt) => decidedAt,
  },
];

for (const contract of CONTRACTS) {
  testLedger(contract);
  testLedgerUpdates(contract);
}
