import { Command } from "commander";
import { UserError } from "../model/errors.ts";
import { printable } from "../wire/escaping/printable.ts";
import { safeJson } from "../wire/escaping/safe_json.ts";
import type { CommandContext } from "./context.ts";
import { dumpCommand } from "./dump_command.ts";
import { ledgerOption, ledgerPlace } from "./ledger_option.ts";
import { ProgressLine } from "./progress_line.ts";
import { writeFailure } from "./write_failure.ts";

/** `backup FILE`: a consistent copy of the ledger, taken while the service runs. */
export function backupCommand(context: CommandContext): Command {
  return new Command("backup")
    .description("Write a consistent copy of the ledger to a new file; the service may run.")
    .argument("<file>", "the file to write; it must not exist")
    .option("--json", "print one line of JSON")
    .addOption(ledgerOption())
    .addHelpText("after", "\nExample:\n  oss-watcher backup /var/backups/oss-watcher.db")
    .action(async (file: string, { ledger, json = false }: { readonly ledger?: string; readonly json?: boolean }) => {
      const place = await ledgerPlace(ledger, context);
      if ("postgres" in place) {
        throw new UserError(
          `Cannot write the copy "${file}": the ledger is on PostgreSQL. Use ${dumpCommand(place.postgres, file)}`,
        );
      }
      const { openOperations } = await import("../ledger/open_ledger.ts");
      await using opened = await openOperations(place);
      await refuseExisting(file);
      try {
        // The copy is one step, which cannot tell how far it is.
        using line = new ProgressLine(context.terminal);
        line.show(`Copying the ledger, ${Math.ceil((await Deno.stat(place.file)).size / 2 ** 20)} MiB …`);
        await opened.backup(file);
      } catch (error) {
        await Deno.remove(file).catch(() => {});
        throw new UserError(`Cannot write the copy "${file}": ${writeFailure(error)}`);
      }
      const { size } = await Deno.stat(file);
      if (json) context.terminal.print(safeJson({ file, bytes: size }));
      else context.terminal.error(printable(`Wrote ${size} bytes to "${file}"`));
    });
}

async function refuseExisting(file: string): Promise<void> {
  const there = await Deno.stat(file).then(() => true, () => false);
  if (there) {
    throw new UserError(`Cannot write the copy "${file}": the file exists already. Name another, or remove it`);
  }
}
