/** A value that config.ts takes from the environment, so that the secret does not stand in it. */
export class Secret {
  readonly variable: string;
  readonly value: string;
  /** The value's place in the file, as `oss.conf:18: password of [rest]`. */
  readonly place: string;
  /** The part of that option's value, if it is not the whole. */
  readonly part: string | null;

  constructor(
    variable: string,
    { value, place, part }: { readonly value: string; readonly place: string; readonly part?: string },
  ) {
    this.variable = variable;
    this.value = value;
    this.place = place;
    this.part = part ?? null;
  }
}

export type PlanValue = string | number | boolean | Secret | readonly PlanValue[] | PlanObject;
export interface PlanObject {
  readonly [key: string]: PlanValue;
}

/** One plugin: a class of a module, and the argument of its constructor. */
export interface PlannedPlugin {
  readonly className: string;
  /**
   * `oss-watcher/plugins`, or a path that begins beside the configuration, as
   * `./plugins/new_plugin.ts`.
   */
  readonly module: string;
  /** Absent: the constructor is called without an argument. */
  readonly options?: PlanObject;
  /**
   * Its name in the first generation, as `rest_plugin.RESTNotify`; `null` for a plugin that the
   * first generation did not have.
   */
  readonly formerName: string | null;
  /** Where it is enabled. */
  readonly place: string;
}

/**
 * The contents of a config.ts as data. It can be used directly or written as a file; both give the
 * same `Config`, since this is their only source.
 */
export interface Plan {
  /** Whether it was made from the RabbitMQ options of an OpenStack service alone. */
  readonly isOfService: boolean;
  /** Everything but the plugins. */
  readonly sections: PlanObject;
  readonly plugins: readonly PlannedPlugin[];
  /** The place where each key's value was set, by the key's path, as `rabbit.port`. */
  readonly places: ReadonlyMap<string, string>;
  /** Comments for config.ts, by the path of the key. */
  readonly remarks: ReadonlyMap<string, string>;
  /** Mistakes that prevent its use: place, finding, next step. */
  readonly mistakes: readonly string[];
  /** Warnings: it works, but probably not as intended. */
  readonly warnings: readonly string[];
  /** Unused options of the files. */
  readonly unread: readonly Unread[];
}

export interface Unread {
  readonly place: string;
  /** The value on one line; `null` where it may hold a secret. */
  readonly assignment: string | null;
  readonly advice: string;
}

/** The value with its secrets. */
export function revealed(value: PlanValue): unknown {
  if (value instanceof Secret) return value.value;
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revealed(item)]));
}

/** The secrets that a plan takes from the environment. */
export function secretsOf({ sections, plugins }: Plan): readonly Secret[] {
  return [...plugins.flatMap(({ options = {} }) => secretsIn(options)), ...secretsIn(sections)];
}

function secretsIn(value: PlanValue): readonly Secret[] {
  if (value instanceof Secret) return [value];
  return typeof value === "object" ? Object.values(value).flatMap(secretsIn) : [];
}

/** A finding about the configuration, located at the place in the file where the value was set. */
export function atPlace(finding: string, places: ReadonlyMap<string, string>): string {
  const path = [...places.keys()]
    .filter((key) => finding.startsWith(key) && /^[:.[]/.test(finding.slice(key.length)))
    .sort((a, b) => b.length - a.length)[0];
  if (path === undefined) return finding;
  // An item of a list has no place of its own; the finding's text identifies it.
  return `${places.get(path)}${finding.slice(path.length).replace(/^\[\d+\]/, "")}`;
}
