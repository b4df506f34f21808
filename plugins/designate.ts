import { givenOptions, OpenStackTarget, type OpenStackTargetOptions, optionProblems } from "../src/kit/targets.ts";
import { refuseProblems } from "../src/kit/targets.ts";
import { DESIGNATE_RULES, type DesignateOptions } from "./designate_options.ts";
import { zoneNames } from "./dns_options.ts";
import { DnsPlugin } from "./dns_plugin.ts";
import { otherOptions } from "./other_options.ts";

/**
 * Keeps the names and addresses of servers in Designate, OpenStack's DNS, by its API v2: A, AAAA and
 * PTR records, and beside each name a TXT record that says whose it is. Names that others own are
 * never changed, and a deletion removes what was written. Every event may come twice. docs/DNS.md
 * says which rights it needs.
 *
 * @example
 * ```ts
 * import { Designate, type DesignateOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: DesignateOptions = {
 *   openstack: { cloud: "admin" },
 *   zones: ["cloud.example.com", "113.0.203.in-addr.arpa"],
 *   projectZones: true,
 *   addresses: "floating",
 * };
 *
 * assert.equal(new Designate(options).name, "Designate");
 * assert.throws(() => new Designate({ openstack: {} }), /zones: this or projectZones is needed/);
 * ```
 */
export class Designate extends DnsPlugin {
  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: DesignateOptions) {
    const { zones = [], projectZones = false, name = "Designate" } = givenOptions("Designate", options);
    const login = otherOptions(options, DESIGNATE_RULES) as unknown as OpenStackTargetOptions;
    refuseProblems("Cannot make Designate", [
      ...optionProblems(options, DESIGNATE_RULES),
      ...OpenStackTarget.problems(login),
    ]);
    super({ ...options, name }, async () => {
      const { DesignateZones } = await import("./designate_zones.ts");
      return new DesignateZones(new OpenStackTarget("Designate", login), { zones: zoneNames(zones), projectZones });
    });
  }
}
