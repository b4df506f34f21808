import { LazyClient } from "../lazy_client.ts";
import { refuseProblems } from "../options/option_rules.ts";
import type { DnsClient } from "./dns_client.ts";
import { dnsOptionProblems, type DnsServer, type DnsTargetOptions, serversOf, serverText } from "./dns_options.ts";
import type { DnsRecord, DnsRecordType } from "./dns_record.ts";
import type { DnsZoneUpdate } from "./dns_update_message.ts";

export type { DnsTargetOptions };

/**
 * A client for the primary servers of zones. Every message is signed (TSIG, RFC 8945) and goes over
 * TCP; an answer that is not signed with the same key is not believed. Failures are thrown as a
 * `DeliveryError`, or as a `PermanentError` if a retry cannot help, and hold no secret.
 *
 * @example
 * ```ts
 * import { DnsTarget, type DnsTargetOptions } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * const options: DnsTargetOptions = { server: "127.0.0.1:1", keyName: "oss-watcher", keySecret: "czNjcmV0" };
 * const target = new DnsTarget(options);
 *
 * await assert.rejects(target.query("web-1.example.com", "A", AbortSignal.timeout(5000)), { reason: "connection" });
 * assert.deepEqual(DnsTarget.problems({ ...options, keySecret: "" }), ["keySecret: must be the secret of a key, in base64"]);
 * ```
 */
export class DnsTarget {
  readonly #servers: readonly DnsServer[];
  readonly #client: LazyClient<DnsClient>;

  /**
   * The problems for which the constructor would refuse these options: `option: what is allowed`
   * each, never with a value.
   */
  static problems(options: DnsTargetOptions): string[] {
    return dnsOptionProblems(options);
  }

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: DnsTargetOptions) {
    refuseProblems("Cannot make DnsTarget", DnsTarget.problems(options));
    this.#servers = serversOf(options);
    this.#client = new LazyClient(async () => {
      const { DnsClient } = await import("./dns_client.ts");
      return new DnsClient(options);
    });
  }

  /** The servers, as `host:port` each. */
  get addresses(): readonly string[] {
    return this.#servers.map(serverText);
  }

  /**
   * The records of a name and a type. Empty: there are none. `null`: the server has no authority
   * over the name, as below a zone that it delegates.
   */
  async query(name: string, type: DnsRecordType, signal: AbortSignal): Promise<readonly DnsRecord[] | null> {
    return await (await this.#client.loaded()).query(name, type, signal);
  }

  /**
   * The zone of a name: the server's own zone that the name is in. `null`: the server has none with
   * authority, or only an empty one that it serves by default (RFC 6303).
   */
  async zoneOf(name: string, signal: AbortSignal): Promise<string | null> {
    return await (await this.#client.loaded()).zoneOf(name, signal);
  }

  /**
   * Changes a zone in one step. `false`: a prerequisite does not hold, and nothing was changed.
   *
   * @throws {PermanentError} when the server will never do it.
   * @throws {DeliveryError} when no server does it at present.
   */
  async update(update: DnsZoneUpdate, signal: AbortSignal): Promise<boolean> {
    return await (await this.#client.loaded()).update(update, signal);
  }

  /**
   * Reads a whole zone (AXFR, RFC 5936). Records of types other than A, AAAA, PTR and TXT are left
   * out. Throws when the transfer ends before its last record.
   */
  async *transfer(zone: string, signal: AbortSignal): AsyncGenerator<DnsRecord, void> {
    yield* (await this.#client.loaded()).transfer(zone, signal);
  }
}
