import { dnsAddress, type DnsRecord } from "../src/kit/mod.ts";

/**
 * What was written under a name, `kind=value` each: `fixed=10.0.0.5` and `floating=203.0.113.7` are
 * addresses; `name=web-1.example.com` is where a PTR record leads. `renamed=db.example.com` stands
 * for no record: the server may have that name, too, by a rename that was not completed.
 */
export type DnsFacts = readonly string[];

/** The record that a fact stands for, without its TTL. */
export function recordOfFact(name: string, fact: string): (DnsRecord & { readonly type: "A" | "AAAA" | "PTR" }) | null {
  const { kind, value } = factOf(fact);
  if (kind === "name") return { name, type: "PTR", ttl: 0, data: value };
  const address = kind === "fixed" || kind === "floating" ? dnsAddress(value) : null;
  return address === null ? null : { name, type: address.type, ttl: 0, data: address.address };
}

/** The addresses among facts. */
export function addressesOf(facts: DnsFacts): string[] {
  return [
    ...new Set(
      facts.map(factOf).filter(({ kind }) => kind === "fixed" || kind === "floating").map(({ value }) => value),
    ),
  ];
}

/** The fact that a server may have another name, too. */
export function renamedTo(name: string): string {
  return `renamed=${name}`;
}

/** The other names among facts. */
export function otherNamesOf(facts: DnsFacts): string[] {
  return facts.map(factOf).filter(({ kind }) => kind === "renamed").map(({ value }) => value);
}

/** Facts without other names. */
export function withoutOtherNames(facts: DnsFacts): DnsFacts {
  return facts.filter((fact) => factOf(fact).kind !== "renamed");
}

/** Facts whose addresses are not among those of others. */
export function without(all: DnsFacts, some: DnsFacts): DnsFacts {
  const stay = addressesOf(some);
  return all.filter((fact) => addressesOf([fact]).every((address) => !stay.includes(address)));
}

function factOf(fact: string): { readonly kind: string; readonly value: string } {
  const at = fact.indexOf("=");
  return { kind: fact.slice(0, at), value: fact.slice(at + 1) };
}
