import type { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import type { QueuesOptions } from "../../src/ledger/sqlite/queues.ts";
import type { LedgerOperations } from "../../src/model/operations.ts";
import { TemporaryLedger } from "./temporary_ledger.ts";

/** A ledger in a file of its own, as tests of all ledgers take it. */
export class OpenedSqliteLedger implements AsyncDisposable {
  protected readonly opened: TemporaryLedger;

  constructor(options: QueuesOptions = {}) {
    this.opened = new TemporaryLedger(options);
  }

  get ledger(): SqliteLedger {
    return this.opened.ledger;
  }

  get now(): number {
    return this.opened.now;
  }

  set now(now: number) {
    this.opened.now = now;
  }

  reopen(): Promise<void> {
    this.opened.reopen();
    return Promise.resolve();
  }

  operations(): Promise<LedgerOperations> {
    return Promise.resolve(this.opened.operations());
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.opened[Symbol.dispose]();
    return Promise.resolve();
  }
}
