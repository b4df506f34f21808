/** Loads the configuration that its arguments name, as main.ts does, and prints what came of it: for tests of other directories. */
import { loadConfig } from "../../src/config/load_config.ts";
import { UserError } from "../../src/model/errors.ts";

const [path] = Deno.args;
try {
  const { pluginNames, ...loaded } = await loadConfig({
    ...(path === undefined ? {} : { path }),
    cwd: Deno.cwd(),
    systemPath: "/nonexistent/config.ts",
    fallback: () => import("../../config.ts"),
  });
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify({ path: loaded.path, pluginNames })));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  await Deno.stderr.write(new TextEncoder().encode(error.message));
  Deno.exitCode = 1;
}
