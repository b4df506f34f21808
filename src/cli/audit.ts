import { Command } from "commander";
import { didYouMean } from "../config/closest.ts";
import type { LoadedConfig } from "../config/load_config.ts";
import type { AuditedTarget } from "../inspect/audit/audit_target.ts";
import type { LedgerPlace } from "../ledger/place.ts";
import type { DeliveredLedger } from "../model/delivered.ts";
import { UserError } from "../model/errors.ts";
import type { Plugin } from "../model/plugin.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { redact } from "../wire/secrets/redact.ts";
import { describeAudit, jsonOfAudit } from "./audit_text.ts";
import { type CommandContext, EXIT_DIFFERENCES, EXIT_FAILURE, load } from "./context.ts";
import { ledgerOption } from "./ledger_option.ts";
import { writeTrail } from "./trail.ts";

interface AuditCommandOptions {
  readonly plugin?: readonly string[];
  readonly apply?: boolean;
  readonly json?: boolean;
  readonly ledger?: string;
}

/** `audit`: compares what targets hold with what was delivered to them. */
export function auditCommand(context: CommandContext): Command {
  return new Command("audit")
    .description(
      "Compare what the plugins' targets hold with what the ledger says was delivered: servers and floating IPs that are " +
        "missing (+), orphaned (-) or different (~). Changes nothing without --apply. The service may run.",
    )
    .option(
      "--plugin <name>",
      "only the target of this plugin; repeatable",
      (name: string, names: readonly string[] = []) => [...names, name],
    )
    .option("--apply", "repair: make the deliveries again, in order; the service does so within two seconds")
    .option("--json", "print JSON")
    .addOption(ledgerOption())
    .addHelpText("after", HELP)
    .action((options: AuditCommandOptions) => run(options, context));
}

const HELP = `
Examples:
  oss-watcher audit
  oss-watcher audit --plugin LdapDirectory --apply

Exit codes: 0 all as delivered, or all repairs begun; 1 a target cannot be
listed, or bad input; 3 differences that were found and not repaired.`;

async function run(options: AuditCommandOptions, context: CommandContext): Promise<void> {
  const [loaded, { auditTarget }] = await Promise.all([load(context), import("../inspect/audit/audit_target.ts")]);
  const chosen = choose(loaded, options.plugin);
  const place = await placeOfLedger(options.ledger, loaded);
  const { openDelivered, openOperations } = await import("../ledger/open_ledger.ts");
  await using ledger: DeliveredLedger = await openDelivered(place);
  const signal = context.stopSignal();
  const isApplied = options.apply ?? false;
  if (isApplied) {
    await using operations = await openOperations(place);
    await writeTrail(operations, { action: "audit", what: `repairs of ${chosen.map(({ name }) => name).join(", ")}` });
  }
  const audited: AuditedTarget[] = [];
  for (const { name, plugin } of chosen) {
    const target = await auditTarget({ name, plugin, ledger, isApplied, now: Date.now, signal }).catch((error) => {
      throw signal.aborted ? new UserError(`Cannot finish the audit of "${name}": interrupted`) : error;
    });
    audited.push(withoutSecrets(target));
    await Promise.resolve(plugin[Symbol.asyncDispose]?.()).catch(() => {});
  }
  context.terminal.print(options.json ? safeJson(jsonOfAudit(audited)) : describeAudit(audited, context.terminal));
  context.exit(exitCodeOf(audited, { isNamed: options.plugin !== undefined }));
}

/** Errors are a plugin's texts. */
function withoutSecrets(target: AuditedTarget): AuditedTarget {
  return "error" in target && target.error !== null ? { ...target, error: redact(target.error) } : target;
}

/** The plugins to audit: those that are named, or all. */
function choose(
  { config, pluginNames }: LoadedConfig,
  named: readonly string[] | undefined,
): readonly { readonly name: string; readonly plugin: Plugin }[] {
  const all = config.plugins.map((plugin, index) => ({ name: pluginNames[index] as string, plugin }));
  const unknown = named?.find((name) => !pluginNames.includes(name));
  if (unknown !== undefined) {
    throw new UserError(
      `Cannot audit the plugin "${unknown}": the configuration has ${pluginNames.join(", ")}` +
        didYouMean(unknown, pluginNames),
    );
  }
  return named === undefined ? all : all.filter(({ name }) => named.includes(name));
}

async function placeOfLedger(given: string | undefined, { config }: LoadedConfig): Promise<LedgerPlace> {
  const { placeNamed, placeOf } = await import("../ledger/place.ts");
  return given === undefined ? placeOf(config.ledger) : placeNamed(given);
}

/** A plugin that was named and cannot be audited is a failure; one of all is not. */
function exitCodeOf(audited: readonly AuditedTarget[], { isNamed }: { readonly isNamed: boolean }): number {
  const hasFailed = ({ outcome }: AuditedTarget) => outcome === "failed" || (isNamed && outcome === "not listed");
  if (audited.some(hasFailed)) return EXIT_FAILURE;
  return audited.some(remains) ? EXIT_DIFFERENCES : 0;
}

function remains(target: AuditedTarget): boolean {
  if (target.outcome !== "audited") return false;
  const { differences, repair } = target;
  return repair === null
    ? differences.length > 0
    : repair.remaining > 0 || repair.redelivered.some(({ refused }) => refused !== null);
}
