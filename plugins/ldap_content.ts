import { type Detail, PermanentError } from "../mod.ts";
import { callUserFunction, isDn, isSameAttribute, type LdapContent, type LdapFact } from "../src/kit/mod.ts";
import type { UserFunction } from "../src/kit/mod.ts";
import { FLOATING, type LdapPreset, type LdapValue, RECORD } from "./ldap_presets.ts";

/** Options of {@linkcode ServerContent}. */
export interface LdapContentOptions {
  /** The plugin's name. */
  readonly plugin: string;
  readonly preset: LdapPreset;
  readonly idAttribute: string;
  readonly markAttribute: string;
  readonly attributes?: Readonly<Record<string, LdapValue>> | undefined;
  readonly addressAttribute?: string | undefined;
  readonly parent?: ((detail: Detail) => string) | undefined;
}

/** The option `parent`, and what its function may return. */
const RETURNS_PARENT: UserFunction<string> = {
  option: "parent",
  allows: (value): value is string => value === "" || isDn(value),
  allowed: `a distinguished name, or ""`,
};

/**
 * Makes the attributes and the place of a server's entry, beside its ID and our mark, from the
 * preset and the options of config.ts.
 */
export class ServerContent {
  readonly #plugin: string;
  readonly #attributes: Readonly<Record<string, LdapValue>>;
  /** The attributes that hold floating IPs, with the form of the value in each. */
  readonly #floating: LdapPreset["floating"];
  readonly #parent: (detail: Detail) => string;
  /** The attribute whose labels identify floating IPs. */
  readonly #record: string;

  constructor(options: LdapContentOptions) {
    const { preset, attributes: own = {}, idAttribute, markAttribute } = options;
    // What tenants write must not stand where IDs and marks do, unless it follows a label, as in
    // `description`.
    this.#record = preset.record ?? RECORD;
    const reserved = [idAttribute, ...(isSameAttribute(markAttribute, this.#record) ? [] : [markAttribute])];
    this.#plugin = options.plugin;
    this.#attributes = { ...without(preset.attributes, [...reserved, ...Object.keys(own)]), ...own };
    this.#floating = floatingOf(options);
    this.#parent = options.parent ?? (() => "");
  }

  /** Attributes of a new entry that are left alone from then on, unless config.ts has functions of them. */
  static initialOf({ preset, attributes = {} }: Pick<LdapContentOptions, "preset" | "attributes">): LdapContent {
    return Object.entries(without(preset.initial ?? {}, Object.keys(attributes)));
  }

  /** The names of all attributes that may get values. */
  get names(): readonly string[] {
    return [...Object.keys(this.#attributes), ...Object.keys(this.#floating)];
  }

  /**
   * The content for a server as it is created, its floating IPs included.
   *
   * @throws {PermanentError} when a function of config.ts fails.
   */
  of(detail: Detail): LdapContent {
    const allowed = "a text, a list of texts, or null";
    const own = Object.entries(this.#attributes).map(([name, value]) => {
      const called = { plugin: this.#plugin, option: `attributes.${name}`, allows: isTexts, allowed };
      return [name, callUserFunction(called, () => value(detail))] as const;
    });
    return [...own, ...this.floatingValues(detail.FloatingIPs.map(({ address }) => address))];
  }

  /**
   * The part of a server's DN between its name and `baseDn`.
   *
   * @throws {PermanentError} when the function of config.ts fails.
   */
  parentOf(detail: Detail): string {
    return callUserFunction({ ...RETURNS_PARENT, plugin: this.#plugin }, () => this.#parent(detail));
  }

  /** The floating IP of an association; `null` when no server has it. */
  factOf({ ID, IP }: Detail): LdapFact | null {
    return !ID || !IP ? null : { id: ID, values: this.floatingValues([IP]) };
  }

  /** The values that stand for these floating IPs. */
  floatingValues(addresses: readonly string[]): LdapContent {
    return Object.entries(this.#floating).map(([name, form]) => [name, addresses.map(form)]);
  }

  /**
   * The values in an entry that a repeated creation leaves there: floating IPs, which have events
   * of their own.
   */
  keptValues(held: (attribute: string) => readonly string[]): LdapContent {
    // Where floating IPs cannot be told from other values, all values stay.
    if (this.#floating[this.#record]?.("") !== FLOATING) {
      return Object.keys(this.#floating).map((name) => [name, held(name)]);
    }
    const recorded = held(this.#record).filter((value) => value.startsWith(FLOATING));
    return this.floatingValues(recorded.map((value) => value.slice(FLOATING.length)));
  }
}

/** @throws {PermanentError} when the event names no server. */
export function serverId({ ID }: Detail): string {
  if (typeof ID === "string" && ID !== "") return ID;
  throw new PermanentError("Cannot write an entry: the event names no server");
}

/**
 * A function of config.ts for an attribute hides the preset's floating IPs in it, but for the
 * preset's first attribute.
 */
function floatingOf({ preset, addressAttribute, attributes = {} }: LdapContentOptions): LdapPreset["floating"] {
  if (addressAttribute !== undefined) return { [addressAttribute]: (address) => address };
  const [first = RECORD] = Object.keys(preset.floating);
  return without(preset.floating, Object.keys(attributes).filter((name) => !isSameAttribute(name, first)));
}

function without<Value>(
  all: Readonly<Record<string, Value>>,
  names: readonly string[],
): Readonly<Record<string, Value>> {
  const isLeft = (name: string) => !names.some((other) => isSameAttribute(name, other));
  return Object.fromEntries(Object.entries(all).filter(([name]) => isLeft(name)));
}

function isTexts(value: unknown): value is string | readonly string[] | null {
  const all = Array.isArray(value) ? value : [value];
  return value === null || all.every((one) => typeof one === "string");
}
