import { type ConsoleOptions, DEFAULT_CONSOLE } from "../model/console_config.ts";
import { bracketedHost } from "../model/bracketed_host.ts";
import { serveHttp } from "./http_server.ts";
import { LazyApp } from "./lazy_app.ts";
import { notePort } from "./noted_port.ts";
import type { Answer, ConsoleServerOptions } from "./server_options.ts";

/** Attempts to listen: the process before may be about to let the port go. */
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 10_000;
/** Failures before the log tells of them: some seconds. */
const QUIET_TRIES = 6;
/** Certificates are renewed while the service runs. */
const CERTIFICATE_MS = 60_000;

/**
 * Listens for the console's requests until the signal aborts. What answers them is loaded with the
 * first one. A port in use does not stop the service: it is logged once and retried.
 */
export async function serveConsole(options: ConsoleServerOptions, signal: AbortSignal): Promise<void> {
  const { console: { port = DEFAULT_CONSOLE.port, tls }, clock, log } = options;
  /** The configured one, or the free one that was found. */
  const own = { port };
  const app = new LazyApp({
    make: async () => (await import("./app.ts")).makeApp(options, { port: own.port }),
    isSecure: tls !== undefined,
    log,
  });
  signal.addEventListener("abort", () => app[Symbol.dispose](), { once: true });
  for (let tries = 0; !signal.aborted;) {
    try {
      await listenOnce(options, { answer: app.answer, own, signal });
      tries = 0;
    } catch (error) {
      if (++tries === QUIET_TRIES) log.warn(whyNot(error, options.console));
      await clock.sleep(Math.min(FIRST_RETRY_MS * 2 ** tries, MAX_RETRY_MS), signal);
    }
  }
}

/** Listens until the signal aborts, or the certificate was renewed. */
async function listenOnce(
  { console: { host = DEFAULT_CONSOLE.host, url, tls, port: configured }, loaded, clock, log }: ConsoleServerOptions,
  { answer, own, signal }: { readonly answer: Answer; readonly own: { port: number }; readonly signal: AbortSignal },
): Promise<void> {
  const stamp = await stampOf(tls);
  const pems = tls === undefined
    ? null
    : { cert: await Deno.readTextFile(tls.certFile), key: await Deno.readTextFile(tls.keyFile) };
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  const scheme = tls === undefined ? "http" : "https";
  const onListen = (port: number) => {
    own.port = port;
    log.info(`Console at ${url ?? `${scheme}://${bracketedHost(host)}:${port}`}/. oss-watcher console signs in`);
    if (configured === 0) void notePort(loaded.config, port).catch((error) => log.warn(cannotNote(error)));
  };
  if (tls !== undefined) void endWhenRenewed();
  try {
    await serveHttp({ host, port: own.port, tls: pems, answer, onListen }, ending);
  } finally {
    over.abort();
  }

  async function endWhenRenewed(): Promise<void> {
    while (!ending.aborted) {
      await clock.sleep(CERTIFICATE_MS, ending);
      if (await stampOf(tls) === stamp || ending.aborted) continue;
      log.info("The console's certificate was renewed: listening with the new one");
      over.abort();
    }
  }
}

async function stampOf(tls: ConsoleOptions["tls"]): Promise<string> {
  if (tls === undefined) return "";
  const found = await Promise.all([tls.certFile, tls.keyFile].map((file) => Deno.stat(file).catch(() => undefined)));
  return found.map((file) => `${file?.ino} ${file?.size} ${file?.mtime?.getTime()}`).join("\n");
}

function whyNot(error: unknown, { host = DEFAULT_CONSOLE.host, port = DEFAULT_CONSOLE.port }: ConsoleOptions): string {
  const at = `Cannot serve the console at ${bracketedHost(host)}:${port}`;
  const goesOn = "The service goes on without; trying again every 10 s";
  if (codeOf(error) === "EADDRINUSE") {
    return `${at}: the port is in use. ${goesOn}. A second service on this machine needs another console.port`;
  }
  return `${at}: ${error instanceof Error ? error.message : error}. ${goesOn}. See console in config.ts`;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function cannotNote(error: unknown): string {
  return `Cannot note the console's port for the command console: ${error instanceof Error ? error.message : error}`;
}
