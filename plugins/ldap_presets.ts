import type { Detail } from "../mod.ts";

/** Returns the values of an attribute; `null` or an empty text: none. */
export type LdapValue = (detail: Detail) => string | readonly string[] | null;

/** The classes and attributes of a server's entry. */
export interface LdapPreset {
  readonly objectClasses: readonly string[];
  readonly attributes: Readonly<Record<string, LdapValue>>;
  /** The attributes that hold floating IPs, with the form of the value in each. */
  readonly floating: Readonly<Record<string, (address: string) => string>>;
}

/** Texts of tenants follow a label, so that they cannot imitate a mark or an address. */
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

/** The labels that the presets put before texts. */
export const LABELS = /^(?:ip|mac|os|owner|text|floating) /i;
/** The attribute and the label that identify floating IPs. */
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
