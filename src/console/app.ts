import { Hono } from "hono";
import { DEFAULT_CONSOLE } from "../model/console_config.ts";
import { addApi } from "./api/add_api.ts";
import { Assets } from "./assets.ts";
import { AllowedHosts } from "./guard/origin.ts";
import { addGuards } from "./guard/add_guards.ts";
import { GuessLimit } from "./guard/guess_limit.ts";
import { Refusals } from "./guard/refusals.ts";
import { secured } from "./guard/headers.ts";
import { LiveAnswers } from "./live_answers.ts";
import type { Answer, ConsoleServerOptions } from "./server_options.ts";
import type { ConsoleEnv } from "./console_env.ts";
import { addSignIn } from "./sign_in/add_sign_in.ts";
import { Links } from "./sign_in/links.ts";
import { isEqual } from "./sign_in/signing.ts";
import { ProxyUsers } from "./sign_in/proxy_users.ts";
import { consoleSecret } from "./sign_in/secret.ts";
import { Sessions } from "./sign_in/sessions.ts";
import { SignedOut } from "./sign_in/signed_out.ts";
import { stateDirectory } from "./state_directory.ts";
import { EventStreams } from "./event_streams.ts";
import { WorkerClient } from "./worker_client.ts";

/** Makes what answers the console's requests. Loaded with the first one. */
export async function makeApp(
  options: ConsoleServerOptions,
  { port }: { readonly port: number },
): Promise<Answer & Disposable> {
  const { console: settings, loaded, live, newWorker, globals, clock, log } = options;
  const { host = DEFAULT_CONSOLE.host, sessionHours = DEFAULT_CONSOLE.sessionHours, trustedProxy } = settings;
  const isSecure = settings.tls !== undefined || settings.url?.startsWith("https:") === true;
  const directory = stateDirectory(loaded.config);
  const secret = await consoleSecret(directory);
  const refreshSecret = async () => {
    const found = await consoleSecret(directory).catch(() => secret);
    if (isEqual(found, secret)) return false;
    secret.set(found);
    log.info("The console's key was replaced: its sessions have ended");
    return true;
  };
  const { now } = clock;
  const ended = await SignedOut.open(directory, now);
  const worker = new WorkerClient({ start: newWorker, globals, log });
  const answers = new LiveAnswers({ live, loaded, worker });
  const streams = new EventStreams({ worker, overview: () => answers.overview(), clock, log });
  const refusals = new Refusals({ log, now });
  const app = new Hono<ConsoleEnv>();
  addGuards(app, { hosts: new AllowedHosts({ ...settings, host }), refusals });
  addSignIn(app, {
    sessions: new Sessions({ secret, now, sessionHours, port, isSecure, ended }),
    links: new Links({ secret, now, startedAt: live.readings.startedAt }),
    refreshSecret,
    proxy: trustedProxy === undefined ? null : new ProxyUsers({ ...settings, trustedProxy, secret }),
    guesses: new GuessLimit(now),
    refusals,
    worker,
    log,
  });
  addApi(app, { answers, streams, worker, refusals });
  const assets = await Assets.open(new URL("./page/", import.meta.url));
  app.all("*", (context) => assets.answer(context.req.raw));
  app.onError((error, context) => {
    log.error(`Cannot answer ${context.req.path}: ${error.message}`);
    return context.json({ error: "Cannot answer: the console failed. The service's log says why" }, 500);
  });
  const answer: Answer = async (request, client) =>
    secured(await app.fetch(request, client), { isSecure: settings.tls !== undefined });
  return Object.assign(answer, {
    [Symbol.dispose]() {
      streams[Symbol.dispose]();
      worker[Symbol.dispose]();
    },
  });
}
