import { Command } from "commander";
import { safeJson } from "../wire/escaping/safe_json.ts";
import { describeSettings } from "./config_text.ts";
import { type CommandContext, load } from "./context.ts";

/** `config`: what counts, and what may be written. */
export function configCommand(context: CommandContext): Command {
  return new Command("config").description("Show the configuration that counts, or the JSON Schema of config.ts.")
    .addHelpText("after", "\nExample:\n  oss-watcher config show")
    .addCommand(showCommand(context))
    .addCommand(schemaCommand(context));
}

function showCommand(context: CommandContext): Command {
  return new Command("show")
    .summary("show every setting that counts, and where it is from")
    .description(
      "Show every setting that counts, without secrets, and where it is from: a default, config.ts, or where that has it " +
        "from, a variable, a file or Vault.",
    )
    .option("--json", "print one line of JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  oss-watcher config show\n  oss-watcher config show --json | jq -r '.settings[].key'",
    )
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const loaded = await load(context);
      const { effectiveConfig } = await import("../inspect/config/effective_config.ts");
      const settings = effectiveConfig(loaded);
      const { path: file } = loaded;
      context.terminal.print(json ? safeJson({ file, settings }) : describeSettings(settings, { file }));
    });
}

function schemaCommand({ terminal }: CommandContext): Command {
  return new Command("schema")
    .summary("print the JSON Schema of config.ts's data")
    .description(
      "Print the JSON Schema (2020-12) of what config.ts exports, as JSON: for tools that write or check configurations. " +
        "What it refuses, the service refuses; check finds more.",
    )
    .addHelpText("after", "\nExample:\n  oss-watcher config schema > oss-watcher.schema.json")
    .action(async () => {
      const { configJsonSchema } = await import("../config/json_schema.ts");
      terminal.print(JSON.stringify(configJsonSchema(), null, 2));
    });
}
