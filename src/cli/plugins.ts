import { Command } from "commander";
import { didYouMean } from "../config/closest.ts";
import { UserError } from "../model/errors.ts";
import type { LedgerOperations } from "../model/operations.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import type { CommandContext } from "./context.ts";
import { ledgerOption, openLedger } from "./ledger_option.ts";
import { describePaused, describePlugins, describeResumed, describeTried, pausedWords } from "./plugins_text.ts";
import { writeTrail } from "./trail.ts";
import { whoRuns } from "./who.ts";
import { shellWord } from "../wire/escaping/shell_word.ts";

interface LedgerOption {
  readonly ledger?: string;
}

interface ActionOptions extends LedgerOption {
  readonly json?: boolean;
}

/** `plugins`: the state of each plugin's target, and its backlog. */
export function pluginsCommand(context: CommandContext): Command {
  const plugins = new Command("plugins")
    .description(
      "List the plugins: how many deliveries were made, wait or were given up, and whether the target is reached, or the " +
        "plugin is paused.",
    )
    .option("--json", "print one line of JSON each")
    .addOption(ledgerOption())
    .addHelpText("after", "\nExample:\n  oss-watcher plugins")
    .action(async ({ ledger, json }: LedgerOption & { readonly json?: boolean }) => {
      await using opened = await openLedger(ledger, context);
      const [states, seenAt] = [await opened.pluginStates(), await opened.serviceSeenAt()];
      if (json) { for (const state of states) context.terminal.print(safeJson(state)); }
      else context.terminal.print(describePlugins(states, { seenAt, now: Date.now() }));
    });
  plugins.addCommand(tryCommand(context));
  plugins.addCommand(pauseCommand(context));
  plugins.addCommand(resumeCommand(context));
  return plugins;
}

function pauseCommand(context: CommandContext): Command {
  return new Command("pause")
    .summary("let a plugin's deliveries wait")
    .description(
      "Let the deliveries of a plugin wait, in order, until it is resumed, also over restarts. The service attempts nothing more " +
        "after two seconds; attempts in flight end. No delivery is given up because of the pause.",
    )
    .argument("<plugin>", "the name of the plugin")
    .option("--json", "print one line of JSON")
    .addOption(ledgerOption())
    .addHelpText("after", "\nExample:\n  oss-watcher plugins pause RestNotify")
    .action(async (name: string, { ledger, json }: ActionOptions) => {
      await using opened = await openLedger(ledger, context);
      await requireKnownPlugin(name, opened);
      const isPaused = (await opened.pauses()).has(name);
      if (!isPaused) await writeTrail(opened, { action: "pause", what: name });
      const isNew = !isPaused && await opened.pause(name, whoRuns());
      const paused = (await opened.pauses()).get(name);
      const seen = { seenAt: await opened.serviceSeenAt(), now: Date.now() };
      const told = { isNew, paused: paused ?? null };
      context.terminal.print(json ? safeJson({ plugin: name, ...told }) : describePaused(name, { ...told, ...seen }));
    });
}

function resumeCommand(context: CommandContext): Command {
  return new Command("resume")
    .summary("go on with a plugin that is paused")
    .description("End the pause of a plugin: the service delivers what has waited, in order, within two seconds.")
    .argument("<plugin>", "the name of the plugin")
    .option("--json", "print one line of JSON")
    .addOption(ledgerOption())
    .addHelpText("after", "\nExample:\n  oss-watcher plugins resume RestNotify")
    .action(async (name: string, { ledger, json }: ActionOptions) => {
      await using opened = await openLedger(ledger, context);
      await requireKnownPlugin(name, opened);
      const isPaused = (await opened.pauses()).has(name);
      if (isPaused) await writeTrail(opened, { action: "resume", what: name });
      const wasPaused = isPaused && await opened.resume(name);
      const seen = { seenAt: await opened.serviceSeenAt(), now: Date.now() };
      context.terminal.print(
        json ? safeJson({ plugin: name, wasPaused }) : describeResumed(name, { wasPaused, ...seen }),
      );
    });
}

function tryCommand(context: CommandContext): Command {
  return new Command("try")
    .summary("try a plugin's target now")
    .description(
      "Try deliveries that wait for their next attempt at once, and probe a target that cannot be reached. The service does so " +
        "within two seconds, instead of in up to retry.maxDelaySeconds (300).",
    )
    .argument("<plugin>", "the name of the plugin")
    .option("--json", "print one line of JSON")
    .addOption(ledgerOption())
    .addHelpText("after", "\nExample:\n  oss-watcher plugins try RestNotify")
    .action(async (name: string, { ledger, json }: ActionOptions) => {
      await using opened = await openLedger(ledger, context);
      await requireKnownPlugin(name, opened);
      await requireConfigured(name, opened);
      await requireRunning(name, opened);
      await writeTrail(opened, { action: "try", what: name });
      const count = await opened.tryNow(name);
      const seen = { seenAt: await opened.serviceSeenAt(), now: Date.now() };
      context.terminal.print(
        json ? safeJson({ plugin: name, waited: count }) : describeTried(name, { count, ...seen }),
      );
    });
}

/** @throws {UserError} when the service would never try the plugin. */
async function requireConfigured(plugin: string, ledger: LedgerOperations): Promise<void> {
  if (await ledger.isConfigured(plugin)) return;
  throw new UserError(
    `Cannot try the plugin "${plugin}": the service runs without it. Add it to config.ts and restart the service; ` +
      `to give up what waits for it: oss-watcher events drop --plugin ${shellWord(plugin)}`,
  );
}

/** @throws {UserError} when the plugin is paused. */
async function requireRunning(plugin: string, ledger: LedgerOperations): Promise<void> {
  const paused = (await ledger.pauses()).get(plugin);
  if (paused === undefined) return;
  throw new UserError(
    `Cannot try the plugin "${plugin}": it is ${pausedWords(paused)}. Go on with it: oss-watcher plugins resume ${
      shellWord(plugin)
    }`,
  );
}

/** @throws {UserError} when the ledger knows no plugin of this name. */
export async function requireKnownPlugin(plugin: string, ledger: LedgerOperations): Promise<void> {
  const known = await ledger.plugins();
  if (known.includes(plugin)) return;
  const names = known.length === 0 ? "none yet" : known.join(", ");
  throw new UserError(`Cannot find the plugin "${plugin}": the ledger knows ${names}${didYouMean(plugin, known)}`);
}
