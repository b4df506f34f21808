import {
  BOOLEAN,
  type GivenOptions,
  type OpenStackTargetOptions,
  optional,
  type OptionRules,
} from "../src/kit/targets.ts";
import { required } from "../src/kit/targets.ts";
import { DNS_RECORDS_RULES, DNS_ZONES, type DnsRecordsOptions, isZones } from "./dns_options.ts";

/** Options of `Designate`, with those of `OpenStackTarget`: `openstack`, `timeoutSeconds`. */
export interface DesignateOptions extends DnsRecordsOptions, OpenStackTargetOptions {
  /**
   * Zones of the login's project that may be written, forward and reverse. A name goes to the longest
   * that it is in. Tenants can have any unused name of these.
   */
  readonly zones?: readonly string[];
  /**
   * Whether names of a server may be in zones of the server's own project, too. Needs a login that
   * may act for other projects: an administrator's. PTR records go to `zones` alone. @default false
   */
  readonly projectZones?: boolean;
}

type OwnOption = Exclude<keyof DesignateOptions, keyof OpenStackTargetOptions>;

/** The rules of the plugin's own options. */
export const DESIGNATE_RULES: OptionRules<DesignateOptions, OwnOption> = {
  ...DNS_RECORDS_RULES,
  zones: [optional(isZones, DNS_ZONES), required(hasZones, "this or projectZones is needed")],
  projectZones: BOOLEAN,
};

function hasZones(_value: unknown, { zones, projectZones }: GivenOptions<DesignateOptions>): boolean {
  return zones !== undefined || projectZones === true;
}
