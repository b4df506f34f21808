import { type ConsoleOptions, DEFAULT_CONSOLE } from "../model/console_config.ts";
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
  const { clock, log } = options;
  let app: Promise<Answer & Disposable> | undefined;
  const answer = async (request: Request, address: string, port: number) => {
    app ??= import("./app.ts").then(({ makeApp }) => makeApp(options, { port }));
    try {
      return await (await app)(request, { address });
    } catch (error) {
      app = undefined;
      throw error;
    }
  };
  // Streams are open connections, which the server would wait for.
  signal.addEventListener("abort", () => void app?.then((one) => one[Symbol.dispose](), () => {}), { once: true });
  for (let tries = 0; !signal.aborted;) {
    try {
      await listenOnce(options, { answer, signal });
      tries = 0;
    } catch (error) {
      if (++tries === QUIET_TRIES) log.warn(whyNot(error, options.console));
      await clock.sleep(Math.min(FIRST_RETRY_MS * 2 ** tries, MAX_RETRY_MS), signal);
    }
  }
}

/** Listens until the signal aborts, or the certificate was renewed. */
async function listenOnce(
  { console: { host = DEFAULT_CONSOLE.host, port = DEFAULT_CONSOLE.port, url, tls }, clock, log }: ConsoleServerOptions,
  { answer, signal }: {
    readonly answer: (request: Request, address: string, port: number) => Promise<Response>;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const stamp = await stampOf(tls);
  const pems = tls === undefined
    ? {}
    : { cert: await Deno.readTextFile(tls.certFile), key: await Deno.readTextFile(tls.keyFile) };
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  const scheme = tls === undefined ? "http" : "https";
  let ownPort = port;
  const server = Deno.serve({
    hostname: host,
    port,
    ...pems,
    signal: ending,
    onListen: (address) => {
      ownPort = address.port;
      log.info(`Console at ${url ?? `${scheme}://${shownHost(host)}:${ownPort}`}/. oss-watcher console signs in`);
    },
    onError: (error) => {
      log.error(`Cannot answer a request of the console: ${error instanceof Error ? error.message : error}`);
      return new Response("The console failed: see the log\n", { status: 500 });
    },
  }, (request, { remoteAddr }) => answer(request, (remoteAddr as Deno.NetAddr).hostname, ownPort));
  if (tls !== undefined) void endWhenRenewed();
  await server.finished;

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
  const at = `Cannot serve the console at ${shownHost(host)}:${port}`;
  const goesOn = "The service goes on without; trying again every 10 s";
  if (error instanceof Deno.errors.AddrInUse) {
    return `${at}: the port is in use. ${goesOn}. A second service on this machine needs another console.port`;
  }
  return `${at}: ${error instanceof Error ? error.message : error}. ${goesOn}. See console in config.ts`;
}

function shownHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
