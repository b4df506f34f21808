import { Command } from "commander";
import { UserError } from "../model/errors.ts";
import { printable } from "../wire/escaping/printable.ts";
import { type CommandContext, EXIT_FAILURE, load } from "./context.ts";

/** `queue remove`: removes our own queue, so that oss-watcher leaves nothing on the broker. */
export function queueCommand(context: CommandContext): Command {
  const remove = new Command("remove")
    .summary("remove it, to uninstall oss-watcher")
    .description(
      "Remove oss-watcher's own queue from RabbitMQ, to uninstall oss-watcher: without a consumer the queue would fill up. A " +
        "watchQueue is left as it is. The service must be stopped.",
    )
    .option("--force", "even if it holds messages, which are lost, or has consumers, which are cut off")
    .addHelpText("after", HELP)
    .action(({ force = false }: { readonly force?: boolean }) => run(force, context));
  return new Command("queue").description("Manage oss-watcher's own queue.")
    .addHelpText("after", "\nExample:\n  oss-watcher queue remove --force")
    .addCommand(remove);
}

const HELP = `
Example:
  systemctl disable --now oss-watcher && oss-watcher queue remove --force

Exit codes: 0 removed, or there was none; 1 refused or failed.`;

async function run(force: boolean, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const { config } = await load(context);
  const [{ removeQueue }, { sourcesOf }, { placeOf, shownPlace }] = await Promise.all([
    import("../inspect/queue/remove_queue.ts"),
    import("../inspect/shared/tap.ts"),
    import("../ledger/place.ts"),
  ]);
  const signal = context.stopSignal();
  for (const source of sourcesOf(config)) {
    try {
      const { queue, address, messages } = await removeQueue(source, { force, signal });
      const found = messages === null
        ? `There is no queue "${queue}" at ${address}: nothing to remove`
        : `Removed the queue "${queue}" at ${address}, with its bindings and ${messages} ${
          messages === 1 ? "message" : "messages"
        }`;
      terminal.print(printable(found));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // The queues of the other brokers are removed all the same.
      terminal.error(printable(error.message));
      context.exit(EXIT_FAILURE);
    }
  }
  const place = placeOf(config.ledger);
  terminal.error(
    printable(`The ledger stays: ${shownPlace(place)}${"file" in place ? " and the files beside it" : ""}`),
  );
}
