/** A value that config.ts takes from the environment, so that the secret does not stand in it. */
export class Secret {
  readonly variable: string;
  readonly value: string;
  /** Where the value stands now, as `oss.conf:18: password of [rest]`. */
  readonly place: string;
  /** What of that the value is, if it is not the whole. */
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

/** One plugin: a class of a module, and what its constructor gets. */
export interface PlannedPlugin {
  readonly className: string;
  /** `oss-watcher/plugins`, or a path that begins beside the configuration, as `./plugins/new_plugin.ts`. */
  readonly module: string;
  /** Absent: the constructor gets nothing. */
  readonly options?: PlanObject;
  /** How the first generation called it, as `rest_plugin.RESTNotify`; `null` for a plugin that it did not have. */
  readonly formerName: string | null;
  /** Where it is enabled. */
  readonly place: string;
}

/**
 * What a config.ts says, as data: it can be used at once, or be written. Both ways lead to the same `Config`, since there is only this to
 * make it from.
 */
export interface Plan {
  /** It was made from what a service of OpenStack says of RabbitMQ, and from nothing else. */
  readonly isOfService: boolean;
  /** Everything but the plugins. */
  readonly sections: PlanObject;
  readonly plugins: readonly PlannedPlugin[];
  /** Where the value of a key was set, by its path, as `rabbit.port`. */
  readonly places: ReadonlyMap<string, string>;
  /** What whoever reads config.ts should know, by the path of the key. */
  readonly remarks: ReadonlyMap<string, string>;
  /** What keeps it from being used: place, what was found, what to do. */
  readonly mistakes: readonly string[];
  /** What works, and probably not as it was meant. */
  readonly warnings: readonly string[];
  /** What stands in the files and nothing reads. */
  readonly unread: readonly Unread[];
}

export interface Unread {
  readonly place: string;
  /** On one line; `null` where it may hold a secret. */
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

/** A mistake that was found in the configuration, told of the place in the file where its value was set. */
export function atPlace(finding: string, places: ReadonlyMap<string, string>): string {
  const path = [...places.keys()]
    .filter((key) => finding.startsWith(key) && /^[:.[]/.test(finding.slice(key.length)))
    .sort((a, b) => b.length - a.length)[0];
  if (path === undefined) return finding;
  // An item of a list has no place of its own; what was found tells which it is.
  return `${places.get(path)}${finding.slice(path.length).replace(/^\[\d+\]/, "")}`;
}
