import type { Queries, Row } from "../../src/ledger/postgres/client.ts";
import { WRITE_FACTS } from "../../src/ledger/postgres/facts_statement.ts";
import { HeldLeases } from "../../src/ledger/postgres/held_leases.ts";
import { PostgresLedger } from "../../src/ledger/postgres/ledger.ts";
import { pluginLease } from "../../src/model/tenancy.ts";
import { decisionOf, madeEvent, madeNotification, promptDetail } from "./made_events.ts";
import { takeLeases, type TemporaryPostgresLedger } from "./temporary_postgres_ledger.ts";

/** A statement that waits for the test. */
export interface HeldStatement {
  readonly carryOut: () => void;
  readonly fail: (error: Error) => void;
}

/** A ledger whose commits of decisions, and answers to statements, wait for the test. */
export class HeldPostgresLedger {
  readonly commits: HeldStatement[] = [];
  isHolding = false;
  /** Answers to statements that begin so wait; `null`: none does. */
  heldAnswers: string | null = null;
  readonly answers: HeldStatement[] = [];
  woken = 0;
  onCommitted: () => void = () => {};
  readonly #opened: TemporaryPostgresLedger;
  readonly #leases = new HeldLeases();
  ledger!: PostgresLedger;

  constructor(opened: TemporaryPostgresLedger) {
    this.#opened = opened;
  }

  async open(): Promise<this> {
    const queries: Queries = { rows: (sql, parameters) => this.#rows(sql, parameters) };
    this.ledger = await PostgresLedger.open({
      queries,
      leases: this.#leases,
      now: () => 0,
      onCommitted: () => {
        this.woken++;
        this.onCommitted();
      },
    });
    await this.ledger.activate(["p"]);
    await this.take("facts", pluginLease("p"));
    await this.ready();
    return this;
  }

  /** Takes leases, whoever has them. */
  async take(...names: readonly string[]): Promise<void> {
    await takeLeases({ client: this.#opened.client, ledger: this.ledger, leases: this.#leases }, names);
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

  commit(): Promise<HeldStatement> {
    return first(this.commits);
  }

  answer(): Promise<HeldStatement> {
    return first(this.answers);
  }

  async events(): Promise<readonly unknown[]> {
    return (await this.#opened.client.rows("SELECT key FROM event ORDER BY seq")).map(({ key }) => key);
  }

  async #rows(sql: string, parameters: Parameters<Queries["rows"]>[1]): Promise<readonly Row[]> {
    if (sql === WRITE_FACTS && this.isHolding) await held(this.commits);
    const rows = await this.#opened.client.rows(sql, parameters);
    if (this.heldAnswers !== null && sql.startsWith(this.heldAnswers)) await held(this.answers);
    return rows;
  }
}

function held(statements: HeldStatement[]): Promise<void> {
  return new Promise((carryOut, fail) => statements.push({ carryOut, fail }));
}

async function first(statements: HeldStatement[]): Promise<HeldStatement> {
  while (statements.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  return statements.shift()!;
}
