import { Argument, Command } from "commander";
import type { CommandContext } from "./context.ts";
import { programFile } from "./init.ts";

/** Shells that have a script. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = typeof SHELLS[number];

/** `completion`: prints a script that makes a shell complete our commands. */
export function completionCommand(context: CommandContext): Command {
  return new Command("completion")
    .description(
      "Print a script that makes a shell complete commands, options, names of plugins and keys of events. " +
        "It asks the oss-watcher that is in PATH at each Tab.",
    )
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .addHelpText("after", HELP)
    .action(async (shell: Shell) => {
      const script = await Deno.readTextFile(programFile(`templates/completion/oss-watcher.${shell}`));
      context.terminal.print(script.trimEnd());
    });
}

const HELP = `
For one user, a line in ~/.bashrc, or in ~/.zshrc after compinit:
  source <(oss-watcher completion bash)
  source <(oss-watcher completion zsh)

For all users, a file:
  bash  /usr/share/bash-completion/completions/oss-watcher
  zsh   /usr/share/zsh/vendor-completions/_oss-watcher
  fish  /usr/share/fish/vendor_completions.d/oss-watcher.fish

Examples:
  oss-watcher completion bash
  oss-watcher completion fish > ~/.config/fish/completions/oss-watcher.fish`;
