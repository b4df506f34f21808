import { deepStrictEqual as assertEquals, ok as assert, rejects as assertRejects } from "node:assert/strict";
import { GroupCommit, type GroupCommitOptions } from "../../../src/ledger/sqlite/group_commit.ts";
import { LedgerUnavailable } from "../../../src/model/ledger.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

/** Longer than any test. */
const FOR_EVER_MS = 3_600_000;

/** A table with rows of numbers, written through groups, and what of it is on disk. */
class Rows implements Disposable {
  readonly #opened = new TemporaryLedger();
  readonly #reader = new TemporaryLedger({ file: this.#opened.file });
  readonly commits: GroupCommit;

  constructor(options: GroupCommitOptions = {}) {
    this.commits = new GroupCommit(this.#opened.database, options);
    this.#opened.database.exec("CREATE TABLE numbers (number INTEGER UNIQUE)");
  }

  insert(number: number): Promise<number> {
    return this.commits.run(() => this.put(number));
  }

  put(number: number): number {
    this.#opened.database.prepare("INSERT INTO numbers VALUES (?)").run(number);
    return number;
  }

  /** Another process writes, until that is disposed of. */
  lock(): Disposable {
    const { database } = this.#reader;
    this.#opened.database.exec("PRAGMA busy_timeout = 0");
    database.exec("BEGIN IMMEDIATE");
    return { [Symbol.dispose]: () => database.exec("ROLLBACK") };
  }

  /** As another connection sees it. */
  written(): number[] {
    return this.#reader.database.prepare("SELECT number FROM numbers").all().map(({ number }) => Number(number));
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
    this.#opened[Symbol.dispose]();
  }
}

Deno.test("GroupCommit.run() writes what comes in one turn in one transaction, in order, and resolves after it", async () => {
  using rows = new Rows();
  const seen: number[][] = [];
  const results = [1, 2, 3].map((number) => rows.insert(number));
  const during = rows.commits.run(() => seen.push(rows.written()));
  for (const result of results) result.then(() => seen.push(rows.written()));
  assertEquals(rows.written(), []);
  assertEquals(await Promise.all(results), [1, 2, 3]);
  await during;
  assertEquals(seen, [[], [1, 2, 3], [1, 2, 3], [1, 2, 3]]);
});

Deno.test("GroupCommit.run() rejects an action that fails alone, and writes its neighbours", async () => {
  using rows = new Rows();
  const [first, again, last] = [rows.insert(1), rows.insert(1), rows.insert(2)];
  await assertRejects(again, /UNIQUE/);
  assertEquals(await Promise.all([first, last]), [1, 2]);
  assertEquals(rows.written(), [1, 2]);
});

Deno.test("GroupCommit.run() tries nothing behind what finds the ledger out of reach: it would overtake, and wait again", async () => {
  let tries = 0;
  using rows = new Rows({ onRolledBack: () => tries++ });
  const unavailable = () => {
    throw new LedgerUnavailable("database or disk is full");
  };
  const results = await Promise.allSettled([
    rows.insert(1),
    rows.commits.run(unavailable),
    rows.insert(2),
    rows.insert(3),
  ]);
  assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected", "rejected", "rejected"]);
  for (const result of results.slice(1)) {
    assert("reason" in result && result.reason instanceof LedgerUnavailable);
  }
  assertEquals(rows.written(), [1]);
  // Together, then the one.
  assertEquals(tries, 2);
});

Deno.test("GroupCommit.runLast() sees what came in the same turn, before it or behind it", async () => {
  using rows = new Rows();
  const order: string[] = [];
  const note = (name: string) => () => order.push(name);
  const all = [rows.commits.run(note("a")), rows.commits.runLast(note("last")), rows.commits.run(note("b"))];
  await Promise.all(all);
  assertEquals(order, ["a", "b", "last"]);
});

Deno.test("GroupCommit.runWithin() goes with the next transaction", async () => {
  using rows = new Rows();
  const waiting = rows.commits.runWithin(FOR_EVER_MS, () => rows.put(1));
  await rows.insert(2);
  await waiting;
  assertEquals(rows.written(), [1, 2]);
});

Deno.test("GroupCommit.runWithin() has a transaction of its own when there is no other for so long", async () => {
  using rows = new Rows();
  const waiting = [1, 2].map((number) => rows.commits.runWithin(1, () => rows.put(number)));
  assertEquals(rows.written(), []);
  await Promise.all(waiting);
  assertEquals(rows.written(), [1, 2]);
});

Deno.test("GroupCommit.runWithin() waits for nobody when many wait", async () => {
  using rows = new Rows();
  const numbers = Array.from({ length: 100 }, (_, number) => number);
  const waiting = numbers.map((number) => rows.commits.runWithin(FOR_EVER_MS, () => rows.put(number)));
  await Promise.all(waiting);
  assertEquals(rows.written(), numbers);
});

Deno.test("GroupCommit calls onCommit in each transaction, and onRolledBack for each that wrote nothing", async () => {
  const calls: string[] = [];
  using rows = new Rows({ onCommit: () => calls.push("commit"), onRolledBack: () => calls.push("rolled back") });
  const [, again] = [rows.insert(1), rows.insert(1)];
  await assertRejects(again, /UNIQUE/);
  // Together, then each alone.
  assertEquals(calls, ["rolled back", "commit", "rolled back"]);
});

Deno.test("GroupCommit rolls nothing back when another process holds the lock", async () => {
  let rolledBack = 0;
  using rows = new Rows({ onRolledBack: () => rolledBack++ });
  {
    using _lock = rows.lock();
    await assertRejects(rows.insert(1), LedgerUnavailable);
  }
  assertEquals(await rows.insert(2), 2);
  assertEquals([rows.written(), rolledBack], [[2], 0]);
});
