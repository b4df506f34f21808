import assert from "node:assert/strict";
import type { Queries } from "../../../src/ledger/postgres/client.ts";
import { WRITE_FACTS } from "../../../src/ledger/postgres/facts_statement.ts";
import { HeldLeases } from "../../../src/ledger/postgres/held_leases.ts";
import { takeLease } from "../../../src/ledger/postgres/lease_table.ts";
import { PostgresLedger } from "../../../src/ledger/postgres/ledger.ts";
import { LedgerUnavailable } from "../../../src/model/ledger.ts";
import { LeaseLost, pluginLease } from "../../../src/model/tenancy.ts";
import { sharedPostgres } from "../../support/postgres_server.ts";
import { decisionOf, madeEvent, madeNotification, promptDetail } from "../../support/made_events.ts";
import { TemporaryPostgresLedger } from "../../support/temporary_postgres_ledger.ts";

Deno.test.beforeAll(async () => {
  await sharedPostgres();
});

/** A ledger whose commits of decisions wait for us. */
class Held {
  readonly commits: { readonly carryOut: () => void; readonly fail: (error: Error) => void }[] = [];
  isHolding = false;
  woken = 0;
  readonly #opened: TemporaryPostgresLedger;
  ledger!: PostgresLedger;

  constructor(opened: TemporaryPostgresLedger) {
    this.#opened = opened;
  }

  async open(): Promise<this> {
    const { client } = this.#opened;
    const queries: Queries = {
      rows: async (sql, parameters) => {
        if (sql === WRITE_FACTS && this.isHolding) {
          await new Promise<void>((carryOut, fail) => this.commits.push({ carryOut, fail }));
        }
        return await client.rows(sql, parameters);
      },
    };
    const leases = new HeldLeases();
    this.ledger = await PostgresLedger.open({ queries, leases, now: () => 0, onCommitted: () => this.woken++ });
    await this.ledger.activate(["p"]);
    for (const name of ["facts", pluginLease("p")]) {
      await client.rows("UPDATE lease SET holder = NULL WHERE name = $1", [name]);
      leases.begin((await takeLease(queries, { name, id: "test", leaseSeconds: 3600 }))!);
      this.ledger.begin(name);
    }
    await this.ready();
    return this;
  }

  async record(...ids: readonly string[]): Promise<void> {
    await this.ledger.record(ids.map((id) => ({ receivedAt: 0, notification: madeNotification(id) })));
  }

  /** Decides one notification, which announces an event that all others wait for. */
  decide(): Promise<number> {
    return this.ledger.decide(1, ({ messageId }) => decisionOf([madeEvent(messageId)]), promptDetail);
  }

  async ready(): Promise<readonly string[]> {
    return (await this.ledger.ready({ plugin: "p", now: 1, limit: 10 })).map(({ event }) => event.key);
  }

  async commit(): Promise<{ readonly carryOut: () => void; readonly fail: (error: Error) => void }> {
    while (this.commits.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    return this.commits.shift()!;
  }

  async events(): Promise<readonly unknown[]> {
    return (await this.#opened.client.rows("SELECT key FROM event ORDER BY seq")).map(({ key }) => key);
  }
}

Deno.test("a batch is decided while the one before is committed, and delivered when it is", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new Held(opened).open();
  await held.record("a", "b", "c");
  held.isHolding = true;
  assert.equal(await held.decide(), 1);
  assert.deepEqual([await held.events(), await held.ready(), held.woken], [[], [], 0]);
  const second = held.decide();
  (await held.commit()).carryOut();
  assert.equal(await second, 1);
  assert.deepEqual([await held.events(), await held.ready(), held.woken], [["a"], ["a"], 1]);
  // The last one is committed before it is said to be decided.
  const third = held.decide();
  (await held.commit()).carryOut();
  (await held.commit()).carryOut();
  assert.equal(await third, 1);
  assert.deepEqual([await held.events(), await held.ready(), held.woken], [["a", "b", "c"], ["a", "b", "c"], 3]);
  assert.equal(await held.decide(), 0);
});

Deno.test("a commit that fails behind a decision is told to the next, and both are decided anew", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new Held(opened).open();
  await held.record("a", "b", "c");
  held.isHolding = true;
  assert.equal(await held.decide(), 1);
  const second = held.decide();
  (await held.commit()).fail(new LedgerUnavailable("the connection was lost"));
  await assert.rejects(second, LedgerUnavailable);
  held.isHolding = false;
  assert.deepEqual([await held.decide(), await held.decide(), await held.decide()], [1, 1, 1]);
  assert.deepEqual(await held.events(), ["a", "b", "c"]);
  assert.deepEqual(await held.ready(), ["a", "b", "c"]);
});

Deno.test("what was decided before and is committed late by another's epoch is told as a lost lease", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new Held(opened).open();
  await held.record("a", "b");
  held.isHolding = true;
  assert.equal(await held.decide(), 1);
  const second = held.decide();
  const commit = await held.commit();
  await opened.client.rows("UPDATE lease SET epoch = epoch + 1, holder = 'another' WHERE name = 'facts'");
  commit.carryOut();
  await assert.rejects(second, LeaseLost);
  assert.deepEqual(await held.events(), []);
});

Deno.test("calls of other kinds see what was decided before", async () => {
  await using opened = await TemporaryPostgresLedger.open();
  const held = await new Held(opened).open();
  await held.record("a", "b");
  held.isHolding = true;
  const decideWithout = () => held.ledger.decide(1, ({ messageId }) => decisionOf([madeEvent(messageId)]));
  assert.equal(await decideWithout(), 1);
  const undetailed = held.ledger.undetailed(10);
  (await held.commit()).carryOut();
  assert.deepEqual((await undetailed).map(({ event }) => event.key), ["a"]);
});
