import { Command } from "commander";
import { stateDirectory } from "../console/state_directory.ts";
import { makeLink } from "../console/sign_in/links.ts";
import { consoleSecret } from "../console/sign_in/secret.ts";
import { type ConsoleOptions, DEFAULT_CONSOLE } from "../model/console_config.ts";
import { UserError } from "../model/errors.ts";
import { type CommandContext, load } from "./context.ts";
import { userName } from "./who.ts";
import { openBrowser } from "./open_browser.ts";

interface ConsoleCommandOptions {
  readonly print?: boolean;
  readonly viewer?: boolean;
}

/** `console`: a link that signs in at the pages for operators. */
export function consoleCommand(context: CommandContext): Command {
  return new Command("console")
    .description(
      "Print a link that signs in at the console, the pages for operators of the running service. It works once, within a minute.",
    )
    .option("--print", "print the link, and open no browser")
    .option("--viewer", "sign in to look only")
    .addHelpText("after", "\nExamples:\n  oss-watcher console\n  oss-watcher console --viewer")
    .action((options: ConsoleCommandOptions) => run(options, context));
}

async function run({ print = false, viewer = false }: ConsoleCommandOptions, context: CommandContext): Promise<void> {
  const loaded = await load(context);
  const { console = {} } = loaded.config;
  if (console === false) {
    throw new UserError("Cannot open the console: config.ts says console: false. Take that out and reload the service");
  }
  if (console.trustedProxy !== undefined) {
    const url = console.url ?? "at the address of the proxy";
    throw new UserError(`Cannot make a link: console.trustedProxy signs in. Open the console ${url}`);
  }
  await requireListening(console);
  const secret = await consoleSecret(stateDirectory(loaded.config));
  const role = viewer ? "viewer" : "operator";
  const token = makeLink({ user: userName(), role }, { secret, now: Date.now() });
  const url = `${addressOf(console)}/sign-in?token=${token}`;
  context.terminal.print(url);
  if (!print && context.terminal.width !== undefined) await openBrowser(url);
}

/** The address that browsers use. */
function addressOf({ url, tls, host = DEFAULT_CONSOLE.host, port = DEFAULT_CONSOLE.port }: ConsoleOptions): string {
  const shown = isWildcard(host) ? "127.0.0.1" : host;
  const named = shown.includes(":") ? `[${shown}]` : shown;
  return url ?? `${tls === undefined ? "http" : "https"}://${named}:${port}`;
}

async function requireListening({ host = DEFAULT_CONSOLE.host, port = DEFAULT_CONSOLE.port }: ConsoleOptions) {
  try {
    (await Deno.connect({ hostname: isWildcard(host) ? "127.0.0.1" : host, port })).close();
  } catch {
    throw new UserError(
      `Cannot open the console: nothing listens at ${host}:${port}. Start the service; its log says where the console is`,
    );
  }
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::" || host === "[::]";
}
