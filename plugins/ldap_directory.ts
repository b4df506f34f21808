import { PermanentError } from "../mod.ts";
import { callUserFunction, givenOptions, isDn, LdapOwnEntries, LdapTarget, printable } from "../src/kit/mod.ts";
import type { Detail, NotifyContext, Plugin } from "../mod.ts";
import type { LdapContent, LdapEntry, LdapFact, LdapTargetOptions } from "../src/kit/mod.ts";
import { FLOATING, LABELS, LDAP_PRESETS, type LdapPreset, type LdapValue, RECORD } from "./ldap_presets.ts";

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
  /**
   * Besides the preset's, or in the place of those with the same name: `{ l: () => null, ou: (detail) => detail.ProjectName }`. What
   * tenants write should follow a word of yours in `markAttribute`, as it does in the presets: `text ${detail.Description}`.
   */
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
  /**
   * Tells our entries from others, which are never touched. Two oss-watchers in one directory need two. It cannot begin with a word that
   * the presets put before what tenants write: `text`, `os`, `owner`, … @default "oss-watcher"
   */
  readonly mark?: string;
  /**
   * What floating IPs are added to and removed from, as they are. @default for `host` "ipHostNumber" with `floating …` in
   * "description", for `device` the latter alone
   */
  readonly addressAttribute?: string;
  /** Unique among the configured plugins. @default "LdapDirectory" */
  readonly name?: string;
}

/** Attributes have two names each here: servers answer with the short one, and we would take them for two attributes. */
const LONG_NAMES =
  /^(?:commonName|localityName|organizationName|organizationalUnitName|stateOrProvinceName|countryName|surname|userid|domainComponent|rfc822Mailbox)$/i;
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
  readonly #floating: LdapPreset["floating"];
  readonly #target: LdapTarget;
  readonly #entries: LdapOwnEntries;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: LdapDirectoryOptions) {
    const problems = [
      ...problemsOf(givenOptions("LdapDirectory", options)),
      ...LdapTarget.problems(connectionOf(options)),
    ];
    if (problems.length > 0) throw new TypeError(`Cannot make LdapDirectory: ${problems.join("; ")}`);
    const preset = LDAP_PRESETS[options.preset ?? "host"] as LdapPreset;
    const { baseDn, idAttribute = "serialNumber", markAttribute = "description", mark = "oss-watcher" } = options;
    const { objectClasses = preset.objectClasses, rdn = [idAttribute], parent } = options;
    this.name = options.name ?? "LdapDirectory";
    // What tenants write as it is must not stand where IDs and marks do; in `description` it follows a word of ours.
    const taken = [idAttribute, ...(isSame(markAttribute, RECORD) ? [] : [markAttribute])];
    this.#attributes = withOwn(without(preset.attributes, taken), options.attributes ?? {});
    this.#parent = parent ?? (() => "");
    this.#floating = floatingOf(preset, options);
    this.#target = new LdapTarget(connectionOf(options));
    const namesVary = parent !== undefined || rdn.some((name) => !isSame(name, idAttribute));
    this.#entries = new LdapOwnEntries(this.#target, {
      baseDn,
      objectClasses,
      rdn,
      idAttribute,
      markAttribute,
      mark,
      namesVary,
    });
  }

  /**
   * Adds, changes or removes the entry of the event's server.
   *
   * @throws {PermanentError} when the schema or another's entry stands in the way, or a function of config.ts makes a mistake.
   * @throws {DeliveryError} when the directory is not there, or not willing.
   */
  async notify(detail: Detail, created: boolean, { subject, signal, log }: NotifyContext): Promise<void> {
    if (subject === "floatingip") {
      const fact = this.#fact(detail);
      if (fact === null) return;
      const isThere =
        await (created ? this.#entries.addValues(fact, signal) : this.#entries.removeValues(fact, signal));
      // Its creation, which is yet to come, brings its floating IPs; or its deletion has taken them, and nothing must come back.
      if (!isThere) log.debug(`${this.name}: ${printable(fact.id, 80)} has no entry for its floating IP`);
    } else if (created) {
      const { id, entry, leftOut } = this.#callUserFunction(detail);
      for (const what of leftOut) {
        log.info(`${this.name}: left out of ${printable(id, 80)} what does not fit into ${what}`);
      }
      await this.#entries.put(entry, { id, kept: (held) => this.#kept(held), signal });
    } else {
      await this.#entries.remove(idOf(detail), signal);
    }
  }

  /** What {@linkcode LdapDirectory.notify} would send, as LDIF (RFC 2849). */
  preview(detail: Detail, created: boolean, { subject }: NotifyContext): string {
    if (subject === "server") {
      if (!created) return this.#entries.ldifOfRemove(idOf(detail));
      const { entry, leftOut } = this.#callUserFunction(detail);
      const comments = leftOut.map((what) => `# left out: what does not fit into ${what}\n`);
      return comments.join("") + this.#entries.ldifOfPut(entry);
    }
    const fact = this.#fact(detail);
    return fact === null
      ? "# nothing: the address is no server's"
      : this.#entries.ldifOfValues(fact, created ? "add" : "delete");
  }

  /** Rejects when we cannot bind, `baseDn` is not there, or the schema lacks a class or an attribute. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#entries.check([...Object.keys(this.#attributes), ...Object.keys(this.#floating)], signal);
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  #callUserFunction(
    detail: Detail,
  ): { readonly id: string; readonly entry: LdapEntry; readonly leftOut: readonly string[] } {
    const id = idOf(detail);
    const content = this.#content(detail);
    const parent = callUserFunction(
      { plugin: this.name, option: "parent", allows: isParent, allowed: `a distinguished name, or ""` },
      () => this.#parent(detail),
    );
    return { id, entry: this.#entries.entry(id, content, parent), leftOut: this.#entries.leftOut(content) };
  }

  #content(detail: Detail): LdapContent {
    const allowed = "a text, a list of texts, or null";
    const own = Object.entries(this.#attributes).map(([name, value]) => {
      const making = { plugin: this.name, option: `attributes.${name}`, allows: isTexts, allowed };
      return [name, callUserFunction(making, () => value(detail))] as const;
    });
    return [...own, ...this.#floatingValues(detail.FloatingIPs.map(({ address }) => address))];
  }

  /** What a creation that comes again leaves in an entry: floating IPs, which come and go by events of their own. */
  #kept(held: (attribute: string) => readonly string[]): LdapContent {
    // Where they cannot be told from others, all stay.
    if (this.#floating[RECORD]?.("") !== FLOATING) {
      return Object.keys(this.#floating).map((name) => [name, held(name)]);
    }
    const recorded = held(RECORD).filter((value) => value.startsWith(FLOATING));
    return this.#floatingValues(recorded.map((value) => value.slice(FLOATING.length)));
  }

  #floatingValues(floating: readonly string[]): LdapContent {
    return Object.entries(this.#floating).map(([name, form]) => [name, floating.map(form)]);
  }

  /** The floating address of an association; `null` when no server has it. */
  #fact({ ID, IP }: Detail): LdapFact | null {
    return !ID || !IP ? null : { id: ID, values: this.#floatingValues([IP]) };
  }
}

function idOf({ ID }: Detail): string {
  if (typeof ID === "string" && ID !== "") return ID;
  throw new PermanentError("Cannot write an entry: the event names no server");
}

/** Where floating IPs stand. What one's own function fills is not told of them besides. */
function floatingOf(
  { floating }: LdapPreset,
  { addressAttribute, attributes = {} }: LdapDirectoryOptions,
): LdapPreset["floating"] {
  if (addressAttribute !== undefined) return { [addressAttribute]: (address) => address };
  const [first = RECORD] = Object.keys(floating);
  return without(floating, Object.keys(attributes).filter((name) => !isSame(name, first)));
}

function withOwn(
  preset: Readonly<Record<string, LdapValue>>,
  own: Readonly<Record<string, LdapValue>>,
): Readonly<Record<string, LdapValue>> {
  return { ...without(preset, Object.keys(own)), ...own };
}

function without<Value>(
  all: Readonly<Record<string, Value>>,
  names: readonly string[],
): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !names.some((other) => isSame(name, other))));
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function isTexts(value: unknown): value is string | readonly string[] | null {
  const all = Array.isArray(value) ? value : [value];
  return value === null || all.every((one) => typeof one === "string");
}

function isParent(value: unknown): value is string {
  return value === "" || isDn(value);
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
  const isOneOf = (value: unknown) =>
    value === undefined || (typeof value === "string" && Object.hasOwn(LDAP_PRESETS, value));
  const isFunction = (value: unknown) => typeof value === "function";
  const isText = (value: unknown) => typeof value === "string" && value.trim() !== "";
  const nameOf = (value: unknown, otherwise: string) => typeof value === "string" ? value : otherwise;
  const id = nameOf(idAttribute, "serialNumber");
  const marked = nameOf(markAttribute, "description");
  const known = [id, marked, ...Object.keys(attributes ?? {})]
    .concat(Object.keys(LDAP_PRESETS[nameOf(preset, "host")]?.attributes ?? {}));
  const isKnown = (value: string) => known.some((one) => isSame(one, value));
  const others = [marked, nameOf(addressAttribute, "description")];
  const checks: readonly (readonly [right: boolean, problem: string])[] = [
    [name === undefined || isText(name), "name: must be a text that is not empty"],
    [isDn(baseDn), "baseDn: must be a distinguished name, as ou=servers,dc=example,dc=com"],
    [isOneOf(preset), `preset: must be "host" or "device"`],
    [objectClasses === undefined || isNames(objectClasses), "objectClasses: must be a list of names of classes"],
    [
      attributes === undefined || (typeof attributes === "object" && attributes !== null &&
        Object.keys(attributes).every(isName) && Object.values(attributes).every(isFunction)),
      "attributes: must be an object of short names of attributes and functions of the detail",
    ],
    // Whatever stands there is taken for an ID: what a tenant writes could be another server's.
    [!Object.keys(attributes ?? {}).some((one) => isSame(one, id)), "attributes: must leave idAttribute to the ID"],
    [
      rdn === undefined || (isNames(rdn) && rdn.length <= 3 && rdn.every(isKnown) &&
        new Set(rdn.map((one) => one.toLowerCase())).size === rdn.length),
      "rdn: must be a list of one to three different short names of attributes that the entry has",
    ],
    [parent === undefined || isFunction(parent), "parent: must be a function of the detail"],
    [idAttribute === undefined || isName(idAttribute), "idAttribute: must be the short name of an attribute"],
    [!others.some((one) => isSame(one, id)), "idAttribute: must hold neither mark nor addresses"],
    [markAttribute === undefined || isName(markAttribute), "markAttribute: must be the short name of an attribute"],
    [
      mark === undefined ||
      (typeof mark === "string" && /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(mark) && !LABELS.test(mark)),
      "mark: must be visible ASCII characters with single spaces between, and not begin with a word of the presets",
    ],
    [
      addressAttribute === undefined || isName(addressAttribute),
      "addressAttribute: must be the short name of an attribute",
    ],
  ];
  return checks.filter(([right]) => !right).map(([, problem]) => problem);
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isName);
}

/** A descriptor of RFC 4512 without options, and the one that servers answer with. */
function isName(value: unknown): boolean {
  return typeof value === "string" && /^[a-z][a-z\d-]*$/i.test(value) && !LONG_NAMES.test(value);
}
