/**
 * Loads `config.ts` and `oss.conf` of each directory that it is given and finds them the same, plugins and all. Run with an import map in
 * which `oss-watcher/plugins` is recorded_plugins.ts; `variables.json` holds the environment. Prints what each was, plugins by class.
 */
import assert from "node:assert/strict";
import { loadConfig, type LoadedConfig } from "../../src/config/load_config.ts";

const fallback = () => Promise.reject(new Error("there is a configuration"));
const builtIn = () => import("./recorded_plugins.ts");
const read: unknown[] = [];
for (const cwd of Deno.args) {
  const variables: Record<string, string> = JSON.parse(await Deno.readTextFile(`${cwd}/variables.json`));
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  const migrated = await loadConfig({ cwd, path: "config.ts", fallback });
  const direct = await loadConfig({ cwd, ini: { paths: ["oss.conf"], builtIn }, fallback });
  assert.deepEqual(migrated.config, direct.config, cwd);
  assert.deepEqual(migrated.pluginNames, direct.pluginNames, cwd);
  for (const name of Object.keys(variables)) Deno.env.delete(name);
  read.push(plain(migrated));
}
await new Response(JSON.stringify(read)).body?.pipeTo(Deno.stdout.writable);

function plain({ config: { plugins, log, ...config } }: LoadedConfig) {
  const classes = plugins.map((
    plugin,
  ) => [plugin.constructor.name, (plugin as { options?: unknown[] }).options ?? null]);
  return { config: { ...config, ...log && { log } }, plugins: classes };
}
