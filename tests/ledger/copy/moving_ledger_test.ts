import type { Ledger } from "../../../src/model/ledger.ts";
import type { LedgerOperations } from "../../../src/model/operations.ts";
import { copyBetween, type Kind, type OpenedLedger, type TestPlace, testPlace } from "../../support/copied_ledgers.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";
import { agreesWithModel, type LedgerUnderTest, testLedger } from "../contract.ts";
import { testLedgerUpdates } from "../updates_contract.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

/** A ledger that is copied to a place of the other kind whenever the process that writes it ends. */
class MovingLedger implements LedgerUnderTest {
  #place: TestPlace;
  #opened: OpenedLedger;

  private constructor(place: TestPlace, opened: OpenedLedger) {
    this.#place = place;
    this.#opened = opened;
  }

  static async open(kind: Kind): Promise<MovingLedger> {
    const place = await testPlace(kind);
    return new MovingLedger(place, await place.open());
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

  async reopen(): Promise<void> {
    const { now } = this;
    await this.#opened[Symbol.asyncDispose]();
    await using before = this.#place;
    this.#place = await testPlace(before.kind === "SQLite" ? "PostgreSQL" : "SQLite");
    await copyBetween(before, this.#place);
    this.#opened = await this.#place.open();
    this.now = now;
  }

  async operations(): Promise<LedgerOperations> {
    return await this.#opened.operations();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened[Symbol.asyncDispose]();
    await this.#place[Symbol.asyncDispose]();
  }
}

const contract = {
  name: "A ledger that is copied from SQLite to PostgreSQL at each end, and back",
  open: () => MovingLedger.open("SQLite"),
  isSequential: false,
  firstDueAt: (decidedAt: number) => decidedAt,
  histories: 15,
};

testLedger(contract);
testLedgerUpdates(contract);

Deno.test("A ledger that is copied from PostgreSQL to SQLite at each end, and back, agrees with a naive model", async () => {
  await agreesWithModel({ ...contract, open: () => MovingLedger.open("PostgreSQL") });
});
