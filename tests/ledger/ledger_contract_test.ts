import { RamLedger } from "../../src/ledger/ram/ledger.ts";
import type { QueuesOptions } from "../../src/ledger/sqlite/queues.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import type { LedgerOperations } from "../../src/model/operations.ts";
import { TemporaryLedger } from "../support/temporary_ledger.ts";
import { type LedgerContract, type LedgerUnderTest, testLedger } from "./contract.ts";
import { testLedgerUpdates } from "./updates_contract.ts";

/** A ledger in RAM and its time. */
class OpenedRamLedger implements LedgerUnderTest {
  now = 0;
  readonly ledger = new RamLedger(() => this.now);

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** A ledger in a file of its own. */
class OpenedSqliteLedger implements LedgerUnderTest {
  readonly #opened: TemporaryLedger;

  constructor(options: QueuesOptions = {}) {
    this.#opened = new TemporaryLedger(options);
  }

  get ledger(): Ledger {
    return this.#opened.ledger;
  }

  get now(): number {
    return this.#opened.now;
  }

  set now(now: number) {
    this.#opened.now = now;
  }

  reopen(): Promise<void> {
    this.#opened.reopen();
    return Promise.resolve();
  }

  operations(): Promise<LedgerOperations> {
    return Promise.resolve(this.#opened.operations());
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#opened[Symbol.dispose]();
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
}
