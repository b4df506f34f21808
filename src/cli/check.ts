import { Command } from "commander";
import type { LoadedConfig } from "../config/load_config.ts";
import { ConfigError, UserError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import { redact } from "../wire/secrets/redact.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { describeFindings } from "./check_text.ts";
import { type CommandContext, EXIT_FAILURE, load } from "./context.ts";
import { programFile } from "./init.ts";

interface CheckCommandOptions {
  readonly connect?: boolean;
  readonly management?: string;
  readonly json?: boolean;
}

const SAMPLE = "samples/compute.instance.create.end.json";

/** `check`: every mistake of a configuration, at once. */
export function checkCommand(context: CommandContext): Command {
  return new Command("check")
    .description("Load the configuration and report every mistake in it. Sends nothing and changes nothing.")
    .option("--connect", "also log in to RabbitMQ and Keystone, and ask every plugin's target")
    .option("--management <url>", "RabbitMQ's management API, if it is not on port 15672 (TLS: 15671) of the broker")
    .option("--json", "print one line of JSON")
    .addHelpText("after", HELP)
    .action((options: CheckCommandOptions) => run(options, context));
}

const HELP = `
Examples:
  oss-watcher check
  oss-watcher --config new/config.ts check --connect

Exit codes: 0 no errors, perhaps warnings; 1 errors.`;

async function run(options: CheckCommandOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const findings = (await findAll(options, context)).map((one) => ({ ...one, text: redact(one.text) }));
  const isGood = findings.every(({ level }) => level !== "error");
  terminal.print(options.json ? safeJson({ ok: isGood, findings }) : describeFindings(findings, terminal));
  if (!isGood) context.exit(EXIT_FAILURE);
}

async function findAll(options: CheckCommandOptions, context: CommandContext): Promise<readonly Finding[]> {
  const loaded = await loadOrFind(context);
  if ("findings" in loaded) return loaded.findings;
  const findings = await checkLoaded(loaded);
  if (!options.connect) return findings;
  const asked = await checkConnections(loaded, { ...options, context });
  return withoutDuplicates([...findings, ...asked]);
}

/**
 * A broker or a target repeats findings of this machine; a missing right is found for each
 * exchange.
 */
function withoutDuplicates(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.key}: ${finding.text}`, finding])).values()];
}

/** Findings that need no connection. A reload refuses a configuration with errors among them. */
export async function checkLoaded(loaded: LoadedConfig): Promise<readonly Finding[]> {
  const { checkConfiguration } = await import("../inspect/check/configuration.ts");
  return await checkConfiguration(loaded, { sample: await Deno.readFile(programFile(SAMPLE)) });
}

/** The configuration, or the mistakes because of which it cannot be loaded. */
async function loadOrFind(context: CommandContext): Promise<LoadedConfig | { readonly findings: readonly Finding[] }> {
  try {
    return await load(context);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (!(error instanceof ConfigError)) return { findings: [{ level: "error", key: "config", text: error.message }] };
    const { findingOfLine } = await import("../inspect/check/configuration.ts");
    return { findings: error.findings.map((line) => ({ ...findingOfLine(line), level: "error" })) };
  }
}

async function checkConnections(
  loaded: LoadedConfig,
  { management, context }: CheckCommandOptions & { readonly context: CommandContext },
): Promise<readonly Finding[]> {
  const [
    { keyedSources },
    { checkRabbit },
    { checkLedgerServer, checkPauses },
    { checkOpenStackAccess, checkPlugins },
    { systemClock },
  ] = await Promise
    .all([
      import("../inspect/check/configuration.ts"),
      import("../inspect/check/rabbit.ts"),
      import("../inspect/check/ledger.ts"),
      import("../inspect/check/targets.ts"),
      import("../runtime/clock.ts"),
    ]);
  const { terminal } = context;
  const signal = context.stopSignal();
  const { config } = loaded;
  const at = management === undefined ? {} : { management };
  terminal.error("Asking RabbitMQ, OpenStack and the plugins' targets …");
  const found = await Promise.all([
    ...keyedSources(config).map((source) => checkRabbit({ ...source, ...at, signal })),
    ...(config.openstack === undefined ? [] : [checkOpenStackAccess(config.openstack, { clock: systemClock, signal })]),
    checkPlugins(loaded, signal),
    checkLedgerServer(config),
    checkPauses(loaded),
  ]);
  return found.flat();
}
