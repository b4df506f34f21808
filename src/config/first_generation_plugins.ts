import { listItems } from "./ini_options.ts";
import type { PlanDraft } from "./plan_draft.ts";
import type { PlannedPlugin, PlanObject } from "./plan.ts";

/** The first generation's package of plugins. */
const PACKAGE = "oss_framework.plugins.";
const REST_NOTIFY = "rest_plugin.RESTNotify";

/** The first generation's log line for a loaded plugin, to the letter. */
export function formerLoadedLine(formerName: string): string {
  return `Plugin \`${PACKAGE}${formerName}\`is loaded.`;
}

/**
 * The plugins of `enabled_plugins`: `rest_plugin.RESTNotify`, and `module.Class` for class `Class`
 * of plugins/module.ts beside the file.
 */
export function planPlugins(draft: PlanDraft, name: string): readonly PlannedPlugin[] {
  const enabled = draft.find("DEFAULT", "enabled_plugins");
  const place = enabled?.place ?? `${name}: enabled_plugins of [DEFAULT]`;
  draft.places.set("plugins", place);
  const names = listItems(enabled?.text ?? "").map((one) => one.startsWith(PACKAGE) ? one.slice(PACKAGE.length) : one);
  if (names.length === 0) draft.mistakes.push(`${place}: names no plugin. Write enabled_plugins = ${REST_NOTIFY}`);
  for (const twice of new Set(names.filter((one, index) => names.indexOf(one) !== index))) {
    draft.mistakes.push(`${place}: names ${twice} twice. Keep one`);
  }
  if (!names.includes(REST_NOTIFY)) warnOfRest(draft, place);
  const plugins = [...new Set(names)].flatMap((one) => planPlugin(one, { draft, place }));
  warnOfClasses(draft, plugins);
  return plugins;
}

/** A plugin's name, also in the ledger, is its class's name unless the plugin sets another. */
function warnOfClasses({ warnings }: PlanDraft, plugins: readonly PlannedPlugin[]): void {
  for (const [className, alike] of Map.groupBy(plugins, (plugin) => plugin.className)) {
    if (alike.length === 1) continue;
    const names = alike.map(({ formerName }) => formerName).join(" and ");
    warnings.push(
      `${
        alike[0]?.place
      }: ${names} have one name, ${className}. Write readonly name = "…" into the class of all but one`,
    );
  }
}

function planPlugin(
  name: string,
  { draft, place }: { readonly draft: PlanDraft; readonly place: string },
): PlannedPlugin[] {
  if (name === REST_NOTIFY) return [planRestNotify(draft, place)];
  const [, module, className] = /^([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.([A-Za-z_]\w*)$/.exec(name) ?? [];
  if (module === undefined || className === undefined) {
    draft.mistakes.push(
      `${place}: "${name}" is no plugin. Write module.Class, as new_plugin.YourPlugin for class YourPlugin of plugins/new_plugin.ts`,
    );
    return [];
  }
  return [{ className, module: `./plugins/${module.replaceAll(".", "/")}.ts`, formerName: name, place }];
}

function planRestNotify(draft: PlanDraft, place: string): PlannedPlugin {
  const options: PlanObject = draft.sections.rest ?? {};
  warnOfPort(draft, options);
  draft.remarks.set("RestNotify.body", `What that service sent. Without this line the detail is sent as JSON.`);
  return {
    className: "RestNotify",
    module: "oss-watcher/plugins",
    options: { ...options, body: "vco-xml" },
    formerName: REST_NOTIFY,
    place,
  };
}

/** Works as in the first generation; the author may not have intended this meaning. */
function warnOfPort(draft: PlanDraft, { host, port }: PlanObject): void {
  const scheme = typeof host === "string" ? /^(https?):/i.exec(host)?.[1]?.toLowerCase() : undefined;
  const place = draft.places.get("rest.port");
  if (scheme === "https" && port === 80) {
    draft.warnings.push(
      `${place}: host begins with https://, so TLS is spoken to port 80. If the service has its TLS elsewhere, write port = 443`,
    );
  }
  if (scheme === "http" && port === 443) {
    draft.warnings.push(
      `${place}: host begins with http://, so no TLS is spoken to port 443. If the service has TLS there, write host = https://…`,
    );
  }
}

function warnOfRest({ sections: { rest }, warnings }: PlanDraft, place: string): void {
  if (rest !== undefined) warnings.push(`${place}: does not name ${REST_NOTIFY}, so nothing is sent to [rest]`);
}
