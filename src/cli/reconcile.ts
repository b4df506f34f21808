import { Command } from "commander";
import { UserError } from "../model/errors.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { type CommandContext, EXIT_DIFFERENCES, EXIT_FAILURE, load, stderrLog } from "./context.ts";
import { ledgerOption, openLedger } from "./ledger_option.ts";
import { ProgressLine } from "./progress_line.ts";
import { describeComparison, describeProgress } from "./reconcile_text.ts";
import { writeTrail } from "./trail.ts";
import { UsageError } from "./usage.ts";

interface ReconcileOptions {
  readonly apply?: boolean;
  readonly force?: boolean;
  readonly acceptScope?: boolean;
  readonly server?: string;
  readonly json?: boolean;
  readonly ledger?: string;
}

/** `reconcile`: compares what targets were told with what is in OpenStack. */
export function reconcileCommand(context: CommandContext): Command {
  return new Command("reconcile")
    .description(
      "Compare what targets were told with what is in OpenStack, and show what differs: lost notifications. Tells nothing, " +
        "unless --apply is given. The service may run; it does this by itself, each day and after gaps.",
    )
    .option("--apply", "tell the targets what differs, through the service")
    .option("--force", "with --apply: also more deletions than openstack.reconcile.maxDeletions")
    .option("--server <id>", "only this server, with its floating IPs")
    .option(
      "--accept-scope",
      "the account, region and endpoints are right, although they are not those of the last time",
    )
    .option("--json", "print JSON")
    .addOption(ledgerOption())
    .addHelpText("after", HELP)
    .action((options: ReconcileOptions) => run(options, context));
}

const HELP = `
Examples:
  oss-watcher reconcile
  oss-watcher reconcile --apply

A resource that seems to differ is asked for twice, a minute apart.

Exit codes: 0 agreement, or all was set in motion; 3 there are differences, and
nothing was told; 1 nothing can be concluded, or not of all: OpenStack refuses
us, does not answer, or is not the cloud of the last time.`;

async function run(options: ReconcileOptions, context: CommandContext): Promise<void> {
  const { apply = false, force = false, acceptScope = false, server, json = false, ledger } = options;
  if (force && !apply) throw new UsageError("Cannot use --force alone: it goes with --apply");
  const [{ config }, { reconcileOnce }, { systemClock }] = await Promise.all([
    load(context),
    import("../runtime/reconcile_once.ts"),
    import("../runtime/clock.ts"),
  ]);
  await using opened = await openLedger(ledger, context);
  if (apply || acceptScope) {
    const which = server === undefined ? "what differs from OpenStack" : `what differs of server ${server}`;
    await writeTrail(opened, {
      action: "reconcile",
      what: apply ? which : "the account, region and endpoints are accepted",
      details: { apply, force, acceptScope, server: server ?? null },
    });
  }
  const { terminal } = context;
  using line = new ProgressLine(terminal);
  const signal = context.stopSignal();
  const { report, plan } = await reconcileOnce(
    {
      config,
      ledger: opened.comparisons,
      clock: systemClock,
      random: Math.random,
      log: stderrLog(context.globals()),
      onProgress: (progress) => line.show(describeProgress(progress)),
    },
    { apply, force, acceptsScope: acceptScope, server: server ?? null },
    signal,
  ).catch((error) => {
    throw signal.aborted ? new UserError("Cannot finish the comparison: interrupted. Nothing was told") : error;
  });
  line.clear();
  if (plan === null) throw new UserError(`Cannot compare with OpenStack: ${report.problem}`);
  const { undecided, differences } = plan;
  const flags = acceptScope ? "--accept-scope" : "";
  terminal.print(
    json ? safeJson({ ...report, differences, undecided }) : describeComparison({ report, plan, terminal, flags }),
  );
  const isDone = report.outcome === "agreed" || report.outcome === "applied";
  if (isDone && report.undecided > 0) context.exit(EXIT_FAILURE);
  if (!isDone) context.exit(EXIT_DIFFERENCES);
}
