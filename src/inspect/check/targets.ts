import type { LoadedConfig } from "../../config/load_config.ts";
import type { OpenStackOptions } from "../../model/config.ts";
import { UserError } from "../../model/errors.ts";
import type { Clock } from "../../model/clock.ts";
import type { Finding } from "../../model/finding.ts";
import type { Logger, Plugin } from "../../model/plugin.ts";
import type { Ability } from "../../openstack/abilities.ts";
import { OpenStackUnavailable } from "../../openstack/errors.ts";
import { Deadline } from "../../wire/deadline.ts";
import { openOpenStack } from "../../runtime/openstack.ts";

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const CHECK_SECONDS = 30;

/** Logs in at Keystone, and asks each service for the rights of our account. */
export async function checkOpenStackAccess(
  options: OpenStackOptions,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<readonly Finding[]> {
  const key = "openstack";
  try {
    await using api = await openOpenStack(options, { clock, log: SILENT });
    await api.check(signal);
    const abilities = await api.abilities(signal);
    return [
      { level: "ok", key, text: "logged in; Nova, Neutron and Glance are there" },
      ...abilities.map((ability) => findingOf(key, ability)),
      { level: "unchecked", key, text: "whether Neutron shows ports of other projects: it leaves them out in silence" },
    ];
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof OpenStackUnavailable)) throw error;
    return [{ level: "error", key, text: error.message }];
  }
}

function findingOf(key: string, { service, what, allowed, lost, remedy }: Ability): Finding {
  return allowed
    ? { level: "ok", key, text: `our account may ${what} (${service})` }
    : { level: "warning", key, text: `our account may not ${what} (${service}): ${lost}; ${remedy}` };
}

/** Runs every plugin's own check, all at once, each for at most 30 s. */
export function checkPlugins(
  { config, pluginNames }: Pick<LoadedConfig, "config" | "pluginNames">,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  return Promise.all(config.plugins.map((plugin, index) => {
    return checkPlugin(plugin, { key: `plugins[${index}] ${pluginNames[index]}`, signal });
  }));
}

async function checkPlugin(
  plugin: Plugin,
  { key, signal }: { readonly key: string; readonly signal: AbortSignal },
): Promise<Finding> {
  if (plugin.check === undefined) return { level: "unchecked", key, text: "its target: it has no check" };
  using deadline = new Deadline(signal, CHECK_SECONDS);
  try {
    await deadline.race(Promise.resolve(plugin.check(deadline.signal)));
    return { level: "ok", key, text: "its target is there" };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { level: "error", key, text: `${text}. Its events wait until that is mended` };
  } finally {
    await Promise.resolve(plugin[Symbol.asyncDispose]?.()).catch(() => {});
  }
}
