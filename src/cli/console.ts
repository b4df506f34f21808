import { Command } from "commander";
import { notedPort } from "../console/noted_port.ts";
import { stateDirectory } from "../console/state_directory.ts";
import { makeLink } from "../console/sign_in/links.ts";
import { consoleSecret } from "../console/sign_in/secret.ts";
import { type ConsoleOptions, DEFAULT_CONSOLE } from "../model/console_config.ts";
import { bareHost, bracketedHost } from "../model/bracketed_host.ts";
import type { Config } from "../model/config.ts";
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
  const place = { ...console, port: await portOf(console, loaded.config) };
  await requireListening(place);
  const secret = await consoleSecret(stateDirectory(loaded.config));
  const role = viewer ? "viewer" : "operator";
  const token = makeLink({ user: userName(), role }, { secret, now: Date.now() });
  const url = `${addressOf(place)}/sign-in?token=${token}`;
  context.terminal.print(url);
  if (!print && context.terminal.width !== undefined) await openBrowser(url);
}

/** The address that browsers use. */
function addressOf({ url, tls, host = DEFAULT_CONSOLE.host, port = DEFAULT_CONSOLE.port }: ConsoleOptions): string {
  return url ?? `${tls === undefined ? "http" : "https"}://${bracketedHost(reachableHost(host))}:${port}`;
}

/** The port at which the service listens: with `port: 0` the one that it has noted. */
async function portOf({ port = DEFAULT_CONSOLE.port }: ConsoleOptions, config: Config): Promise<number> {
  if (port !== 0) return port;
  const noted = await notedPort(config);
  if (noted !== null) return noted;
  throw new UserError(
    "Cannot open the console: console.port is 0, and the service has not listened at any port yet. Start it",
  );
}

async function requireListening({ host = DEFAULT_CONSOLE.host, port = DEFAULT_CONSOLE.port }: ConsoleOptions) {
  try {
    (await Deno.connect({ hostname: bareHost(reachableHost(host)), port })).close();
  } catch {
    throw new UserError(
      `Cannot open the console: nothing listens at ${
        bracketedHost(host)
      }:${port}. Start the service; its log says where the console is`,
    );
  }
}

/** A host to connect to: that of a wildcard is this machine. */
function reachableHost(host: string): string {
  return ["0.0.0.0", "::"].includes(bareHost(host)) ? "127.0.0.1" : host;
}
