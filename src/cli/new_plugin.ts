import { Argument, Command, InvalidArgumentError } from "commander";
import { UserError } from "../model/errors.ts";
import type { CommandContext } from "./context.ts";
import { programFile } from "./init.ts";
import { writeFailure } from "./write_failure.ts";

/** `new plugin NAME`: one file to start from. */
export function newCommand(context: CommandContext): Command {
  const plugin = new Command("plugin")
    .summary("write a plugin for you to change")
    .description("Write plugins/<name>.ts: a plugin that sends to a REST service, for you to change.")
    .addArgument(new Argument("<name>", "the name of its class, as CmdbRecord or cmdb-record").argParser(className))
    .addHelpText("after", "\nExample:\n  oss-watcher new plugin CmdbRecord")
    .action(async (name: string) => {
      await mustHaveConfig();
      const path = `plugins/${snakeCase(name)}.ts`;
      await write(
        path,
        (await Deno.readTextFile(programFile("templates/plugins/new_plugin.ts"))).replaceAll("NewPlugin", name),
      );
      context.terminal.print([
        `Wrote ${path}. To use it, in config.ts:`,
        `  import { ${name} } from "./${path}";`,
        `  plugins: [new ${name}({ url: "https://cmdb.example.com/nodes" })],`,
      ].join("\n"));
    });
  return new Command("new").description("Write a file to start from.")
    .addHelpText("after", "\nExample:\n  oss-watcher new plugin CmdbRecord")
    .addCommand(plugin);
}

/** A plugin is written beside the config.ts that uses it. */
async function mustHaveConfig(): Promise<void> {
  if (await Deno.stat("config.ts").then(() => true, () => false)) return;
  throw new UserError(
    "Cannot write a plugin here: there is no config.ts. Go to the directory that has it, or run oss-watcher init",
  );
}

async function write(path: string, text: string): Promise<void> {
  try {
    await Deno.mkdir("plugins", { recursive: true });
    await Deno.writeTextFile(path, text, { createNew: true });
  } catch (error) {
    const isThere = error instanceof Deno.errors.AlreadyExists;
    const why = isThere ? "it exists already. Choose another name" : writeFailure(error);
    throw new UserError(`Cannot write "${path}": ${why}`);
  }
}

function className(text: string): string {
  const words = text.split(/[-_ ]+/).filter((word) => word !== "");
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  if (!/^[A-Z][A-Za-z0-9]{0,60}$/.test(name)) {
    throw new InvalidArgumentError("Write letters and digits, as CmdbRecord or cmdb-record.");
  }
  return name;
}

function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "_").toLowerCase();
}
