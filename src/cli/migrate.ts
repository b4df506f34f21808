import { Command } from "commander";
import { ConfigError } from "../model/errors.ts";
import { printable } from "../wire/escaping/printable.ts";
import type { CommandContext } from "./context.ts";

/** `migrate FILE…`: converts INI files to a config.ts, on standard output. */
export function migrateCommand(context: CommandContext): Command {
  return new Command("migrate")
    .description("Convert oss_framework's configuration to a config.ts, on standard output.")
    .argument("<file...>", "oss.conf; or a service's file, as nova.conf, for its RabbitMQ")
    .addHelpText("after", HELP)
    .action(async (files: readonly string[]) => {
      const [{ mistakesIn, readPlan, warningsOf }, { secretsOf }, { writeConfig }] = await Promise.all([
        import("../config/load_first_generation.ts"),
        import("../config/plan.ts"),
        import("../config/write_config.ts"),
      ]);
      const plan = await readPlan(files, Deno.cwd());
      const mistakes = await mistakesIn(plan, context.builtInPlugins);
      const warnings = warningsOf(plan);
      if (mistakes.length > 0) {
        throw new ConfigError(`Cannot migrate "${files.join('", "')}":`, [...mistakes, ...warnings]);
      }
      const source = files.map((file) => printable(file, 200)).join(", ");
      context.terminal.print(writeConfig(plan, source).trimEnd());
      const talk = [
        ...warnings.map((warning) => `Warning: ${warning}`),
        ...plan.plugins.filter(({ module }) => module.startsWith("./"))
          .map(({ module, className }) => `Needed: ${module} beside config.ts, with export class ${className}`),
        ...secretsOf(plan).map(({ variable, place, part }) =>
          `To set: ${variable}, from ${place}${part === null ? "" : ` (${part})`}`
        ),
      ];
      for (const line of talk) context.terminal.error(printable(line));
    });
}

const HELP = `
Passwords are not written: config.ts takes them from variables of the
environment, which are listed on standard error. Of several files a later one
overrides those before it.

Examples:
  oss-watcher migrate oss.conf > config.ts
  oss-watcher migrate oss.conf /etc/nova/nova.conf > config.ts`;
