import { LazyClient } from "../lazy_client.ts";
import { refuseProblems } from "../options/option_rules.ts";
import type { LdapClient, LdapCondition, LdapSearch } from "./ldap_client.ts";
import type { LdapChange, LdapEntry } from "./ldap_entry.ts";
import { ldapOptionProblems, type LdapTargetOptions } from "./ldap_options.ts";
import type { LdapName } from "./ldap_renaming.ts";

export type { LdapCondition, LdapSearch, LdapTargetOptions };

/**
 * A client for a directory on one or several servers. All operations share one connection, which is
 * opened again when it is lost. Failures are thrown as a `DeliveryError`, or as a `PermanentError`
 * if a retry cannot help, and hold no secret.
 *
 * @example
 * ```ts
 * import { LdapTarget, type LdapTargetOptions } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * const options: LdapTargetOptions = { url: "ldaps://ldap.example.com", bindDn: "cn=watcher,dc=example,dc=com", password: "s3cret" };
 * await using target = new LdapTarget(options);
 *
 * assert.ok(target);
 * assert.deepEqual(LdapTarget.problems({ ...options, password: "" }), ["password: must be a text that is not empty"]);
 * ```
 */
export class LdapTarget implements AsyncDisposable {
  readonly #client: LazyClient<LdapClient>;

  /**
   * The problems for which the constructor would refuse these options: `option: what is allowed`
   * each, never with a value.
   */
  static problems(options: LdapTargetOptions): string[] {
    return ldapOptionProblems(options);
  }

  /**
   * Does no I/O: files are read and servers are contacted at the first operation.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: LdapTargetOptions) {
    refuseProblems("Cannot make LdapTarget", LdapTarget.problems(options));
    this.#client = new LazyClient(async () => {
      const { LdapClient } = await import("./ldap_client.ts");
      return new LdapClient(options);
    });
  }

  /** Adds an entry. `false`: there is one of that name. */
  async add(entry: LdapEntry, signal: AbortSignal): Promise<boolean> {
    return await (await this.#client.loaded()).add(entry, signal);
  }

  /** Changes an entry. `false`: there is none of that name. */
  async modify(dn: string, changes: readonly LdapChange[], condition: LdapCondition): Promise<boolean> {
    return await (await this.#client.loaded()).modify(dn, changes, condition);
  }

  /**
   * Gives an entry another name, which may be below another entry. The values of its old name go.
   * `false`: there is one of that name.
   */
  async rename(dn: string, name: LdapName, condition: LdapCondition): Promise<boolean> {
    return await (await this.#client.loaded()).rename(dn, name, condition);
  }

  /** Removes an entry. `false`: there is none of that name. */
  async remove(dn: string, condition: LdapCondition): Promise<boolean> {
    return await (await this.#client.loaded()).remove(dn, condition);
  }

  /** The entries that a filter finds. Referrals to other servers are not followed. */
  async search(search: LdapSearch, signal: AbortSignal): Promise<readonly LdapEntry[]> {
    return await (await this.#client.loaded()).search(search, signal);
  }

  /**
   * The entries that a filter finds, in pages of 500 (RFC 2696). All pages come over one
   * connection, so the search fails when that is lost.
   */
  async *searchPages(search: LdapSearch, signal: AbortSignal): AsyncGenerator<readonly LdapEntry[], void> {
    yield* (await this.#client.loaded()).searchPages(search, signal);
  }

  /** Closes the connection. A later operation opens a new one. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
