import { isSecretName } from "../wire/secrets/redact.ts";
import { type IniEntry, stripped } from "./ini.ts";

/** The value of an option, with its references resolved. */
export interface IniValue {
  readonly text: string;
  /** `oss.conf:3: port of [rabbit]`. */
  readonly place: string;
  /** Whether the value, or a referenced one, is likely to be a secret. */
  readonly isSecret: boolean;
}

/** An option's value has a reference that cannot be resolved. The message names the place. */
export class IniReferenceError extends Error {
  override readonly name = "IniReferenceError";
}

const NAME = "[_a-z][._a-z0-9]*";
const REFERENCE = new RegExp(`\\$(?:(\\$)|(${NAME})|\\{(${NAME})\\})`, "gi");

/**
 * The options of INI files, read as oslo.config does: section names without case but for DEFAULT,
 * the last assignment counts, `$name` is resolved.
 */
export class IniOptions {
  readonly #entries: readonly IniEntry[];
  readonly #last: ReadonlyMap<string, IniEntry>;
  readonly #read = new Set<IniEntry>();

  /** @param entries In the order of the files: a later file overrides an earlier one. */
  constructor(entries: readonly IniEntry[]) {
    this.#entries = entries;
    this.#last = new Map(entries.map((entry) => [idOf(entry.section, entry.key), entry]));
  }

  /**
   * The value; `undefined` when it is not set or blank. `$name` and `${name}` stand for an option
   * of the same section or of DEFAULT, `${section.name}` for one of another; `$$` and `\$` for a
   * dollar.
   *
   * @throws {IniReferenceError} when a reference is dangling or circular.
   */
  find(section: string, key: string): IniValue | undefined {
    const entry = this.#last.get(idOf(section, key));
    const value = entry === undefined ? undefined : this.#resolve(entry, []);
    return value?.text === "" ? undefined : value;
  }

  isSet(section: string, key: string): boolean {
    return (this.#last.get(idOf(section, key))?.value ?? "") !== "";
  }

  /**
   * All values of an option that may be repeated, as `driver` in oslo.messaging's section, in their
   * order.
   */
  findAll(section: string, key: string): readonly IniValue[] {
    const id = idOf(section, key);
    return this.#entries.filter((entry) => idOf(entry.section, entry.key) === id).map((entry) =>
      this.#resolve(entry, [])
    );
  }

  /** Whether the assignment has been read, directly or by a reference. */
  wasRead(entry: IniEntry): boolean {
    return this.#read.has(entry);
  }

  #resolve(entry: IniEntry, path: readonly IniEntry[]): IniValue {
    this.#read.add(entry);
    const place = placeOf(entry);
    const refuse = (why: string) => new IniReferenceError(`${place}: ${why}`);
    if (path.includes(entry)) throw refuse("refers to itself. Write its value");
    let isSecret = isSecretName(entry.key);
    const text = entry.value.replaceAll("\\$", "$$$$").replace(REFERENCE, (found, dollar, name, braced) => {
      if (dollar !== undefined) return "$";
      const target = this.#target(name ?? braced, entry.section);
      if (target === undefined) throw refuse(`"${found}" names no option of the file. Write $$ for a dollar`);
      const value = this.#resolve(target, [...path, entry]);
      isSecret ||= value.isSecret;
      return value.text;
    });
    return { text, place, isSecret };
  }

  #target(name: string, section: string): IniEntry | undefined {
    const [, group, option] = /^([^.]+)\.(.+)$/.exec(name) ?? [];
    const found = group === undefined || option === undefined
      ? this.#last.get(idOf(section, name))
      : this.#last.get(idOf(group, option));
    return found ?? this.#last.get(idOf("DEFAULT", name));
  }
}

/** The place of an assignment: `oss.conf:3: port of [rabbit]`. */
export function placeOf({ file, line, section, key }: IniEntry): string {
  return `${file}:${line}: ${key} of [${section}]`;
}

/** The name under which oslo.config knows a section. */
export function sectionName(section: string): string {
  return section === "DEFAULT" ? section : section.toLowerCase();
}

/** The items of a list, as oslo.config splits it: at every comma, whatever the quotes. */
export function listItems(text: string): readonly string[] {
  const items = stripped(text).replace(/,+$/, "");
  return items === "" ? [] : items.split(",").map(stripped);
}

/** A text for a Boolean option of oslo.config; `undefined` when it is none. */
export function booleanOf(text: string): boolean | undefined {
  if (/^(?:true|1|on|yes)$/i.test(text)) return true;
  return /^(?:false|0|off|no)$/i.test(text) ? false : undefined;
}

function idOf(section: string, key: string): string {
  return `${sectionName(section)}\n${key}`;
}
