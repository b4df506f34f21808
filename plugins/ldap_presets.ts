import type { Detail } from "../mod.ts";

/** Returns the values of an attribute; `null` or an empty text: none. */
export type LdapValue = (detail: Detail) => string | readonly string[] | null;

/** The classes and attributes of a server's entry. */
export interface LdapPreset {
  readonly objectClasses: readonly string[];
  readonly attributes: Readonly<Record<string, LdapValue>>;
  /** The attributes that hold floating IPs, with the form of the value in each. */
  readonly floating: Readonly<Record<string, (address: string) => string>>;
  /** Attributes of a new entry that are left alone from then on. @default none */
  readonly initial?: Readonly<Record<string, string>>;
  /** The attribute whose labels identify floating IPs. @default "description" */
  readonly record?: string;
  /** Holds the server's UUID. @default "serialNumber" */
  readonly idAttribute?: string;
  /** Holds the mark. @default "description" */
  readonly markAttribute?: string;
  /** The attributes that name an entry. @default that of the UUID */
  readonly rdn?: readonly string[];
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
  computer: {
    objectClasses: ["computer"],
    // Active Directory names computers by cn alone, has one description of each, and wants names of
    // accounts that are unique in the domain, of at most 15 characters.
    idAttribute: "cn",
    markAttribute: "info",
    record: "networkAddress",
    attributes: {
      sAMAccountName: accountName,
      dNSHostName: ({ FQDN }) => texts(FQDN),
      displayName: ({ FQDN }) => texts(FQDN),
      description: ({ Description }) => texts(Description).map(labelled("text")),
      location: ({ Datacenter }) => texts(Datacenter),
      operatingSystem: ({ OS }) => texts(OS),
      ipHostNumber: addresses,
      networkAddress: (detail) => macs(detail).map(labelled("mac")),
    },
    floating: { ipHostNumber: (address) => address, networkAddress: labelled("floating") },
    // WORKSTATION_TRUST_ACCOUNT and ACCOUNTDISABLE: without a password, and nobody can log on.
    initial: { userAccountControl: String(0x1000 | 0x2) },
  },
  ipaHost: {
    objectClasses: ["nsHost", "ipaHost", "ipaObject", "ipaService", "pkiUser", "device", "ipHost", "ieee802Device"],
    rdn: ["fqdn"],
    attributes: {
      fqdn: ({ FQDN }) => texts(FQDN).map((name) => name.toLowerCase()),
      cn: ({ FQDN }) => texts(FQDN).map((name) => name.toLowerCase()),
      serverHostName: ({ FQDN }) => texts(FQDN).map((name) => name.toLowerCase().split(".")[0] ?? ""),
      nsHostLocation: ({ Datacenter }) => texts(Datacenter),
      nsOsVersion: ({ OS }) => texts(OS),
      description: ({ Description }) => texts(Description).map(labelled("text")),
      ipHostNumber: addresses,
      macAddress: macs,
    },
    floating: { ipHostNumber: (address) => address, description: labelled("floating") },
    // FreeIPA replaces it.
    initial: { ipaUniqueID: "autogenerate" },
  },
};

/** As `os-4818c5b1ac0b$`: of the UUID alone, so that no tenant can take the name of another machine. */
function accountName({ ID }: Detail): string {
  const digits = (ID ?? "").replace(/[^\da-f]/gi, "").toLowerCase();
  return `os-${digits.slice(0, 12).padEnd(12, "0")}$`;
}

/** The labels that the presets put before texts. */
export const LABELS = /^(?:ip|mac|os|owner|text|floating) /i;
/** The attribute of most presets, and the label, that identify floating IPs. */
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

/** The preset of this name; that of hosts for what is none, which the rules of the options refuse. */
export function presetOf(name: unknown): LdapPreset {
  const known = typeof name === "string" && Object.hasOwn(LDAP_PRESETS, name) ? LDAP_PRESETS[name] : undefined;
  return known ?? LDAP_PRESETS["host"]!;
}
