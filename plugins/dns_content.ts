import { type Detail, type DetailAddress, PermanentError } from "../mod.ts";
import { callUserFunction, dnsAddress, dnsHostName, printable, type UserFunction } from "../src/kit/mod.ts";
import type { DnsRecordsOptions } from "./dns_options.ts";
import type { DnsFacts } from "./dns_facts.ts";

/** The option `hostName`, and what its function may return. */
const RETURNS_NAME: UserFunction<string | null> = {
  option: "hostName",
  allows: (value): value is string | null => value === null || typeof value === "string",
  allowed: "a text or null",
};

/** The option `addresses`, and what its function may return. */
const RETURNS_CHOICE: UserFunction<boolean> = {
  option: "addresses",
  allows: (value): value is boolean => typeof value === "boolean",
  allowed: "true or false",
};

const ID = /^[\w.-]{1,64}$/;

/** What is to be written of a server, by the detail and the options of config.ts. */
export class DnsContent {
  readonly #options: DnsRecordsOptions & { readonly name: string };

  /** @param options With the plugin's name. */
  constructor(options: DnsRecordsOptions & { readonly name: string }) {
    this.#options = options;
  }

  /**
   * The server's name; `null`: config.ts wants no records of it.
   *
   * @throws {PermanentError} when it is no host name, or the function of config.ts fails.
   */
  nameOf(detail: Detail): string | null {
    const { name: plugin, hostName } = this.#options;
    const text = hostName === undefined
      ? detail.FQDN
      : callUserFunction({ ...RETURNS_NAME, plugin }, () => hostName(detail));
    if (text === null && hostName !== undefined) return null;
    const name = text === null ? null : dnsHostName(text);
    if (name !== null && !isReverse(name)) return name;
    throw new PermanentError(
      text === null
        ? "Cannot write records: the name of the server is not known"
        : `Cannot write records of "${
          printable(text, 80)
        }": it is no host name (RFC 1123), or one of an address; rename the server, or set hostName`,
    );
  }

  /** The same of a server that may not have been written: `null` if it has no name. */
  formerNameOf(detail: Detail): string | null {
    return orElse(null, () => this.nameOf(detail));
  }

  /**
   * The addresses that are to be written.
   *
   * @throws {PermanentError} when one is no address, or the function of config.ts fails.
   */
  factsOf(detail: Detail): DnsFacts {
    const floating = detail.FloatingIPs.map(({ address }) => floatingAddress(address));
    const known = new Set(floating.map(({ address }) => address));
    const all = [...detail.Addresses.filter(({ address }) => !known.has(address)), ...floating];
    return [...new Set(all.flatMap((address) => this.#factsOf(address, detail)))];
  }

  /** The same of a server that may not have been written: what is wrong is left out. */
  formerFactsOf(detail: Detail): DnsFacts {
    return orElse([], () => this.factsOf(detail));
  }

  /**
   * What is to be written of a server, by what is there: floating IPs have events of their own, so
   * they stay, unless the records are repaired.
   */
  changeOf(
    detail: Detail,
    { repair = false }: { readonly repair?: boolean },
    moved: DnsFacts = [],
  ): (held: DnsFacts) => DnsFacts {
    const facts = this.factsOf(detail);
    return (held) => [...new Set([...facts, ...repair ? [] : floatingOf([...held, ...moved])])];
  }

  /** The address of an association. Empty: it is no address, or is not to be written. */
  floatingFactsOf(detail: Detail, created: boolean): DnsFacts {
    const known = detail.IP === null ? null : dnsAddress(detail.IP);
    if (known === null) return [];
    // Whatever the function of config.ts says by now: what was written is removed.
    return created ? this.#factsOf(floatingAddress(known.address), detail) : [`floating=${known.address}`];
  }

  #factsOf(address: DetailAddress, detail: Detail): string[] {
    const known = dnsAddress(address.address);
    if (known === null) {
      throw new PermanentError(`Cannot write records: "${printable(address.address, 80)}" is no IP address`);
    }
    const kind = address.type === "floating" ? "floating" : "fixed";
    return this.#isWanted(address, kind, detail) ? [`${kind}=${known.address}`] : [];
  }

  #isWanted(address: DetailAddress, kind: "fixed" | "floating", detail: Detail): boolean {
    const { name: plugin, addresses = "fixed" } = this.#options;
    if (typeof addresses !== "function") return addresses === "all" || addresses === kind;
    return callUserFunction({ ...RETURNS_CHOICE, plugin }, () => addresses(address, detail));
  }
}

/** @throws {PermanentError} when the event names no server. */
export function serverIdOf({ ID: id }: Detail): string {
  if (typeof id === "string" && ID.test(id)) return id;
  throw new PermanentError("Cannot write records: the event names no server");
}

/** A tenant who could name a server so would take the PTR record of another's address. */
function isReverse(name: string): boolean {
  return /(?:^|\.)(?:in-addr|ip6)\.arpa$/.test(name);
}

/** The floating addresses among facts. */
function floatingOf(facts: DnsFacts): DnsFacts {
  return facts.filter((fact) => fact.startsWith("floating="));
}

/** A name with the beginning of the server's id, if it has room for that, otherwise the name. */
export function suffixed(name: string, server: string): string {
  const [label = "", ...rest] = name.split(".");
  const end = `-${server.toLowerCase().replace(/[^a-z\d]/g, "").slice(0, 8)}`;
  if (label.endsWith(end)) return name;
  const longer = [label.slice(0, 63 - end.length).replace(/-+$/, "") + end, ...rest].join(".");
  return dnsHostName(longer) ?? name;
}

/** What a call returns, or this if it fails for good. */
function orElse<Value>(otherwise: Value, call: () => Value): Value {
  try {
    return call();
  } catch (error) {
    if (error instanceof PermanentError) return otherwise;
    throw error;
  }
}

function floatingAddress(address: string): DetailAddress {
  return { address, mac: null, type: "floating", network: null, version: address.includes(":") ? 6 : 4 };
}
