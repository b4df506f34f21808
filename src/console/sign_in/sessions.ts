import { randomBytes } from "node:crypto";
import type { Role } from "../api.ts";
import type { Identity } from "./identity.ts";
import { signatureOf, signed, verified } from "./signing.ts";

/** What a session's cookie says. */
interface Session {
  readonly id: string;
  readonly user: string;
  readonly role: Role;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface SessionsOptions {
  readonly secret: Uint8Array;
  readonly now: () => number;
  readonly sessionHours: number;
  /** Cookies belong to a host, whatever its port: each console has a name of its own. */
  readonly port: number;
  readonly isSecure: boolean;
  /** Sessions that were signed out before they had expired. */
  readonly ended: EndedSessions;
}

/** Sessions that were signed out, for as long as their cookies would be good. */
export interface EndedSessions {
  has(id: string): boolean;
  add(id: string, expiresAt: number): Promise<void>;
}

/**
 * Sessions in signed cookies. They outlive a restart, since nothing is kept of them but those that
 * were signed out.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #cookie: string;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#cookie = `${options.isSecure ? "__Host-" : ""}oss-watcher-${options.port}`;
  }

  /** The header `Set-Cookie` that begins a session. */
  begin({ user, role }: { readonly user: string; readonly role: Role }): string {
    const { secret, now, sessionHours } = this.#options;
    const seconds = Math.round(sessionHours * 3600);
    const id = randomBytes(16).toString("base64url");
    const session: Session = { id, user, role, expiresAt: now() + seconds * 1000 };
    return this.#header(signed(session, { secret, purpose: "session" }), seconds);
  }

  /** Who a request's cookies say it is; `null`: nobody. */
  identify(cookies: string | null): Identity | null {
    const session = this.#sessionOf(cookies);
    if (session === null) return null;
    const { id, user, role, expiresAt } = session;
    return { user, role, expiresAt, csrf: signatureOf(id, { secret: this.#options.secret, purpose: "csrf" }) };
  }

  /** Signs out. Returns the header that removes the cookie. */
  async end(cookies: string | null): Promise<string> {
    const session = this.#sessionOf(cookies);
    if (session !== null) await this.#options.ended.add(session.id, session.expiresAt);
    return this.#header("", 0);
  }

  #sessionOf(cookies: string | null): Session | null {
    const { secret, now, ended } = this.#options;
    const prefix = `${this.#cookie}=`;
    const token = cookies?.split(/;\s*/).find((cookie) => cookie.startsWith(prefix))?.slice(prefix.length);
    if (token === undefined || token === "") return null;
    const session = verified(token, { secret, purpose: "session" }) as Session | undefined;
    return session === undefined || session.expiresAt <= now() || ended.has(session.id) ? null : session;
  }

  #header(value: string, seconds: number): string {
    const secure = this.#options.isSecure ? "; Secure" : "";
    return `${this.#cookie}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure}`;
  }
}
