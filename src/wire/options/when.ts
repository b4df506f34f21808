import type { Detail } from "../../model/detail.ts";
import { PermanentError } from "../../model/errors.ts";
import type { Subject } from "../../model/event.ts";
import type { Plugin } from "../../model/plugin.ts";
import { FILTER, type Filterable, filterOf, type PluginFilter } from "../../model/plugin_filter.ts";
import { printable } from "../escaping/printable.ts";
import { callUserFunction } from "./call_user_function.ts";
import { allOptionProblems, optional, type OptionRules, refuseProblems } from "./option_rules.ts";
import { BOOLEAN, isOneOf, isText } from "./option_values.ts";

/** Which events {@linkcode when} lets through to a plugin: those that all of these allow. */
export interface WhenOptions {
  /** `server`, or `floatingip` for associations of floating IPs. @default both */
  readonly subjects?: readonly Subject[];
  /** Ids of projects, or names, of which a detail must have the one or the other. @default all */
  readonly projects?: readonly string[];
  /** `true`: creations and updates alone. `false`: deletions alone. @default both */
  readonly created?: boolean;
  /**
   * Called once for each creation, and for a deletion whose creation the plugin was never offered. It
   * must answer at once with `true` or `false`. What a tenant may change, as metadata, counts as it is
   * in that moment.
   */
  readonly match?: (detail: Detail, created: boolean) => boolean;
}

/** The longest that a `match` may take: the service does nothing else meanwhile. */
const MAX_MATCH_MS = 5000;

/**
 * A plugin that is told only what matches. The rest is done at once, without a call of the plugin,
 * and shown as `skipped`. Updates and the deletion follow the creation: they are told if that was
 * told, and skipped if that was skipped, however filter or resource have changed meanwhile. Name and
 * abilities are those of the plugin.
 *
 * When `match` throws, answers something else, or takes 5 s or more, the delivery is a dead letter.
 *
 * @throws {TypeError} naming every option that is wrong.
 *
 * @example
 * ```ts
 * import { when } from "oss-watcher";
 * import { EventLog } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const log = new EventLog({ name: "Production" });
 * const plugin = when(log, { subjects: ["server"], match: ({ Metadata }) => Metadata.stage === "production" });
 *
 * assert.equal(plugin.name, "Production");
 * assert.throws(() => when(log, { projects: [] }), /^TypeError: Cannot make when: projects: must be a list/);
 * ```
 */
export function when(plugin: Plugin, options: WhenOptions = {}): Plugin {
  if (typeof plugin !== "object" || plugin === null || typeof plugin.notify !== "function") {
    throw new TypeError("Cannot make when: its first argument must be a plugin, as new EventLog(), with notify");
  }
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError("Cannot make when: needs an object of options, as when(plugin, { … })");
  }
  refuseProblems("Cannot make when", allOptionProblems(options, RULES));
  return filtered(plugin, new Filter(plugin, options));
}

const RULES: OptionRules<WhenOptions> = {
  subjects: optional(
    isListOf(isOneOf("server", "floatingip")),
    `must be a list of "server" and "floatingip", not empty`,
  ),
  projects: optional(isListOf(isText), "must be a list of ids or names, not empty"),
  created: BOOLEAN,
  match: optional((value) => typeof value === "function", "must be a function of detail and created"),
};

function isListOf(allows: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => Array.isArray(value) && value.length > 0 && value.every(allows);
}

/** The optional members of a plugin; the compiler names one that is left out. */
const OPTIONAL_MEMBERS = {
  update: true,
  preview: true,
  previewUpdate: true,
  check: true,
  list: true,
  expected: true,
  [Symbol.asyncDispose]: true,
} as const satisfies Record<Exclude<keyof Plugin, "name" | "notify">, true>;

/** The plugin with a filter. It has the members that the plugin has; they run on the plugin itself. */
function filtered(plugin: Plugin, filter: PluginFilter): Plugin {
  const members = [...Object.keys(OPTIONAL_MEMBERS), Symbol.asyncDispose] as readonly (keyof typeof OPTIONAL_MEMBERS)[];
  const own: Filterable = {
    name: nameOf(plugin),
    notify: (...given) => plugin.notify(...given),
    [FILTER]: filter,
    ...Object.fromEntries(
      members.filter((member) => plugin[member] !== undefined).map((member) => {
        const method = plugin[member];
        return [member, typeof method === "function" ? method.bind(plugin as never) : method];
      }),
    ),
  };
  return own;
}

function nameOf(plugin: Plugin): string {
  if (plugin.name !== undefined) return plugin.name;
  const className = plugin.constructor?.name ?? "";
  return className === "Object" ? "" : className;
}

class Filter implements PluginFilter {
  readonly plugin: Plugin;
  readonly options: readonly WhenOptions[];
  readonly #own: WhenOptions;
  readonly #inner: PluginFilter | null;

  constructor(plugin: Plugin, options: WhenOptions) {
    this.#inner = filterOf(plugin);
    this.#own = { ...options };
    this.plugin = this.#inner?.plugin ?? plugin;
    this.options = [this.#own, ...(this.#inner?.options ?? [])];
  }

  tells(created: boolean): boolean {
    return (this.#own.created ?? created) === created && this.#inner?.tells(created) !== false;
  }

  matches(detail: Detail, event: { readonly subject: Subject; readonly created: boolean }): boolean {
    const { subjects, projects } = this.#own;
    if (subjects !== undefined && !subjects.includes(event.subject)) return false;
    if (this.#inner?.matches(detail, event) === false) return false;
    return this.#isOfProjects(detail, projects) && this.#match(detail, event.created);
  }

  #isOfProjects({ ProjectID: id, ProjectName: name }: Detail, projects: readonly string[] | undefined): boolean {
    if (projects === undefined) return true;
    if (projects.some((project) => project === id || project === name)) return true;
    if (id === null || name !== null || projects.every((project) => ID.test(project))) return false;
    throw new PermanentError(
      `Cannot tell whether projects of when allow an event for ${nameOf(this.plugin)}: the name of project ${
        printable(id, 80)
      } is unknown. List ids, or add a section openstack to config.ts`,
    );
  }

  #match(detail: Detail, created: boolean): boolean {
    const { match } = this.#own;
    if (match === undefined) return true;
    const startedMs = performance.now();
    const isMatch = callUserFunction<boolean>(
      {
        plugin: nameOf(this.plugin),
        option: "when.match",
        allows: (value) => typeof value === "boolean",
        allowed: "true or false",
      },
      () => match(detail, created),
    );
    const tookMs = performance.now() - startedMs;
    if (tookMs < MAX_MATCH_MS) return isMatch;
    throw new PermanentError(
      `Cannot make when.match of ${nameOf(this.plugin)}: its function in config.ts took ${
        (tookMs / 1000).toFixed(1)
      } s; it must answer at once`,
    );
  }
}

/** An id of a project, as Keystone makes them; names may look otherwise. */
const ID = /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
