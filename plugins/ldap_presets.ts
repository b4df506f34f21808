import type { Detail } from "../mod.ts";

/** What an attribute shall hold. `null`, or a text that is empty: nothing. */
export type LdapValue = (detail: Detail) => string | readonly string[] | null;

/** What the entry of a server holds. */
export interface LdapPreset {
  readonly objectClasses: readonly string[];
  readonly attributes: Readonly<Record<string, LdapValue>>;
  /** How a floating IP stands in which attributes. */
  readonly floating: Readonly<Record<string, (address: string) => string>>;
}

/** Texts follow a word of ours: what a tenant writes cannot pass for a mark, or for an address. */
export const LDAP_PRESETS: Readonly<Record<string, LdapPreset>> = {
  host: {
    objectClasses: ["device", "ipHost", "ieee802Device"],
    attributes: {
      cn: ({ FQDN, ID }) => texts(FQDN || ID),
      l: ({ Datacenter }) => texts(Datacenter),
      description: ({ Description }) => texts(Description).map(labelled("text")),
      ipHostNumber: addresses,
      macAddress: macs,
    },
    floating: { ipHostNumber: (address) => address, description: labelled("floating") },
  },
  device: {
    objectClasses: ["device"],
    attributes: {
      cn: ({ FQDN, ID }) => texts(FQDN || ID),
      l: ({ Datacenter }) => texts(Datacenter),
      description: (detail) => [
        ...addresses(detail).map(labelled("ip")),
        ...macs(detail).map(labelled("mac")),
        ...texts(detail.OS).map(labelled("os")),
        ...texts(detail.Owner).map(labelled("owner")),
        ...texts(detail.Description).map(labelled("text")),
      ],
    },
    floating: { description: labelled("floating") },
  },
};

/** The words that the presets put before texts. */
export const LABELS = /^(?:ip|mac|os|owner|text|floating) /i;
/** Which values of which attribute are floating IPs. */
export const RECORD = "description";
export const FLOATING = "floating ";

function addresses({ Addresses }: Detail): string[] {
  return Addresses.map(({ address }) => address);
}

function macs({ Addresses, MAC }: Detail): string[] {
  return [MAC, ...Addresses.map(({ mac }) => mac)].filter((mac) => mac !== null);
}

function texts(text: string | null): readonly string[] {
  return text === null || text === "" ? [] : [text];
}

function labelled(label: string): (text: string) => string {
  return (text) => `${label} ${text}`;
}
