import { isRecord } from "../model/is_record.ts";
import * as v from "valibot";
import { bareHost } from "../model/bracketed_host.ts";
import { DEFAULT_METRICS } from "../model/config.ts";
import { DEFAULT_CONSOLE } from "../model/console_config.ts";
import type { ConsoleGroups, ConsoleOptions, ConsoleTls, TrustedProxy } from "../model/console_config.ts";
import { isLoopback } from "../wire/addresses/loopback.ts";
import { readNetwork } from "../wire/addresses/network.ts";
import { type Fields, type Finding, list, type SchemasOf, strict, text, wholeNumber } from "./parts.ts";

const HOST = text("an address or a name of this machine", /^[^\s/@]+$/);
const HEADER = text("the name of a header", /^[\w!#$%&'*+.^`|~-]+$/);
const GROUPS = list(text("the name of a group, without commas", /^[^\s,](?:[^,]*[^\s,])?$/), "a list of groups");

const ADDRESS = `an address as "10.0.0.7", or a network as "10.0.0.0/24"`;

const tls = strict({ certFile: text(), keyFile: text() } satisfies SchemasOf<ConsoleTls>);

const trustedProxy = strict(
  {
    addresses: list(
      v.pipe(
        v.string(ADDRESS),
        v.check((value) => readNetwork(value) !== null, ADDRESS),
        v.check(
          (value) => readNetwork(value)?.prefix !== 0,
          "some addresses, not all: anybody could write the headers",
        ),
      ),
      "a list of the proxy's addresses, at least one",
    ),
    userHeader: v.optional(HEADER),
    groupsHeader: v.optional(HEADER),
  } satisfies SchemasOf<TrustedProxy>,
);

const groups = strict(
  { operator: v.optional(GROUPS), viewer: v.optional(GROUPS) } satisfies SchemasOf<ConsoleGroups>,
);

const URL_TEXT = "http://… or https://…, without a path";
const SESSION_HOURS = "a number from 0.1 to 720";

/** `console`. */
export const consoleSection = strict(
  {
    host: v.optional(HOST),
    port: v.optional(wholeNumber(0, 65_535)),
    url: v.optional(
      v.pipe(text(URL_TEXT, /^https?:\/\/[^\s/@?#]+$/), v.check((value) => URL.canParse(value), URL_TEXT)),
    ),
    allowedHosts: v.optional(
      list(text("a name or an address, without a port", /^(?!.*\*)(?![^:]*:\d*$)[^\s/@]+$/), "a list of names"),
    ),
    tls: v.optional(tls),
    trustedProxy: v.optional(trustedProxy),
    groups: v.optional(groups),
    sessionHours: v.optional(
      v.pipe(v.number(SESSION_HOURS), v.minValue(0.1, SESSION_HOURS), v.maxValue(720, SESSION_HOURS)),
    ),
  } satisfies SchemasOf<ConsoleOptions>,
  exposureFindings,
  groupFindings,
);

/** A password-less page for everybody on the network must not be possible by mistake. */
function exposureFindings({ host, tls, trustedProxy }: Fields): Finding[] {
  if (typeof host !== "string" || isLoopback(host) || tls !== undefined || trustedProxy !== undefined) return [];
  return [{
    keys: ["host"],
    message: `"${host}" can be reached by others: it needs tls: { certFile, keyFile }, or trustedProxy, which ` +
      "signs operators in. Or leave host out: the console then listens on the loopback address",
  }];
}

function groupFindings({ trustedProxy, groups }: Fields): Finding[] {
  if (trustedProxy === undefined) {
    return groups === undefined
      ? []
      : [{ keys: ["groups"], message: "needs trustedProxy, which tells the groups of a user" }];
  }
  const named = isRecord(groups) ? Object.values(groups).filter((value) => value !== undefined) : [];
  return named.length > 0
    ? []
    : [{ keys: ["trustedProxy"], message: "needs groups: { operator: […], viewer: […] }: nobody could sign in" }];
}

/** The console and the metrics cannot listen at the same place. */
export function portFindings({ console, metrics }: Fields): Finding[] {
  if (console === false || metrics === false) return [];
  const [own, other] = [placeOf(console, DEFAULT_CONSOLE), placeOf(metrics, DEFAULT_METRICS)];
  const isSame = own.port !== 0 && own.port === other.port &&
    (own.host === other.host || [own.host, other.host].some((host) => WILDCARDS.includes(host)));
  if (!isSame) return [];
  const message = `${own.port} is the port of metrics, too: set another one, or 0 for any free port`;
  return [{ keys: ["console", "port"], message }];
}

const WILDCARDS: readonly unknown[] = ["0.0.0.0", "::"];

function placeOf(section: unknown, defaults: { readonly host: string; readonly port: number }): Fields {
  const { host = defaults.host, port = defaults.port } = isRecord(section) ? section : {};
  return { host: typeof host !== "string" ? host : isLoopback(host) ? defaults.host : bareHost(host), port };
}
