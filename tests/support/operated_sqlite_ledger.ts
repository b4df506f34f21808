import { Comparisons } from "../../src/ledger/sqlite/comparisons.ts";
import { openDelivered } from "../../src/ledger/sqlite/delivered.ts";
import type { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { Pruner } from "../../src/ledger/sqlite/prune.ts";
import type { DeliveredLedger } from "../../src/model/delivered.ts";
import type { LedgerOperations } from "../../src/model/operations.ts";
import type { OperatedLedger } from "../ledger/operated_ledger.ts";
import { TemporaryLedger } from "./temporary_ledger.ts";

/** A ledger on SQLite, as operators' commands and housekeeping treat it. */
export class OperatedSqliteLedger implements OperatedLedger {
  readonly #opened: TemporaryLedger;
  readonly comparisons: Comparisons;

  constructor(options: { readonly windowSize?: number } = {}) {
    this.#opened = new TemporaryLedger(options);
    this.comparisons = new Comparisons(this.#opened.database);
  }

  get ledger(): SqliteLedger {
    return this.#opened.ledger;
  }

  get now(): number {
    return this.#opened.now;
  }

  set now(now: number) {
    this.#opened.now = now;
  }

  operations(): Promise<LedgerOperations> {
    return Promise.resolve(this.#opened.operations());
  }

  delivered(): Promise<DeliveredLedger> {
    return Promise.resolve(openDelivered(this.#opened.file));
  }

  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return Promise.resolve(this.#opened.database.prepare(text).all());
  }

  async markTold({ key, plugin }: { readonly key: string; readonly plugin: string }): Promise<void> {
    await this.sql(`INSERT INTO delivery (seq, plugin, state, due_at, attempts, finished_at)
      SELECT e.seq, (SELECT id FROM plugin WHERE name = '${plugin}'), 'done', 0, 1, 0 FROM event AS e WHERE e.key = '${key}'`);
  }

  prune(before: number): Promise<void> {
    const pruner = new Pruner(this.#opened.database);
    while (pruner.slice(before));
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#opened[Symbol.dispose]();
    return Promise.resolve();
  }
}
