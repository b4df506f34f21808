import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { firstKeys } from "../model/audit_trail.ts";
import { UserError } from "../model/errors.ts";
import {
  type LedgerOperations,
  type Listed,
  LISTED_STATES,
  type ListedState,
  type ListFilter,
  type OperatorResult,
  type Selection,
} from "../model/operations.ts";
import { printable } from "../wire/escaping/printable.ts";
import { redact } from "../wire/secrets/redact.ts";
import { type CommandContext, EXIT_FAILURE } from "./context.ts";
import {
  describeEnd,
  describeEvent,
  describeFirst,
  describeMore,
  describeResults,
  describeSelection,
  listLayout,
} from "./events_text.ts";
import { ledgerOption, openLedger } from "./ledger_option.ts";
import { wholeNumber } from "./numbers.ts";
import { requireKnownPlugin } from "./plugins.ts";
import { ProgressLine } from "./progress_line.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import type { Terminal } from "./terminal.ts";
import { writeTrail } from "./trail.ts";
import { UsageError } from "./usage.ts";

interface ListOptions {
  readonly ledger?: string;
  readonly state?: ListedState;
  readonly plugin?: string;
  readonly resource?: string;
  readonly since?: number;
  readonly limit: number;
  readonly watch?: boolean;
  readonly json?: boolean;
}

interface ChangeOptions {
  readonly ledger?: string;
  readonly plugin?: string;
  readonly dead?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `events`: lists deliveries, and replays or drops those that failed. */
export function eventsCommand(context: CommandContext): Command {
  const events = new Command("events")
    .description("List deliveries, and notifications that caused none, newest first.")
    .addOption(new Option("--state <state>", "only those in this state").choices(LISTED_STATES))
    .option("--plugin <name>", "only deliveries of this plugin")
    .option("--resource <which>", "only those of this server or floating IP: its id, name or address")
    .addOption(
      new Option("--since <time>", "only newer ones: 2026-11-21T18:00Z, or an age as 90m, 12h, 7d").argParser(time),
    )
    .addOption(new Option("--limit <n>", "at most this many").argParser(wholeNumber).default(50))
    .option("--watch", "go on with each that is new or has another state, until Ctrl-C")
    .option("--json", "print one line of JSON each")
    .addOption(ledgerOption())
    .addHelpText("after", EXAMPLES)
    .action((options: ListOptions) => list(options, context));
  events.addCommand(showCommand(context));
  events.addCommand(replayCommand(context));
  events.addCommand(dropCommand(context));
  return events;
}

const EXAMPLES = `
Examples:
  oss-watcher events --state dead --since 24h
  oss-watcher events --resource web-1
  oss-watcher events --watch --limit 5
  oss-watcher events --resource 4818c5b1-ac0b-4458-9eed-faf8936ad379
  oss-watcher events replay --dead --plugin RestNotify`;

function showCommand(context: CommandContext): Command {
  return new Command("show")
    .summary("show everything about one event")
    .description("Show everything about one event: notification, detail, and every plugin's attempts.")
    .addHelpText("after", "\nExample:\n  oss-watcher events show server/4818c5b1-ac0b-4458-9eed-faf8936ad379/creation")
    .argument("<key>", "its key in the list, as server/…/creation")
    .option("--json", "print JSON")
    .addOption(ledgerOption())
    .action(async (key: string, { ledger, json }: { readonly ledger?: string; readonly json?: boolean }) => {
      await using opened = await openLedger(ledger, context);
      const shown = await opened.show(key);
      if (shown === undefined) {
        throw new UserError(
          `Cannot show the event "${key}": the ledger has no event of this key. oss-watcher events lists them`,
        );
      }
      context.terminal.print(json ? safeJson(shown) : describeEvent(shown));
    });
}

function replayCommand(context: CommandContext): Command {
  return new Command("replay")
    .summary("retry dead or dropped deliveries")
    .description(
      "Retry dead or dropped deliveries, each at its old place in the order. One that was skipped is told " +
        "if its key and its plugin are named.",
    )
    .addHelpText("after", "\nExample:\n  oss-watcher events replay --dead --plugin RestNotify")
    .addArgument(new Argument("[key...]", "keys of events, as the list shows them"))
    .option("--dead", "all dead letters")
    .option("--plugin <name>", "only deliveries of this plugin")
    .option("--force", "even when a later event of the same server, name or address was delivered")
    .option("--json", "print one line of JSON")
    .addOption(ledgerOption())
    .action((keys: readonly string[], options: ChangeOptions) => {
      if (keys.length === 0 && !options.dead) {
        throw new UsageError("Cannot replay: no event is named. Name keys, or add --dead");
      }
      return changeDeliveries({ verb: "replayed", keys, options, context });
    });
}

function dropCommand(context: CommandContext): Command {
  return new Command("drop")
    .summary("give up deliveries for good")
    .addHelpText("after", "\nExample:\n  oss-watcher events drop --plugin OldPlugin")
    .description("Give up unfinished deliveries for good; later ones of the same server or address go on.")
    .addArgument(new Argument("[key...]", "keys of events, as the list shows them"))
    .option("--plugin <name>", "all unfinished deliveries of this plugin, or only its deliveries of the named events")
    .option("--json", "print one line of JSON")
    .addOption(ledgerOption())
    .action((keys: readonly string[], options: ChangeOptions) => {
      if (keys.length === 0 && options.plugin === undefined) {
        throw new UsageError("Cannot drop: no event is named. Name keys, or add --plugin NAME");
      }
      return changeDeliveries({ verb: "dropped", keys, options, context });
    });
}

async function list(
  { ledger, json = false, watch = false, ...filter }: ListOptions,
  context: CommandContext,
): Promise<void> {
  const { state, plugin, resource } = filter;
  if (plugin !== undefined && (state === "rejected" || state === "superseded")) {
    throw new UsageError(`Cannot use --plugin with --state ${state}: no plugin is called for those`);
  }
  if (resource !== undefined && state === "rejected") {
    throw new UsageError("Cannot use --resource with --state rejected: the resource of such a message is unknown");
  }
  await using opened = await openLedger(ledger, context);
  if (plugin !== undefined) await requireKnownPlugin(plugin, opened);
  if (watch) return await watchOpened(opened, { filter, json }, context);
  const pages = opened.list(filter);
  if (json) await printJson(pages, context.terminal);
  else await printText(pages, { limit: filter.limit, plugins: await opened.plugins(), terminal: context.terminal });
}

async function watchOpened(
  ledger: LedgerOperations,
  { filter, json }: { readonly filter: ListFilter; readonly json: boolean },
  { terminal, stopSignal }: CommandContext,
): Promise<void> {
  const [{ watchEvents }, { systemClock }] = await Promise.all([
    import("./events_watch.ts"),
    import("../runtime/clock.ts"),
  ]);
  await watchEvents({ ledger, filter, json, terminal, clock: systemClock }, stopSignal());
}

/** Prints page by page: all deliveries may not fit into memory. */
async function printJson(pages: AsyncIterable<readonly Listed[]>, terminal: Terminal): Promise<void> {
  for await (const page of pages) if (page.length > 0) terminal.print(page.map(safeJson).join("\n"));
}

async function printText(
  pages: AsyncIterable<readonly Listed[]>,
  { limit, plugins, terminal }: {
    readonly limit: number;
    readonly plugins: readonly string[];
    readonly terminal: Terminal;
  },
): Promise<void> {
  const layout = listLayout(plugins, terminal.width);
  let count = 0;
  for await (const page of pages) {
    if (page.length > 0) terminal.print(count === 0 ? describeFirst(page, layout) : describeMore(page, layout));
    count += page.length;
  }
  const last = describeEnd({ count, limit });
  if (last !== null) terminal.print(last);
}

async function changeDeliveries({ verb, keys, options, context }: {
  readonly verb: "replayed" | "dropped";
  readonly keys: readonly string[];
  readonly options: ChangeOptions;
  readonly context: CommandContext;
}): Promise<void> {
  await using opened = await openLedger(options.ledger, context);
  if (options.plugin !== undefined) await requireKnownPlugin(options.plugin, opened);
  const selection: Selection = {
    keys,
    ...(options.plugin === undefined ? {} : { plugin: options.plugin }),
    ...(options.dead === undefined ? {} : { dead: options.dead }),
  };
  await writeTrail(opened, {
    action: verb === "replayed" ? "replay" : "drop",
    what: describeSelection(selection),
    details: {
      keys: firstKeys(keys).map(redact),
      keyCount: keys.length,
      plugin: options.plugin ?? null,
      force: options.force ?? false,
    },
  });
  using line = new ProgressLine(context.terminal);
  line.show(`${verb === "replayed" ? "Replaying" : "Dropping"} …`);
  const treated: readonly OperatorResult[] = verb === "replayed"
    ? await opened.replay(selection, { force: options.force ?? false })
    : await opened.drop(selection);
  line.clear();
  const unknown = keys.filter((key) => !treated.some((one) => one.key === key));
  const { terminal } = context;
  for (const key of options.json ? [] : unknown) {
    const text = `Cannot find the event "${key}"${options.plugin ? ` for ${options.plugin}` : ""}`;
    terminal.error(printable(text));
  }
  terminal.print(options.json ? safeJson({ results: treated, unknown }) : describeResults(treated, verb));
  if (unknown.length > 0 || treated.some(({ refused }) => refused !== null)) context.exit(EXIT_FAILURE);
}

function time(text: string): number {
  const age = /^(\d+)([smhd])$/.exec(text);
  if (age !== null) return Date.now() - Number(age[1]) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[age[2] as "s"]) * 1000;
  const [, date, clock = "00:00", zone = "Z"] = TIME.exec(text) ?? [];
  const instant = Date.parse(`${date}T${clock}${zone}`);
  if (Number.isNaN(instant)) {
    throw new InvalidArgumentError(
      "Write it as 2026-11-21T18:00Z (UTC unless it says else) or as an age: 90m, 12h, 7d.",
    );
  }
  return instant;
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/i;
