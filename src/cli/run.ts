import { pluginsByName } from "../config/plugins_by_name.ts";
import type { Config } from "../model/config.ts";
import type { Logger } from "../model/plugin.ts";
import type { OpenedCloud } from "../runtime/openstack.ts";
import { load, type RunContext, stderrLog } from "./context.ts";
import { UsageError } from "./usage.ts";

export interface RunOptions {
  readonly dryRun?: readonly string[];
  readonly json?: boolean;
  readonly openstack?: boolean;
}

/** Without a command: runs the service, or a dry run with `--dry-run`. Returns the exit code. */
export async function run(
  { dryRun: files, json = false, openstack = false }: RunOptions,
  context: RunContext,
): Promise<number> {
  if (json && files === undefined) throw new UsageError("Cannot use --json: it goes with --dry-run FILE");
  if (openstack && files === undefined) throw new UsageError("Cannot use --openstack: it goes with --dry-run FILE");
  if (files !== undefined && files.indexOf("-") !== files.lastIndexOf("-")) {
    throw new UsageError("Cannot read standard input twice: give - once");
  }
  const loaded = await load(context);
  if (files !== undefined) {
    const { config } = loaded;
    const plugins = pluginsByName(loaded);
    const log = stderrLog(context.globals());
    const { dryRun } = await import("./dry_run.ts");
    await using cloud = openstack ? await openCloud(config, log) : undefined;
    const source = cloud === undefined ? {} : { source: cloud.source };
    return await dryRun(files, { config, plugins, log, terminal: context.terminal, json, ...source });
  }
  const { serve } = await import("./serve.ts");
  await serve(loaded, context);
  return 0;
}

async function openCloud({ openstack }: Config, log: (part: string) => Logger): Promise<OpenedCloud> {
  const [{ openCloudOnce }, { systemClock }] = await Promise.all([
    import("../runtime/openstack.ts"),
    import("../runtime/clock.ts"),
  ]);
  return await openCloudOnce(openstack, { clock: systemClock, random: Math.random, log: log("openstack") });
}
