import { RamLedger } from "../../src/ledger/ram/ledger.ts";
import { TemporaryLedger } from "../support/temporary_ledger.ts";
import { testLedger } from "./contract.ts";

testLedger({
  name: "RamLedger",
  open: () => ({ ledger: new RamLedger(), now: 0, [Symbol.dispose]() {} }),
  firstDueAt: () => 0,
});

testLedger({ name: "SqliteLedger", open: () => new TemporaryLedger(), firstDueAt: (decidedAt) => decidedAt });

testLedger({
  name: "SqliteLedger that keeps few deliveries in memory",
  open: () => new TemporaryLedger({ windowSize: 2 }),
  firstDueAt: (decidedAt) => decidedAt,
});
