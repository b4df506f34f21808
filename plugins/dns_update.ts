import { DnsTarget, type DnsTargetOptions, givenOptions, optional, optionProblems } from "../src/kit/targets.ts";
import { refuseProblems } from "../src/kit/targets.ts";
import { DNS_RECORDS_RULES, DNS_ZONES, type DnsRecordsOptions, isZones, zoneNames } from "./dns_options.ts";
import { DnsPlugin } from "./dns_plugin.ts";
import { otherOptions } from "./other_options.ts";

/** Options of `DnsUpdate`, with those of `DnsTarget`: `server`, `keyName`, `keySecret`, … */
export interface DnsUpdateOptions extends DnsTargetOptions, DnsRecordsOptions {
  /**
   * Zones that may be written, forward and reverse: `["cloud.example.com", "113.0.203.in-addr.arpa"]`.
   * A name goes to the longest that it is in. Tenants can have any unused name of these.
   * @default the zones of the server, found by their SOA records
   */
  readonly zones?: readonly string[];
}

const RULES = { ...DNS_RECORDS_RULES, zones: optional(isZones, DNS_ZONES) };

/**
 * Keeps the names and addresses of servers in the DNS by signed UPDATE messages (RFC 2136, RFC
 * 8945): A, AAAA and PTR records, and beside each name a TXT record that says whose it is. Names
 * that others own are never changed, and a deletion removes what was written. Every event may come
 * twice. docs/DNS.md says what the name server needs.
 *
 * @example
 * ```ts
 * import { type DnsAddresses, DnsUpdate, type DnsUpdateOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const addresses: DnsAddresses = (address) => address.network === "public";
 * const options: DnsUpdateOptions = {
 *   server: ["ns1.example.com", "ns2.example.com"],
 *   keyName: "oss-watcher",
 *   keySecret: "czNjcmV0",
 *   zones: ["cloud.example.com", "113.0.203.in-addr.arpa"],
 *   addresses,
 * };
 *
 * assert.equal(new DnsUpdate(options).name, "DnsUpdate");
 * assert.throws(() => new DnsUpdate({ ...options, zones: [] }), /zones: must be a list of zones' names/);
 * ```
 */
export class DnsUpdate extends DnsPlugin {
  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: DnsUpdateOptions) {
    const { zones, name = "DnsUpdate" } = givenOptions("DnsUpdate", options);
    const target = otherOptions(options, RULES) as unknown as DnsTargetOptions;
    refuseProblems("Cannot make DnsUpdate", [...optionProblems(options, RULES), ...DnsTarget.problems(target)]);
    super(
      { ...options, name },
      async () => new (await import("./dns_update_zones.ts")).DnsUpdateZones(target, zones && zoneNames(zones)),
    );
  }
}
