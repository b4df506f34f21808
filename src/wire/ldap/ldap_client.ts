import { DeliveryError } from "../../model/errors.ts";
import { printable } from "../escaping/printable.ts";
import { assertion } from "./ldap_assertion.ts";
import type { LdapChange, LdapEntry } from "./ldap_entry.ts";
import { LdapFailures, RESULT, resultCode } from "./ldap_failure.ts";
import { type LdapTargetOptions, urlsOf } from "./ldap_options.ts";
import type { LdapName } from "./ldap_renaming.ts";
import { type LdapConnection, type LdapLibrary, LdapSession, SessionOver } from "./ldap_session.ts";

/** What to look for, and where (RFC 4511, 4.5). */
export interface LdapSearch {
  /** The DN of the entry where the search begins. */
  readonly base: string;
  /** `base`: that entry; `sub`: it and all below it. @default "sub" */
  readonly scope?: "base" | "sub";
  /** As in RFC 4515; values go through `filterValue`. */
  readonly filter: string;
  /** Names of the attributes to read. Empty: none. */
  readonly attributes: readonly string[];
}

/** The condition for changing an entry, and the end of the wait. */
export interface LdapCondition {
  /**
   * A filter (RFC 4515) that the entry must match when it is changed. Servers without assertions
   * (RFC 4528), as 389 Directory Server, ignore it.
   */
  readonly only?: string;
  /** Ends the wait for the answer. */
  readonly signal: AbortSignal;
}

/** Entries of one page: some are below the limits that servers have for pages. */
const PAGE_SIZE = 500;

interface OperationRequest {
  readonly verb: string;
  readonly dn: string;
  /** The result code that counts as a normal answer. */
  readonly acceptedCode?: number;
  readonly signal: AbortSignal;
}

type Operation<Answer> = (client: LdapConnection, library: LdapLibrary) => Promise<Answer>;

/** Answers after which another server may do better. */
const MOVE_ON: ReadonlySet<number | undefined> = new Set([
  RESULT.referral,
  RESULT.busy,
  RESULT.unavailable,
  RESULT.unwillingToPerform,
]);

/** What `LdapTarget` does, with the modules that connect. */
export class LdapClient implements AsyncDisposable {
  readonly #options: LdapTargetOptions;
  readonly #urls: readonly string[];
  readonly #timeoutSeconds: number;
  readonly #failures: LdapFailures;
  /** Index of the server to try first. */
  #first = 0;
  #session: Promise<LdapSession> | undefined;

  /** @param options Checked ones. */
  constructor(options: LdapTargetOptions) {
    this.#options = options;
    this.#urls = urlsOf(options);
    this.#timeoutSeconds = options.timeoutSeconds ?? 10;
    this.#failures = new LdapFailures(options.password === undefined ? [] : [options.password]);
  }

  add({ dn, attributes }: LdapEntry, signal: AbortSignal): Promise<boolean> {
    const values = Object.fromEntries([...attributes].map(([name, texts]) => [name, [...texts]]));
    const what = { verb: "add", dn, acceptedCode: RESULT.alreadyExists, signal };
    return this.#run(what, async (client) => {
      await client.add(dn, values);
      return true;
    });
  }

  modify(dn: string, changes: readonly LdapChange[], { only, signal }: LdapCondition): Promise<boolean> {
    return this.#run({ verb: "modify", dn, acceptedCode: RESULT.noSuchObject, signal }, async (client, library) => {
      const { Attribute, Change } = library;
      const wanted = changes.map(({ operation, attribute, values }) =>
        new Change({ operation, modification: new Attribute({ type: attribute, values: [...values] }) })
      );
      await client.modify(dn, wanted, controls(library, only));
      return true;
    });
  }

  rename(dn: string, { rdn, parent }: LdapName, { only, signal }: LdapCondition): Promise<boolean> {
    const request = { verb: "rename", dn, acceptedCode: RESULT.alreadyExists, signal };
    return this.#run(request, async (client, library) => {
      // The library splits the new name at its first comma: an RDN must have none, escaped or not.
      await client.modifyDN(dn, parent === undefined ? rdn : `${rdn},${parent}`, controls(library, only));
      return true;
    });
  }

  remove(dn: string, { only, signal }: LdapCondition): Promise<boolean> {
    return this.#run({ verb: "remove", dn, acceptedCode: RESULT.noSuchObject, signal }, async (client, library) => {
      await client.del(dn, controls(library, only));
      return true;
    });
  }

  async search(
    { base, scope = "sub", filter, attributes }: LdapSearch,
    signal: AbortSignal,
  ): Promise<readonly LdapEntry[]> {
    const timeLimit = Math.ceil(this.#timeoutSeconds);
    const found = await this.#run({ verb: "search", dn: base, signal }, async (client) => {
      const wanted = attributes.length === 0 ? ["1.1"] : [...attributes];
      return (await client.search(base, { scope, filter, attributes: wanted, timeLimit })).searchEntries;
    });
    return (found || []).map(entryOf);
  }

  async *searchPages(
    { base, scope = "sub", filter, attributes }: LdapSearch,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LdapEntry[], void> {
    const request = { verb: "list", dn: base, signal };
    const options = { scope, filter, attributes: [...attributes], timeLimit: Math.ceil(this.#timeoutSeconds) };
    const session = await this.#sessionFor(request);
    let pages: ReturnType<LdapConnection["searchPaginated"]> | undefined;
    for (;;) {
      const page = await this.#runOn(session, request, (client) => {
        pages ??= client.searchPaginated(base, { ...options, paged: { pageSize: PAGE_SIZE } });
        return pages.next();
      });
      if (page === false || page.done) return;
      yield page.value.searchEntries.map(entryOf);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    (await session?.catch(() => undefined))?.close();
  }

  /**
   * `false` when the server answers with `acceptedCode`. An operation that was interrupted
   * because another one ended the connection is repeated once on a new connection.
   */
  async #run<Answer>(wanted: OperationRequest, operation: Operation<Answer>): Promise<Answer | false> {
    try {
      return await this.#runOnce(wanted, operation);
    } catch (error) {
      if (!(error instanceof DeliveryError && error.cause instanceof SessionOver)) throw error;
      return await this.#runOnce(wanted, operation);
    }
  }

  async #runOnce<Answer>(request: OperationRequest, operation: Operation<Answer>): Promise<Answer | false> {
    return await this.#runOn(await this.#sessionFor(request), request, operation);
  }

  async #sessionFor({ verb, dn, signal }: OperationRequest): Promise<LdapSession> {
    return await orAborted(this.#connected(), signal).catch((error) => {
      throw signal.aborted ? this.#failures.ended(cannotDo(verb, dn), signal.reason) : error;
    });
  }

  async #runOn<Answer>(
    session: LdapSession,
    { verb, dn, acceptedCode, signal }: OperationRequest,
    operation: Operation<Answer>,
  ): Promise<Answer | false> {
    const cannot = cannotDo(verb, dn);
    try {
      return await session.run(operation, { signal, timeoutSeconds: this.#timeoutSeconds });
    } catch (error) {
      if (acceptedCode !== undefined && resultCode(error) === acceptedCode) return false;
      if (signal.aborted) throw this.#failures.ended(cannot, signal.reason);
      if (error instanceof SessionOver) {
        throw new DeliveryError(`${cannot}: ${error.message}`, { reason: "other", cause: error });
      }
      const isLate = error instanceof Error && error.name === "TimeoutError";
      if (isLate || MOVE_ON.has(resultCode(error))) this.#moveOn(session);
      const where = `${cannot} on ${session.url}`;
      throw isLate ? this.#failures.ended(where, error) : this.#failures.failed(where, error);
    }
  }

  /** The open session, or a new one that all callers share. */
  #connected(): Promise<LdapSession> {
    if (this.#session === undefined) {
      const forget = () => {
        if (this.#session === opened) this.#session = undefined;
      };
      const opened = this.#open(forget);
      this.#session = opened;
      opened.catch(forget);
    }
    return this.#session;
  }

  /**
   * Tries one server after the other, until one refuses our credentials: further failed logins
   * would lock the account.
   */
  async #open(onOver: () => void): Promise<LdapSession> {
    const failures: DeliveryError[] = [];
    for (let turn = 0; turn < this.#urls.length; turn++) {
      const at = (this.#first + turn) % this.#urls.length;
      const url = this.#urls[at] as string;
      try {
        const session = await LdapSession.open(url, this.#options, onOver);
        this.#first = at;
        return session;
      } catch (error) {
        const failure = this.#failures.refused(this.#cannotOpen(url, error), error);
        if (failure.reason === "unauthorized") throw failure;
        failures.push(failure);
      }
    }
    throw new DeliveryError(failures.map(({ message }) => message).join("; "), {
      reason: failures[0]?.reason ?? "connection",
    });
  }

  #cannotOpen(url: string, error: unknown): string {
    const { bindDn, certFile } = this.#options;
    return resultCode(error) === undefined
      ? `Cannot connect to ${url}`
      : `Cannot bind to ${url} as "${bindDn ?? certFile}"`;
  }

  #moveOn(session: LdapSession): void {
    if (this.#urls[this.#first] === session.url) this.#first = (this.#first + 1) % this.#urls.length;
    session.retire();
  }
}

function cannotDo(verb: string, dn: string): string {
  return `Cannot ${verb} "${printable(dn, 200)}"`;
}

function entryOf({ dn, ...values }: Awaited<ReturnType<LdapConnection["search"]>>["searchEntries"][number]): LdapEntry {
  const attributes = Object.entries(values).map(([name, value]) => [name, [value].flat().map(String)] as const);
  return { dn, attributes: new Map(attributes) };
}

/**
 * Resolves to the promise's value, or rejects when the signal is aborted first; the work behind the
 * promise goes on.
 */
async function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function controls(library: LdapLibrary, only: string | undefined): ReturnType<typeof assertion>[] {
  return only === undefined ? [] : [assertion(library, only)];
}
