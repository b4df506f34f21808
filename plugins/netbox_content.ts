import { type Detail, PermanentError } from "../mod.ts";
import { callUserFunction, ipAddress, isText, printable } from "../src/kit/mod.ts";
import type { NetBoxValues } from "./netbox_api.ts";
import { isReference, type NetBoxAddress, type NetBoxChoice, type NetBoxOptions } from "./netbox_options.ts";
import type { NetBoxReference } from "./netbox_options.ts";

/** The attributes by which NetBox finds an object: what a reference says, as its API takes it. */
export type Attributes = Readonly<Record<string, string | number>>;

/** An address that a server is to have. */
export interface WantedAddress extends NetBoxAddress {
  /** With the prefix length, as NetBox's field `address` takes it. */
  readonly withLength: string;
  readonly vrf: Attributes | null;
  /** Of a fixed address: its port. `null`: unknown. */
  readonly mac: string | null;
  /** Of a floating IP: the fixed address that it leads to. `null`: unknown. */
  readonly inside: string | null;
}

/** What NetBox is to hold of a server. */
export interface WantedServer {
  readonly id: string;
  readonly name: string;
  /** The fields that are written at any time. */
  readonly fields: NetBoxValues;
  /** The fields that name objects of people; `null` empties the field. */
  readonly references: Readonly<Record<string, Attributes | null>>;
  /** The MAC addresses of its ports; `null` for addresses of which none is known. */
  readonly ports: readonly (string | null)[];
  readonly fixed: readonly WantedAddress[];
  readonly floating: readonly WantedAddress[];
  /** Addresses that NetBox cannot hold. */
  readonly odd: readonly string[];
}

/** NetBox's limit for names of virtual machines and interfaces. */
const MAX_NAME_LENGTH = 64;
const REFERENCES = ["cluster", "site", "tenant", "role", "platform"] as const;

/** NetBox's status for each of Nova's. */
const STATUSES: ReadonlyMap<string, string> = new Map(Object.entries({
  ACTIVE: "active",
  BUILD: "staged",
  ERROR: "failed",
  PAUSED: "paused",
  SUSPENDED: "paused",
  SHUTOFF: "offline",
  STOPPED: "offline",
  SHELVED: "offline",
  SHELVED_OFFLOADED: "offline",
}));

type ContentOptions = Pick<NetBoxOptions, "vrf" | "prefixLength" | "machineName" | typeof REFERENCES[number]>;

/** Makes of a detail what NetBox is to hold, with the functions of config.ts. */
export class ServerContent {
  readonly #plugin: string;
  readonly #options: ContentOptions;

  /** @param plugin Its name. */
  constructor(plugin: string, options: ContentOptions) {
    this.#plugin = plugin;
    this.#options = options;
  }

  /**
   * What NetBox is to hold of a server.
   *
   * @throws {PermanentError} when the event names no server, or a function of config.ts fails.
   */
  of(detail: Detail): WantedServer {
    const id = serverId(detail);
    const usable = detail.Addresses.filter(({ address, type }) => type !== "floating" && ipAddress(address) !== null);
    const odd = detail.Addresses.filter(({ address }) => ipAddress(address) === null);
    const fixed = usable.map(({ address, mac, network }) =>
      this.#address({ address, type: "fixed", network, mac: macOf(mac), inside: null }, detail)
    );
    return {
      id,
      name: cut(this.#text("machineName", detail) || printable((detail.FQDN ?? "").trim(), 400) || id),
      fields: fieldsOf(detail),
      references: this.#references(detail),
      ports: [...new Set(fixed.map(({ mac }) => mac))],
      fixed: fixed.filter((one, index) => fixed.findIndex(({ address }) => address === one.address) === index),
      floating: detail.FloatingIPs.flatMap((one) => this.#floating(one, detail)),
      odd: odd.map(({ address }) => address),
    };
  }

  /** The floating IP of an association; `null` when the event names none that NetBox can hold. */
  floatingOf(detail: Detail): WantedAddress | null {
    const fixedAddress = detail.FloatingIPs.find(({ address }) => address === detail.IP)?.fixedAddress ?? null;
    return this.#floating({ address: detail.IP ?? "", fixedAddress }, detail)[0] ?? null;
  }

  #floating(
    { address, fixedAddress }: { readonly address: string; readonly fixedAddress: string | null },
    detail: Detail,
  ): WantedAddress[] {
    if (ipAddress(address) === null) return [];
    const inside = fixedAddress === null ? null : ipAddress(fixedAddress);
    return [this.#address({ address, type: "floating", network: null, mac: null, inside }, detail)];
  }

  #address(
    one: Pick<WantedAddress, "address" | "type" | "network" | "mac" | "inside">,
    detail: Detail,
  ): WantedAddress {
    const { vrf, prefixLength } = this.#options;
    const address = ipAddress(one.address) ?? one.address;
    const version = address.includes(":") ? 6 : 4;
    const given: NetBoxAddress = { address, version, type: one.type, network: one.network };
    const most = version === 4 ? 32 : 128;
    const length = prefixLength && callUserFunction({
      plugin: this.#plugin,
      option: "prefixLength",
      allows: (value): value is number => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most,
      allowed: `a whole number from 1 to ${most}`,
    }, () => prefixLength(given, detail));
    const reference = vrf === undefined ? null : this.#reference("vrf", () => vrf(given, detail));
    return { ...one, ...given, withLength: `${address}/${length ?? most}`, vrf: reference };
  }

  #references(detail: Detail): Record<string, Attributes | null> {
    const given = REFERENCES.filter((name) => this.#options[name] !== undefined);
    return Object.fromEntries(given.map((name) => {
      const choice = this.#options[name] as NetBoxChoice;
      return [name, this.#reference(name, () => typeof choice === "function" ? choice(detail) : choice)];
    }));
  }

  #reference(option: string, make: () => NetBoxReference | null): Attributes | null {
    const called = {
      plugin: this.#plugin,
      option,
      // Tenants choose what functions return: an empty text is no name.
      allows: (value: unknown) => value === null || value === "" || isReference(value),
      allowed: "a name, an id, an object of texts and numbers, or null",
    };
    const reference = callUserFunction(called as never, make) as NetBoxReference | null;
    if (reference === null || reference === "") return null;
    if (typeof reference === "object") return reference;
    return typeof reference === "number" ? { id: reference } : { name: printable(reference, 200) };
  }

  #text(option: "machineName", detail: Detail): string {
    const make = this.#options[option];
    if (make === undefined) return "";
    const allows = (value: unknown): value is string | null => value === null || typeof value === "string";
    const text = callUserFunction(
      { plugin: this.#plugin, option, allows, allowed: "a text or null" },
      () => make(detail),
    );
    return printable((text ?? "").trim(), 400);
  }
}

/**
 * The server of an event.
 *
 * @throws {PermanentError} when it names none, or by what is no UUID.
 */
export function serverId({ ID }: Detail): string {
  // NetBox's filters give some texts a meaning, as `null`.
  if (isText(ID) && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(ID)) return ID;
  throw new PermanentError("Cannot write to NetBox: the event names no server by its UUID");
}

/** The name with a suffix that is the server's own, for one that is taken. */
export function nameWithSuffix(name: string, id: string): string {
  const suffix = suffixOf(id);
  return cut(name, MAX_NAME_LENGTH - suffix.length) + suffix;
}

/** The part of a name that stays the same with and without the suffix. */
export function stemOf(name: string, id: string): string {
  const suffix = suffixOf(id);
  const stem = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
  return cut(stem, MAX_NAME_LENGTH - suffix.length);
}

function suffixOf(id: string): string {
  return `-${id.slice(0, 8)}`;
}

/** NetBox counts characters, not UTF-16 code units. */
function cut(text: string, length = MAX_NAME_LENGTH): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

function fieldsOf({ CPU, Ram, Storage, Status }: Detail): NetBoxValues {
  const status = STATUSES.get(Status ?? "");
  return {
    vcpus: CPU !== null && CPU > 0 ? CPU : null,
    // NetBox's field is in MB; flavors are in MiB, which is what people compare it with.
    memory: Ram === null ? null : Math.round(Ram * 1024),
    disk: Storage === null ? null : Math.round(Storage * 1000),
    ...(status === undefined ? {} : { status }),
  };
}

/** A MAC address in the form that NetBox gives; `null` for what is none. */
function macOf(mac: string | null): string | null {
  return mac !== null && /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(mac) ? mac.toUpperCase() : null;
}
