import type { Command, CommanderError } from "commander";
import { didYouMean } from "../config/closest.ts";
import { UserError } from "../model/errors.ts";

/** A mistake of the command line itself. */
export class UsageError extends UserError {
  override readonly name = "UsageError";
}

/** An error of commander, on one line. */
export function usageError({ code, message }: CommanderError, command: Command): UsageError {
  const [word = ""] = command.args;
  const commands = command.commands.map((one) => one.name());
  const help = ` (see ${pathOf(command)} --help)`;
  if (code === "commander.excessArguments" && commands.length > 0) {
    return new UsageError(`Cannot run "${word}": unknown command${didYouMean(word, commands)}${help}`);
  }
  const said = message.replace(/^error: /, "").replace(/\n\(Did you mean (.*)\)$/s, "; did you mean $1").replace(
    /\.$/,
    "",
  );
  return new UsageError(`Cannot read the command line: ${said}${help}`);
}

/** The words that name a command, from the program's on. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
