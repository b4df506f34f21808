import { isDn, LdapOwnEntries, LdapTarget, PermanentError } from "../mod.ts";
import type { Detail, LdapEntry, LdapFact, LdapTargetOptions, NotifyContext, Plugin } from "../mod.ts";

/** What an attribute shall hold. `null`, or a text that is empty: nothing. */
export type LdapValue = (detail: Detail) => string | readonly string[] | null;

/** Options of {@linkcode LdapDirectory}, with those of `LdapTarget`: `url`, `startTls`, `caFile`, `bindDn`, `password`, `sasl`, … */
export interface LdapDirectoryOptions extends LdapTargetOptions {
  /** Where the entries live: `ou=servers,dc=example,dc=com`. It must exist. */
  readonly baseDn: string;
  /**
   * `host`: a `device` that is an `ipHost` and an `ieee802Device` (RFC 2307; in OpenLDAP that takes `nis.schema`).
   * `device`: a `device` alone (RFC 4519), as every server knows it, with addresses and more in `description`. @default "host"
   */
  readonly preset?: "host" | "device";
  /** In the place of the preset's. `ipHost` stands only in entries with the `ipHostNumber` that it requires. */
  readonly objectClasses?: readonly string[];
  /** Besides the preset's, or in the place of those with the same name: `{ l: () => null, ou: (detail) => detail.ProjectName }`. */
  readonly attributes?: Readonly<Record<string, LdapValue>>;
  /**
   * The attributes that name an entry, by the first value of each; at most three. Tenants choose names as they like: without `idAttribute`
   * among them, the second of two servers with one name becomes a dead letter. @default [idAttribute]
   */
  readonly rdn?: readonly string[];
  /** What stands between an entry's name and `baseDn`: ``(detail) => `ou=${dnValue(detail.Datacenter ?? "none")}` ``. It must exist. */
  readonly parent?: (detail: Detail) => string;
  /** Holds the server's UUID, by which its entry is found: let the directory index it for equality. @default "serialNumber" */
  readonly idAttribute?: string;
  /** Holds `mark`. @default "description" */
  readonly markAttribute?: string;
  /** Tells our entries from others, which are never touched. Two oss-watchers in one directory need two. @default "oss-watcher" */
  readonly mark?: string;
  /** What floating IPs are added to and removed from. @default "ipHostNumber", for the preset `device` "description" */
  readonly addressAttribute?: string;
  /** Unique among the configured plugins. @default "LdapDirectory" */
  readonly name?: string;
}

interface Preset {
  readonly objectClasses: readonly string[];
  readonly attributes: Readonly<Record<string, LdapValue>>;
  readonly addressAttribute: string;
  /** How an address stands there. */
  readonly address: (address: string) => string;
}

const PRESETS: Readonly<Record<string, Preset>> = {
  host: {
    objectClasses: ["device", "ipHost", "ieee802Device"],
    attributes: {
      cn: ({ FQDN, ID }) => FQDN || ID,
      l: ({ Datacenter }) => Datacenter,
      description: ({ Description }) => Description,
      ipHostNumber: addresses,
      macAddress: macs,
    },
    addressAttribute: "ipHostNumber",
    address: (address) => address,
  },
  device: {
    objectClasses: ["device"],
    attributes: {
      cn: ({ FQDN, ID }) => FQDN || ID,
      l: ({ Datacenter }) => Datacenter,
      // Every text follows a word of ours: what a tenant writes cannot pass for an address.
      description: (detail) => [
        ...addresses(detail).map(labelled("ip")),
        ...macs(detail).map(labelled("mac")),
        ...[detail.OS ?? []].flat().map(labelled("os")),
        ...[detail.Owner ?? []].flat().map(labelled("owner")),
        ...[detail.Description ?? []].flat().map(labelled("text")),
      ],
    },
    addressAttribute: "description",
    address: labelled("ip"),
  },
};

/**
 * Keeps an entry for each server in an LDAP directory, from its creation to its deletion, with its floating IPs. Entries are found by the
 * server's UUID and our mark, wherever they stand; all others stay as they are. An event may come twice. A floating IP that comes before
 * its server is written together with it, and one that comes after the server went is not. So `events` must list servers and floating IPs.
 *
 * @example
 * ```ts
 * import { LdapDirectory, type LdapDirectoryOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: LdapDirectoryOptions = {
 *   url: ["ldaps://ldap1.example.com", "ldaps://ldap2.example.com"],
 *   bindDn: "cn=oss-watcher,dc=example,dc=com",
 *   password: "s3cret",
 *   baseDn: "ou=servers,dc=example,dc=com",
 *   attributes: { ou: (detail) => detail.ProjectName },
 * };
 *
 * assert.equal(new LdapDirectory(options).name, "LdapDirectory");
 * assert.throws(() => new LdapDirectory({ ...options, url: "ldap.example.com" }), /url: must be ldaps:/);
 * ```
 */
export class LdapDirectory implements Plugin {
  readonly name: string;
  readonly #attributes: Readonly<Record<string, LdapValue>>;
  readonly #parent: (detail: Detail) => string;
  readonly #addressAttribute: string;
  readonly #address: (address: string) => string;
  readonly #target: LdapTarget;
  readonly #entries: LdapOwnEntries;

  /** @throws {TypeError} naming every option that is wrong. */
  constructor(options: LdapDirectoryOptions) {
    const problems = [...problemsOf(options), ...LdapTarget.problems(connectionOf(options))];
    if (problems.length > 0) throw new TypeError(`Cannot make LdapDirectory: ${problems.join("; ")}`);
    const preset = PRESETS[options.preset ?? "host"] as Preset;
    const { baseDn, idAttribute = "serialNumber", markAttribute = "description", mark = "oss-watcher" } = options;
    const { objectClasses = preset.objectClasses, rdn = [idAttribute], addressAttribute } = options;
    this.name = options.name ?? "LdapDirectory";
    this.#attributes = withOwn(preset.attributes, options.attributes ?? {});
    this.#parent = options.parent ?? (() => "");
    this.#addressAttribute = addressAttribute ?? preset.addressAttribute;
    this.#address = addressAttribute === undefined ? preset.address : (address) => address;
    this.#target = new LdapTarget(connectionOf(options));
    this.#entries = new LdapOwnEntries(this.#target, { baseDn, objectClasses, rdn, idAttribute, markAttribute, mark });
  }

  /**
   * @throws {PermanentError} when the schema or another's entry stands in the way.
   * @throws {DeliveryError} when the directory is not there, or not willing.
   */
  async notify(detail: Detail, created: boolean, { subject, signal, log }: NotifyContext): Promise<void> {
    if (subject === "floatingip") {
      const fact = this.#fact(detail);
      if (fact === null) return;
      const isThere = await (created ? this.#entries.addValue(fact, signal) : this.#entries.removeValue(fact, signal));
      // Its creation, which is yet to come, brings its floating IPs; or its deletion has taken them, and nothing must come back.
      if (!isThere) log.debug(`${this.name}: ${fact.id} has no entry for ${fact.value}`);
    } else if (created) {
      await this.#entries.put(this.#entry(detail), { id: idOf(detail), growing: this.#addressAttribute, signal });
    } else {
      await this.#entries.remove(idOf(detail), signal);
    }
  }

  /** What {@linkcode LdapDirectory.notify} would send, as LDIF (RFC 2849). */
  preview(detail: Detail, created: boolean, { subject }: NotifyContext): string {
    if (subject === "server") {
      return created ? this.#entries.ldifOfPut(this.#entry(detail)) : this.#entries.ldifOfRemove(idOf(detail));
    }
    const fact = this.#fact(detail);
    return fact === null
      ? "# nothing: the address is no server's"
      : this.#entries.ldifOfValue(fact, created ? "add" : "delete");
  }

  /** Rejects when we cannot bind, `baseDn` is not there, or the schema lacks a class or an attribute. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#entries.check(Object.keys(this.#attributes), signal);
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  #entry(detail: Detail): LdapEntry {
    const content = Object.entries(this.#attributes).map(([name, value]) =>
      [name, made(name, () => value(detail))] as const
    );
    return this.#entries.entry(idOf(detail), Object.fromEntries(content), made("parent", () => this.#parent(detail)));
  }

  /** The floating address of an association; `null` when no server has it. */
  #fact({ ID, IP }: Detail): LdapFact | null {
    return !ID || !IP ? null : { id: ID, attribute: this.#addressAttribute, value: this.#address(IP) };
  }
}

/** What a function of config.ts gives. It would throw again: trying again is of no use. */
function made<Value>(option: string, make: () => Value): Value {
  try {
    return make();
  } catch (error) {
    const state = error instanceof Error ? error.message : String(error);
    throw new PermanentError(`Cannot make ${option}: its function in config.ts threw: ${state}`, { cause: error });
  }
}

function idOf({ ID }: Detail): string {
  if (!ID) throw new PermanentError("Cannot write an entry: the event names no server");
  return ID;
}

/** Fixed and floating ones. */
function addresses({ Addresses, FloatingIPs }: Detail): string[] {
  return [...Addresses, ...FloatingIPs].map(({ address }) => address);
}

function macs({ Addresses, MAC }: Detail): string[] {
  return [MAC, ...Addresses.map(({ mac }) => mac)].filter((mac) => mac !== null);
}

function labelled(label: string): (text: string) => string {
  return (text) => `${label} ${text}`;
}

function withOwn(
  preset: Readonly<Record<string, LdapValue>>,
  own: Readonly<Record<string, LdapValue>>,
): Readonly<Record<string, LdapValue>> {
  const names = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  return { ...Object.fromEntries(Object.entries(preset).filter(([name]) => !names.has(name.toLowerCase()))), ...own };
}

/** The options that are not our own. */
function connectionOf(options: LdapDirectoryOptions): LdapTargetOptions {
  const { baseDn: _1, preset: _2, objectClasses: _3, attributes: _4, rdn: _5, parent: _6, ...others } = options;
  const { idAttribute: _7, markAttribute: _8, mark: _9, addressAttribute: _10, name: _11, ...connection } = others;
  return connection;
}

function problemsOf(options: LdapDirectoryOptions): string[] {
  const { name, baseDn, preset, objectClasses, attributes, rdn, parent, idAttribute, markAttribute, mark } = options;
  const { addressAttribute } = options;
  const isOneOf = (value: unknown) => value === undefined || Object.hasOwn(PRESETS, String(value));
  const isFunction = (value: unknown) => typeof value === "function";
  const isText = (value: unknown) => typeof value === "string" && value.trim() !== "";
  const known = [idAttribute ?? "serialNumber", markAttribute ?? "description", ...Object.keys(attributes ?? {})]
    .concat(Object.keys(PRESETS[preset ?? "host"]?.attributes ?? {})).map((one) => String(one).toLowerCase());
  const isKnown = (value: unknown) => known.includes(String(value).toLowerCase());
  const checks: readonly (readonly [right: boolean, problem: string])[] = [
    [name === undefined || isText(name), "name: must be a text that is not empty"],
    [isDn(baseDn), "baseDn: must be a distinguished name, as ou=servers,dc=example,dc=com"],
    [isOneOf(preset), `preset: must be "host" or "device"`],
    [objectClasses === undefined || isNames(objectClasses), "objectClasses: must be a list of names of classes"],
    [
      attributes === undefined || (typeof attributes === "object" && attributes !== null &&
        Object.keys(attributes).every(isName) && Object.values(attributes).every(isFunction)),
      "attributes: must be an object of names of attributes and functions of the detail",
    ],
    [
      rdn === undefined || (isNames(rdn) && rdn.length <= 3 && rdn.every(isKnown)),
      "rdn: must be a list of one to three names of attributes that the entry has",
    ],
    [parent === undefined || isFunction(parent), "parent: must be a function of the detail"],
    [idAttribute === undefined || isName(idAttribute), "idAttribute: must be the name of an attribute"],
    [markAttribute === undefined || isName(markAttribute), "markAttribute: must be the name of an attribute"],
    [
      mark === undefined || (typeof mark === "string" && /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(mark)),
      "mark: must be visible ASCII characters, with single spaces between",
    ],
    [addressAttribute === undefined || isName(addressAttribute), "addressAttribute: must be the name of an attribute"],
  ];
  return checks.filter(([right]) => !right).map(([, problem]) => problem);
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isName);
}

/** A descriptor of RFC 4512 without options. */
function isName(value: unknown): boolean {
  return typeof value === "string" && /^[a-z][a-z\d-]*$/i.test(value);
}
