import { Command } from "commander";
import type { CopyProgress } from "../ledger/copy/copy_ledger.ts";
import type { LedgerPlace } from "../ledger/place.ts";
import { LedgerUnavailable } from "../model/ledger.ts";
import { UserError } from "../model/errors.ts";
import { printable } from "../wire/escaping/printable.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import type { CommandContext } from "./context.ts";
import { ledgerPlace } from "./ledger_option.ts";
import { describeCopied, describeProgress } from "./ledger_text.ts";
import { ProgressLine } from "./progress_line.ts";
import { UsageError } from "./usage.ts";

interface CopyPlaces {
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

/** `ledger copy`: copies a whole ledger to another place. */
export function ledgerCommand(context: CommandContext): Command {
  const copy = new Command("copy")
    .summary("copy a whole ledger to an empty place, and compare both")
    .description(
      "Copy a whole ledger from a file to PostgreSQL, or back, or between two of the same kind, and compare both. The services " +
        "of both must be stopped. A copy that was interrupted is refused by the service; the same command goes on with it.",
    )
    .option("--from <file|url>", "the ledger to copy; without it, the one that the configuration names")
    .option("--to <file|url>", "where to; it must not be there, or be empty; without it, as above")
    .option("--json", "print one line of JSON")
    .addHelpText("after", HELP)
    .action((places: CopyPlaces) => run(places, context));
  return new Command("ledger").description("Move the ledger to another place.")
    .addHelpText(
      "after",
      "\nExample:\n  oss-watcher ledger copy --from ledger.db --to postgres://watcher@db-1/oss",
    )
    .addCommand(copy);
}

const HELP = `
Examples:
  oss-watcher ledger copy --from ledger.db --to postgres://watcher@db-1/oss
  oss-watcher ledger copy --from ledger.db --config new/config.ts

Exit codes: 0 copied, and both are the same; 1 refused, interrupted or failed.`;

async function run({ from, to, json = false }: CopyPlaces, context: CommandContext): Promise<void> {
  if (from === undefined && to === undefined) {
    throw new UsageError("Cannot copy the ledger: name --from or --to (see oss-watcher ledger copy --help)");
  }
  const [{ copyLedger }, { openCopySource, openCopyTarget }, { shownPlace }] = await Promise.all([
    import("../ledger/copy/copy_ledger.ts"),
    import("../ledger/open_ledger.ts"),
    import("../ledger/place.ts"),
  ]);
  const places = [await ledgerPlace(from, context), await ledgerPlace(to, context)] as const;
  const [shownSource, shownTarget] = [shownPlace(places[0]), shownPlace(places[1])];
  if (await identityOf(places[0], shownSource) === await identityOf(places[1], shownTarget)) {
    throw new UserError(`Cannot copy the ledger ${shownSource} to itself: name another place with --to`);
  }
  const { terminal } = context;
  const signal = context.stopSignal();
  const startedMs = performance.now();
  using line = new ProgressLine(terminal);
  const tell = (text: string) => {
    line.clear();
    terminal.error(printable(text));
  };
  try {
    const onWait = (seconds: number) => tell(`An earlier copy may still run: waiting for at most ${seconds} s`);
    await using source = await openCopySource(places[0], { onWait });
    await using target = await openCopyTarget(places[1], { onWait });
    const result = await copyLedger({
      source,
      target,
      now: Date.now(),
      signal,
      onProgress: (progress: CopyProgress) => line.show(describeProgress(progress)),
      onResumed: () => tell(`Going on with the copy ${shownTarget}`),
      onBeganAgain: () => tell(`The ledger ${shownSource} has changed since the copy was begun: it begins again`),
    });
    line.clear();
    const seconds = (performance.now() - startedMs) / 1000;
    const told = { from: shownSource, to: shownTarget, seconds };
    terminal.print(
      json ? safeJson({ ...told, tables: Object.fromEntries(result.tables) }) : describeCopied(result, told),
    );
  } catch (error) {
    if (!(error instanceof LedgerUnavailable)) throw error;
    throw new UserError(
      `Cannot go on with the copy of ${shownSource} to ${shownTarget}: ${error.message}. Mend that, then run the same command`,
      { cause: error },
    );
  }
}

/** A file has several names. */
async function identityOf(place: LedgerPlace, shown: string): Promise<string> {
  if (!("file" in place)) return shown;
  return await Deno.realPath(place.file).catch(() => place.file);
}
