import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../model/errors.ts";
import { LedgerUnavailable } from "../../model/ledger.ts";
import { COPYING, unfinishedCopy } from "../copy/copy_store.ts";
import type { Queries } from "./client.ts";
import { look, type SeenLease, takeLease } from "./lease_table.ts";

/** The lease of a ledger that is copied, or copied to: no service works with it meanwhile. */
export const COPY_LEASE = "copy";

/** Time after which a copy that was killed keeps nobody out any more. */
const LEASE_SECONDS = 15;
const RENEW_MS = 3000;
const POLL_MS = 500;

/**
 * Takes the ledger away from services, until it is given back. First the lease, then a look at who is
 * there; a service registers first, then looks for the lease. So one of the two sees the other.
 */
export class CopyLease implements AsyncDisposable {
  readonly id: string = crypto.randomUUID();
  readonly #queries: Queries;
  readonly #place: string;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isLost = false;

  constructor(queries: Queries, place: string) {
    this.#queries = queries;
    this.#place = place;
  }

  /**
   * @param onWait Called when another copy has it: one that was killed has it until it expires.
   * @throws {UserError} when a service, or another copy, works with the ledger.
   */
  async take(onWait: (seconds: number) => void): Promise<void> {
    const waitSeconds = LEASE_SECONDS + 2;
    const untilMs = performance.now() + waitSeconds * 1000;
    let isWaiting = false;
    while (await takeLease(this.#queries, { name: COPY_LEASE, id: this.id, leaseSeconds: LEASE_SECONDS }) === null) {
      if (!isWaiting) onWait(waitSeconds);
      isWaiting = true;
      if (performance.now() > untilMs) throw this.#refused("another copy of it, or to it, is running. Wait for that");
      await sleep(POLL_MS);
    }
    this.#timer = setInterval(() => void this.#renew(), RENEW_MS);
    const { processes } = await look(this.#queries);
    const names = processes.filter(({ isLiving }) => isLiving).map(({ name }) => `"${name}"`);
    if (names.length === 0) return;
    throw this.#refused(
      `the service runs with it: ${names.join(", ")}. Stop it first; one that was killed counts as running for ` +
        "leaseSeconds",
    );
  }

  /** @throws {UserError} when a service may have taken the ledger: the process slept for too long. */
  check(): void {
    if (this.#isLost) throw this.lost();
  }

  /** As {@linkcode check}, by asking the server. */
  async confirm(): Promise<void> {
    const renewed = await this.#queries.rows(RENEW, [COPY_LEASE, this.id, LEASE_SECONDS]);
    if (renewed.length === 0) this.#isLost = true;
    this.check();
  }

  lost(): UserError {
    return this.#refused("this process had no word of its server for too long. Run the same command again");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    // Without it, the lease expires.
    await this.#queries.rows("DELETE FROM lease WHERE name = $1 AND holder = $2", [COPY_LEASE, this.id]).catch(
      () => {},
    );
  }

  async #renew(): Promise<void> {
    try {
      await this.confirm();
    } catch (error) {
      // The next one may succeed.
      if (!(error instanceof LedgerUnavailable)) this.#isLost = true;
    }
  }

  #refused(why: string): UserError {
    return new UserError(`Cannot copy the ledger ${this.#place}: ${why}`);
  }
}

/**
 * SQL: a row while no other copy has taken the lease from process `parameter`. Services keep away from
 * what it writes to by its mark, also when the lease has expired.
 */
export function holdsCopyLease(parameter: string): string {
  return `SELECT 1 FROM lease WHERE name = '${COPY_LEASE}' AND holder = ${parameter} FOR SHARE`;
}

/** Whether a command copies the ledger, or copies to it. */
export function isBeingCopied(leases: readonly SeenLease[]): boolean {
  return leases.some(({ name, holder }) => name === COPY_LEASE && holder !== null);
}

/**
 * @throws {UserError} when the ledger is an unfinished copy, or is being copied.
 */
export async function refuseCopies(queries: Queries, place: string): Promise<void> {
  const [row] = await queries.rows(STATE, [COPYING, COPY_LEASE]);
  const mark = row?.["mark"] ?? null;
  if (row?.["is_held"] === true) throw new UserError(`Cannot open the ledger ${place}: ${BEING_COPIED}`);
  if (mark !== null) throw new UserError(`Cannot open the ledger ${place}: ${unfinishedCopy(String(mark))}`);
}

export const BEING_COPIED = '"oss-watcher ledger copy" is copying it, or to it. Wait until that has ended';

/** One that has expired is still ours if nobody took it, and no service was seen since it was renewed last. */
const RENEW = `UPDATE lease AS l SET expires_at = clock_timestamp() + make_interval(secs => $3::integer)
  WHERE name = $1 AND holder = $2 AND (expires_at > clock_timestamp() OR NOT EXISTS (
    SELECT 1 FROM process WHERE seen_at > l.expires_at - make_interval(secs => $3::integer)))
  RETURNING 1`;

const STATE = `SELECT (SELECT value FROM fact WHERE name = $1) AS mark,
  EXISTS (SELECT 1 FROM lease WHERE name = $2 AND holder IS NOT NULL AND expires_at > clock_timestamp()) AS is_held`;
