import {
  deepStrictEqual as assertEquals,
  match as assertMatch,
  ok as assert,
  rejects as assertRejects,
  throws as assertThrows,
} from "node:assert/strict";
import { Housekeeping } from "../../src/ledger/sqlite/housekeeping.ts";
import { RetryingLedger } from "../../src/ledger/retrying_ledger.ts";
import { RamLedger } from "../../src/ledger/ram/ledger.ts";
import { type Database, openDatabase } from "../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { UserError } from "../../src/model/errors.ts";
import { type Arrival, type Ledger, LedgerUnavailable } from "../../src/model/ledger.ts";
import { LeaseLost } from "../../src/model/tenancy.ts";
import { SILENT } from "../support/loggers.ts";
import { decisionOf, madeNotification } from "../support/made_events.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** A ledger that can be made to fail, behind a retrying one. */
class Failing {
  readonly clock = new VirtualClock();
  readonly inner = new RamLedger();
  readonly stop = new AbortController();
  readonly told: string[] = [];
  calls = 0;
  tests = 0;
  /** What calls meet. */
  holds: Error | undefined;
  /** What calls and test writes meet. */
  error: Error | undefined;
  readonly ledger: RetryingLedger = new RetryingLedger({
    ledger: this.#failing(),
    clock: this.clock,
    signal: this.stop.signal,
    testWrite: () => {
      this.tests++;
      return this.error === undefined ? Promise.resolve() : Promise.reject(this.error);
    },
    onDown: ({ message }) => this.told.push(`down: ${message}`),
    onUp: () => this.told.push("up"),
  });

  #failing(): Ledger {
    return new Proxy(this.inner, {
      get: (inner, name) => (...given: readonly unknown[]) => {
        this.calls++;
        const error = this.error ?? this.holds;
        if (error !== undefined) return Promise.reject(error);
        return Reflect.apply(Reflect.get(inner, name), inner, given);
      },
    });
  }
}

function arrival(messageId: string): Arrival {
  return { receivedAt: 0, notification: madeNotification(messageId) };
}

async function recordedIds(ledger: Ledger): Promise<string[]> {
  const ids: string[] = [];
  await ledger.decide(Number.MAX_SAFE_INTEGER, ({ messageId }) => {
    ids.push(messageId);
    return decisionOf([]);
  });
  return ids;
}

Deno.test("RetryingLedger does what it is asked when the ledger works", async () => {
  const { ledger, inner, told } = new Failing();
  assertEquals(await ledger.record([arrival("a")]), 1);
  await ledger.activate(["p"]);
  assertEquals(await ledger.nextDueAt("p"), null);
  assertEquals(await ledger.ready({ plugin: "p", now: 0, limit: 1 }), []);
  assertEquals(await recordedIds(inner), ["a"]);
  assert(ledger.writable);
  assertEquals(told, []);
});

Deno.test("RetryingLedger keeps calls, in order, when the ledger is out of reach", async () => {
  const failing = new Failing();
  const { ledger, clock, told, inner } = failing;
  failing.error = new LedgerUnavailable("database or disk is full");
  const results = [ledger.record([arrival("a")]), ledger.record([arrival("b"), arrival("c")])];
  await clock.advance(5500);
  assert(!ledger.writable);
  results.push(ledger.record([arrival("d")]));
  await clock.advance(60_000);
  assertEquals({ told, calls: failing.calls, tests: failing.tests }, {
    told: ["down: database or disk is full"],
    calls: 2,
    tests: 65,
  });
  failing.error = undefined;
  await clock.advance(1000);
  assert(ledger.writable);
  assertEquals(await Promise.all(results), [1, 2, 1]);
  assertEquals(await recordedIds(inner), ["a", "b", "c", "d"]);
  assertEquals(told, ["down: database or disk is full", "up"]);
});

Deno.test("RetryingLedger says that it is down again when it fails again", async () => {
  const failing = new Failing();
  const { ledger, clock, told } = failing;
  for (const round of [1, 2]) {
    failing.error = new LedgerUnavailable(`round ${round}`);
    const result = ledger.record([arrival(`${round}`)]);
    await clock.advance(1500);
    failing.error = undefined;
    await clock.advance(1000);
    assertEquals(await result, 1);
  }
  assertEquals(told, ["down: round 1", "up", "down: round 2", "up"]);
});

Deno.test("RetryingLedger says nothing when a test fits, but not what it holds", async () => {
  const failing = new Failing();
  failing.error = failing.holds = new LedgerUnavailable("database or disk is full");
  const result = failing.ledger.record([arrival("a")]);
  await failing.clock.advance(1500);
  failing.error = undefined;
  await failing.clock.advance(10_000);
  assert(!failing.ledger.writable);
  failing.holds = undefined;
  await failing.clock.advance(1000);
  assertEquals(await result, 1);
  assertEquals(failing.told, ["down: database or disk is full", "up"]);
});

Deno.test("RetryingLedger rejects at once when waiting does not help", async () => {
  const failing = new Failing();
  failing.error = new UserError("Cannot go on with the ledger");
  await assertRejects(failing.ledger.record([arrival("a")]), UserError);
  assertEquals(failing.told, []);
});

Deno.test("RetryingLedger rejects when waiting stops helping", async () => {
  const failing = new Failing();
  failing.error = new LedgerUnavailable("disk I/O error");
  const result = assertRejects(failing.ledger.record([arrival("a")]), UserError);
  await failing.clock.advance(1500);
  failing.error = new UserError("Cannot go on with the ledger");
  await failing.clock.advance(1000);
  await result;
  assertEquals(failing.told, ["down: disk I/O error"]);
});

Deno.test("RetryingLedger rejects what waits when it is told to stop", async () => {
  const failing = new Failing();
  failing.error = new LedgerUnavailable("database or disk is full");
  const result = assertRejects(failing.ledger.record([arrival("a")]), LedgerUnavailable);
  await failing.clock.advance(1500);
  failing.stop.abort();
  await result;
  assertEquals(failing.told, ["down: database or disk is full"]);
  assertEquals(failing.clock.sleeping, 0);
});

/** A disk that a test can fill, with a ledger on it. */
class SmallDisk implements AsyncDisposable {
  readonly #directory = new TemporaryDirectory();
  readonly #mountPoint = this.#directory.path("disk");
  readonly #filler = this.#directory.path("disk", "filler");
  readonly file: string = this.#directory.path("disk", "ledger.db");
  database!: Database;

  static async make(): Promise<SmallDisk> {
    const disk = new SmallDisk();
    Deno.mkdirSync(disk.#mountPoint);
    if (CAN_MOUNT) assert(await mount(disk.#mountPoint));
    disk.database = openDatabase(disk.file, { create: true });
    return disk;
  }

  fill(): void {
    if (CAN_MOUNT) fillUp(this.#filler);
    else this.database.exec("PRAGMA max_page_count = 1");
  }

  free(): void {
    if (CAN_MOUNT) Deno.removeSync(this.#filler);
    else this.database.exec("PRAGMA max_page_count = 1000000");
  }

  /** What a restart of the service does. */
  reopen(): void {
    this.database.close();
    this.database = openDatabase(this.file, { create: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.database.close();
    if (CAN_MOUNT) await succeeds("umount", [this.#mountPoint]);
    this.#directory[Symbol.dispose]();
  }
}

function mount(directory: string): Promise<boolean> {
  return succeeds("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", directory]);
}

async function canMount(): Promise<boolean> {
  using directory = new TemporaryDirectory();
  return await mount(directory.path()) && await succeeds("umount", [directory.path()]);
}

const CAN_MOUNT = await canMount();
const DISK = CAN_MOUNT ? "a tmpfs of 16 MiB" : "PRAGMA max_page_count, since mounting is refused";

async function succeeds(command: string, args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** Leaves not one byte. */
function fillUp(file: string): void {
  using opened = Deno.openSync(file, { write: true, create: true });
  for (const size of [4096, 1]) {
    try {
      for (;;) if (opened.writeSync(new Uint8Array(size)) < size) break;
    } catch {
      // Full.
    }
  }
}

for (const rounds of [1, 3]) {
  Deno.test(`RetryingLedger loses nothing when the disk is full ${rounds} times, and goes on when there is room (${DISK})`, async () => {
    await using disk = await SmallDisk.make();
    const clock = new VirtualClock();
    const inner = new SqliteLedger(disk.database, clock.now);
    const housekeeping = new Housekeeping({
      database: disk.database,
      clock,
      keepDays: 30,
      maxDelayMs: 0,
      log: SILENT,
      onRescheduled: () => {},
    });
    const told: string[] = [];
    const ledger = new RetryingLedger({
      ledger: inner,
      clock,
      signal: new AbortController().signal,
      // deno-lint-ignore require-await -- async turns what SQLite throws into a rejection
      testWrite: async () => housekeeping.testWrite(),
      onDown: ({ message }) => told.push(message),
      onUp: () => told.push("up"),
    });
    const expected: string[] = [];
    const record = (id: string) => {
      expected.push(id);
      // Long enough to need pages of its own.
      const notification = { ...madeNotification(id), payload: { text: "x".repeat(20_000) } };
      return ledger.record([{ receivedAt: 0, notification }]);
    };
    for (let round = 0; round < rounds; round++) {
      assertEquals(await record(`before ${round}`), 1);
      disk.fill();
      const results: Promise<number>[] = [];
      for (let n = 0; n < 20; n++) results.push(record(`during ${round}, ${n}`));
      await clock.advance(30_000);
      assert(!ledger.writable);
      assertEquals(told.length, 2 * round + 1);
      assertMatch(told.at(-1)!, /full|I\/O/);
      disk.free();
      await clock.advance(1000);
      assertEquals(await Promise.all(results), Array(20).fill(1));
      assertEquals(told.at(-1), "up");
    }
    disk.reopen();
    assertEquals(await recordedIds(new SqliteLedger(disk.database, clock.now)), expected);
  });
}

Deno.test({
  name: `openDatabase() refuses to make a ledger when the disk is full${
    CAN_MOUNT ? "" : " (skipped: mounting takes root)"
  }`,
  ignore: !CAN_MOUNT,
  async fn() {
    await using disk = await SmallDisk.make();
    disk.fill();
    assertThrows(() => openDatabase(`${disk.file}.other`, { create: true }), {
      name: "UserError",
      message: /^Cannot open the ledger ".*": [^\n]+ Make room on the disk that it is on$/,
    });
  },
});

Deno.test("RetryingLedger can be written again when a call that it tries again is refused for its lease", async () => {
  const failing = new Failing();
  const { ledger, clock, told } = failing;
  failing.error = new LedgerUnavailable("no answer");
  const result = assertRejects(() => ledger.settle([]), LeaseLost);
  await clock.advance(1500);
  [failing.error, failing.holds] = [undefined, new LeaseLost("it is another's")];
  await clock.advance(1000);
  await result;
  assertEquals([told, ledger.writable], [["down: no answer", "up"], true]);
});

Deno.test("RetryingLedger.retried() keeps a call of another part of the ledger, too", async () => {
  const { ledger, clock, told } = new Failing();
  let isThere = false;
  const result = ledger.retried(() =>
    isThere ? Promise.resolve("stored") : Promise.reject(new LedgerUnavailable("gone"))
  );
  await clock.advance(5500);
  isThere = true;
  await clock.advance(1000);
  assertEquals(await result, "stored");
  assertEquals(told, ["down: gone", "up"]);
});
