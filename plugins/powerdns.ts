import { givenOptions, HttpTarget, optionProblems, refuseProblems } from "../src/kit/targets.ts";
import { zoneNames } from "./dns_options.ts";
import { DnsPlugin } from "./dns_plugin.ts";
import { otherOptions } from "./other_options.ts";
import { otherCredentialProblems, withoutOtherCredentials } from "./http_credentials.ts";
import { POWERDNS_HEADERS, POWERDNS_RULES, type PowerDnsOptions } from "./powerdns_options.ts";

/**
 * Keeps the names and addresses of servers in a PowerDNS Authoritative Server by its HTTP API: A,
 * AAAA and PTR records, and beside each name a TXT record that says whose it is. Names that others
 * own are never changed, and a deletion removes what was written. Every event may come twice. The
 * API has no conditions: docs/DNS.md says what that means where several programs write a zone.
 *
 * @example
 * ```ts
 * import { PowerDns, type PowerDnsOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: PowerDnsOptions = {
 *   url: "https://ns1.example.com:8081",
 *   apiKey: "s3cret",
 *   zones: ["cloud.example.com", "113.0.203.in-addr.arpa"],
 *   addresses: "floating",
 * };
 *
 * assert.equal(new PowerDns(options).name, "PowerDns");
 * assert.throws(() => new PowerDns({ ...options, url: "ns1.example.com" }), /url: must be a full URL/);
 * ```
 */
export class PowerDns extends DnsPlugin {
  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: PowerDnsOptions) {
    const { url, apiKey, zones, name = "PowerDns" } = givenOptions("PowerDns", options);
    const http = withoutOtherCredentials(otherOptions(options, POWERDNS_RULES));
    refuseProblems("Cannot make PowerDns", [
      ...optionProblems(options, POWERDNS_RULES),
      ...optionProblems(options, POWERDNS_HEADERS),
      ...otherCredentialProblems(options),
      ...HttpTarget.problems(http),
    ]);
    super({ ...options, name }, async () => {
      const { PowerDnsZones } = await import("./powerdns_zones.ts");
      return new PowerDnsZones({ url, apiKey, zones: zoneNames(zones) }, http);
    });
  }
}
