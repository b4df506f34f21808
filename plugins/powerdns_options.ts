import { HttpTarget, type HttpTargetOptions, matches, required } from "../src/kit/targets.ts";
import { withoutHeaders } from "../src/kit/targets.ts";
import { DNS_RECORDS_RULES, DNS_ZONES, type DnsRecordsOptions, isZones } from "./dns_options.ts";

/** Options of `PowerDns`, with those of `HttpTarget` but for its credentials: `caFile`, … */
export interface PowerDnsOptions
  extends DnsRecordsOptions, Omit<HttpTargetOptions, "user" | "password" | "bearer" | "maxAnswerBytes"> {
  /** The server's webserver, without `/api`: `https://ns1.example.com:8081`. */
  readonly url: string;
  /** The setting `api-key` of the server. */
  readonly apiKey: string;
  /**
   * Zones that may be written, forward and reverse: `["cloud.example.com", "113.0.203.in-addr.arpa"]`.
   * A name goes to the longest that it is in. Tenants can have any unused name of these.
   */
  readonly zones: readonly string[];
}

/** The rules of the plugin's own options. */
export const POWERDNS_RULES = {
  ...DNS_RECORDS_RULES,
  url: required(
    (value) => HttpTarget.isUrl(value) && !/[?#]/.test(value),
    "must be a full URL without user, password and query, as https://ns1.example.com:8081",
  ),
  apiKey: required(matches(/^[\x21-\x7e]+$/), "must be visible ASCII characters"),
  zones: required(isZones, DNS_ZONES),
};
/** The rule of `headers`, which are those of `HttpTarget`. */
export const POWERDNS_HEADERS = { headers: withoutHeaders("x-api-key", "content-type") };
