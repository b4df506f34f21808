// Times in which the machine was too slow for a lease of seconds, measured from outside of the service.
import postgres from "postgres";
import type { PostgresServer } from "../../tools/postgres/server.ts";
import type { FaultLog } from "./faults.ts";
import { sleep } from "./witness.ts";

/** A commit, or a pause of this process, that takes as long is a stall: a lease of 3 s is renewed each second. */
const STALL_MS = 700;
const EVERY_MS = 200;

/** Linux' pressure stall information: in so much of the last 10 s, something waited for a processor, in percent. */
const OVERLOADED = /^some avg10=(?:[89]\d|100)\./;

async function isOverloaded(): Promise<boolean> {
  return OVERLOADED.test(await Deno.readTextFile("/proc/pressure/cpu").catch(() => ""));
}

/** Notes stalls as faults, until it is disposed of. */
export class StallWatch implements AsyncDisposable {
  readonly #faults: FaultLog;
  readonly #sql: postgres.Sql;
  #isOver = false;
  readonly #watching: Promise<void>;

  constructor(faults: FaultLog, { url }: PostgresServer) {
    this.#faults = faults;
    this.#sql = postgres(url, { max: 1, backoff: () => 0.2, onnotice: () => {} });
    this.#watching = this.#watch();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#watching;
    await this.#sql.end({ timeout: 0 });
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      if (await isOverloaded()) {
        this.#faults.all.push({ of: "postgres", kind: "slow", from: Date.now() - 10_000, to: Date.now() });
      }
      await this.#timed(() => this.#commit());
      await this.#timed(() => sleep(EVERY_MS), EVERY_MS);
    }
  }

  async #timed(act: () => Promise<unknown>, usualMs = 0): Promise<void> {
    const from = Date.now();
    await act();
    const to = Date.now();
    if (to - from - usualMs >= STALL_MS) this.#faults.all.push({ of: "postgres", kind: "slow", from, to });
  }

  /** Something that PostgreSQL must write to disk before it answers. */
  async #commit(): Promise<void> {
    try {
      await this.#sql.unsafe("SELECT pg_logical_emit_message(true, 'stall', 'x')");
    } catch {
      // It was killed, which is a fault of its own.
    }
  }
}
