import type { Context, Hono } from "hono";
import type { Logger } from "../../model/plugin.ts";
import type { ConsoleEnv } from "../console_env.ts";
import type { GuessLimit } from "../guard/guess_limit.ts";
import type { Refusals } from "../guard/refusals.ts";
import type { WorkerClient } from "../worker_client.ts";
import type { Identity } from "./identity.ts";
import type { Link, Links } from "./links.ts";
import type { ProxyUsers } from "./proxy_users.ts";
import type { Sessions } from "./sessions.ts";
import { isEqual } from "./signing.ts";
import { signInPage, welcomePage } from "./sign_in_page.ts";

export interface SignInOptions {
  readonly sessions: Sessions;
  readonly links: Links;
  /** Reads the secret again, which the command console may have replaced. Resolves to whether it has changed. */
  readonly refreshSecret: () => Promise<boolean>;
  /** `null`: operators sign in with links. */
  readonly proxy: ProxyUsers | null;
  readonly guesses: GuessLimit;
  readonly refusals: Refusals;
  readonly worker: WorkerClient;
  readonly log: Logger;
}

const API = "/api/v1/";

/**
 * Adds signing in and out, and lets nobody else see the page and the API. Static files are the
 * program: they need no session.
 */
export function addSignIn(app: Hono<ConsoleEnv>, options: SignInOptions): void {
  const { sessions, proxy, worker, log } = options;
  const gate = new Gate(options);
  app.use("*", async (context, next) => gate.refusedProxy(context) ?? await next());
  app.all("/sign-in", (context) => gate.takeLink(context));
  app.get("/", async (context, next) => {
    if (gate.identify(context) === null) return html(context, signInPage(null), 401);
    worker.warmUp();
    return await next();
  });
  app.use(`${API}*`, async (context, next) => {
    const identity = gate.identify(context);
    if (identity === null) return context.json({ error: NOT_SIGNED_IN }, 401);
    const isSafe = context.req.method === "GET" || context.req.method === "HEAD";
    if (!isSafe && !isEqual(context.req.header("x-csrf-token") ?? "", identity.csrf)) return gate.withoutToken(context);
    context.set("identity", identity);
    const cookie = context.req.header("cookie") ?? null;
    context.set("isSignedIn", () => proxy !== null || sessions.identify(cookie) !== null);
    return await next();
  });
  app.delete(`${API}session`, async (context) => {
    const { user } = context.get("identity");
    if (proxy !== null) return context.json({ error: "Cannot sign out here: the proxy signs in. Sign out there" }, 409);
    context.header("set-cookie", await sessions.end(context.req.header("cookie") ?? null));
    log.info(`${user} signs out`);
    return context.json({ signedOut: true });
  });
}

const NOT_SIGNED_IN = "Cannot answer without a session: run oss-watcher console on the machine, and open its link";

/** Tells who may pass. */
class Gate {
  readonly #options: SignInOptions;

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  identify(context: Context<ConsoleEnv>): Identity | null {
    const { proxy, sessions } = this.#options;
    if (proxy === null) return sessions.identify(context.req.header("cookie") ?? null);
    const identity = proxy.identify(context.req.raw.headers, context.env);
    return typeof identity === "string" ? null : identity;
  }

  /** With a trusted proxy: the answer to what does not come from it, or not from a user. */
  refusedProxy(context: Context<ConsoleEnv>): Response | null {
    const { proxy } = this.#options;
    if (proxy === null) return null;
    const reason = proxy.trusts(context.env.address)
      ? proxy.identify(context.req.raw.headers, context.env)
      : "it does not come from console.trustedProxy.addresses";
    if (typeof reason !== "string") return null;
    this.#note(context, reason);
    return context.json({ error: `Cannot sign in: ${reason}` }, 403);
  }

  async takeLink(context: Context<ConsoleEnv>): Promise<Response> {
    const { links, refreshSecret, guesses, proxy, sessions, worker, log } = this.#options;
    const { address } = context.env;
    if (proxy !== null) return html(context, signInPage("a proxy signs in here"), 403);
    // Whoever looks ahead at a link with HEAD, as mail and chat programs do, must not use it up.
    if (context.req.method !== "GET") return context.body(null, 405, { allow: "GET" });
    const token = context.req.query("token") ?? "";
    let link = links.take(token);
    if (typeof link === "string" && guesses.allows(address) && await refreshSecret()) link = links.take(token);
    // Guesses of others do not lock out whoever has a link.
    if (typeof link === "string") {
      if (!guesses.allows(address)) {
        this.#note(context, "there were too many wrong links");
        context.header("retry-after", "60");
        return html(context, signInPage("there were too many wrong links. Wait for a minute"), 429);
      }
      guesses.count(address);
      this.#note(context, `a link does not sign in: ${link}`);
      return html(context, signInPage(`this link does not sign in: ${link}`), 403);
    }
    worker.warmUp();
    log.info(`${link.user} signs in from ${address} as ${link.role}`);
    void this.#tellAuditTrail(link, address);
    context.header("set-cookie", sessions.begin(link));
    return html(context, welcomePage(), 200);
  }

  /** Not awaited: operators need the console also while the ledger cannot be written. */
  async #tellAuditTrail({ user, role }: Link, address: string): Promise<void> {
    const { worker, log } = this.#options;
    const call = { route: "writeSignIn", query: { role, address }, body: null, who: `${user} (console)` };
    try {
      const { status, body } = await worker.ask(call, { limitMs: 20_000 });
      if (status !== 200) log.warn(`Cannot write the sign-in to the audit trail: ${new TextDecoder().decode(body)}`);
    } catch (error) {
      log.warn(`Cannot write the sign-in to the audit trail: ${error}`);
    }
  }

  withoutToken(context: Context<ConsoleEnv>): Response {
    this.#note(context, "it lacks the session's X-CSRF-Token");
    return context.json({ error: "Cannot do this: X-CSRF-Token is not the session's. Load the page again" }, 403);
  }

  #note(context: Context<ConsoleEnv>, reason: string): void {
    this.#options.refusals.note(reason, { address: context.env.address, request: context.req.raw });
  }
}

function html(context: Context<ConsoleEnv>, text: string, status: 200 | 401 | 403 | 429): Response {
  return context.html(text, status);
}
