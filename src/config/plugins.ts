import { isRecord } from "../model/is_record.ts";
import type { Plugin } from "../model/plugin.ts";
import { describeValue, isClass } from "./describe.ts";
import { type Finding } from "./parts.ts";

/** The name of a plugin: its own, else its class's; empty when it has neither. */
export function pluginName(plugin: Plugin): string {
  if (plugin.name !== undefined) return plugin.name;
  const className = plugin.constructor?.name ?? "";
  return className === "Object" ? "" : className;
}

/** Why a value cannot be used as a plugin; `undefined` when it can. */
export function pluginProblem(value: unknown): string | undefined {
  const found = `found ${describeValue(value)}`;
  if (isClass(value)) return `${found}, not an object of it; did you forget "new"?`;
  if (!hasNotify(value)) return `has no notify(detail, created); ${found}`;
  const wrong = ["update", "preview", "previewUpdate", "check"].filter((ability) =>
    !["undefined", "function"].includes(typeof value[ability])
  );
  if (wrong.length > 0) return `${wrong.join(" and ")} must be a function; ${found}`;
  if (!["undefined", "string"].includes(typeof value.name)) return `name must be a string; ${found}`;
  const name = pluginName(value);
  if (name === "") return `has no name, and no class to take it from; give it one, as name: "cmdb"; ${found}`;
  return /^\P{C}{1,100}$/u.test(name) ? undefined : `name must have 1 to 100 visible characters; ${found}`;
}

/** A finding for every plugin whose name another has already. */
export function duplicateNames(plugins: unknown): Finding[] {
  if (!Array.isArray(plugins)) return [];
  const names = plugins.map((plugin) => pluginProblem(plugin) === undefined ? pluginName(plugin) : undefined);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (name === undefined || first === index) return [];
    return [{
      keys: [index],
      message: `has the same name as plugins[${first}], "${name}"; set the option name of one`,
    }];
  });
}

/** Whether a plugin is told of updates. */
export function canUpdate(plugin: unknown): boolean {
  return isRecord(plugin) && typeof plugin.update === "function";
}

function hasNotify(value: unknown): value is Plugin & Record<string, unknown> {
  return isRecord(value) && typeof value.notify === "function";
}
