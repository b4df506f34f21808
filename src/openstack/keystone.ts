import type { Clock } from "../model/clock.ts";
import { UserError } from "../model/errors.ts";
import type { Json, JsonObject } from "../model/notification.ts";
import { printable } from "../wire/escaping/printable.ts";
import { shownUrl } from "../wire/secrets/redact.ts";
import { type CatalogEndpoint, readCatalog } from "./catalog.ts";
import type { Credentials, NamedRef, Scope } from "./credentials.ts";
import { askVersions, versionUrl } from "./discovery.ts";
import { OpenStackUnavailable } from "./errors.ts";
import { SingleFlight } from "./single_flight.ts";
import { object, objects, text } from "./read.ts";
import type { Answer, Call, Transport } from "./transport.ts";

/** A user or project with its name. */
export interface Named {
  readonly id: string;
  readonly name: string | null;
}

/** A token, and the data that Keystone returned with it. */
export interface Session {
  readonly token: string;
  readonly catalog: readonly CatalogEndpoint[];
  readonly keystoneUrl: string;
  /** Our own user and project; their names need no further request. */
  readonly user: Named | null;
  readonly project: Named | null;
  /** The domain that the token is for; `null` for a project and for the system. */
  readonly domain: Named | null;
  /** Whether the token is for the whole system. */
  readonly isSystem: boolean;
  readonly roles: readonly string[];
}

/** A session with the times of its renewal and expiry, in milliseconds since the epoch. */
interface TimedSession {
  readonly session: Session;
  readonly renewAtMs: number;
  readonly endsAtMs: number;
}

/**
 * A token is renewed when a fifth of its lifetime is left, but at most this long before it expires.
 */
const MAX_MARGIN_MS = 300_000;

/**
 * Assumed lifetime of a token without a readable expiry, and the delay before a failed renewal is
 * retried.
 */
const UNKNOWN_LIFE_MS = 600_000;
const RENEW_AGAIN_MS = 10_000;

/**
 * A refused login is not repeated for this long: repeated attempts with a wrong password lock the
 * account.
 */
const REFUSAL_MS = 60_000;

/** Logs in with Keystone's Identity API v3, and renews the token before it expires. */
export class Keystone {
  readonly #credentials: Credentials;
  readonly #transport: Transport;
  readonly #clock: Pick<Clock, "now">;
  readonly #inFlight = new SingleFlight<Session>();
  #url: string | null = null;
  #current: TimedSession | null = null;
  #refusal: { readonly error: UserError; readonly untilMs: number } | null = null;

  constructor(
    { credentials, transport, clock }: {
      readonly credentials: Credentials;
      readonly transport: Transport;
      readonly clock: Pick<Clock, "now">;
    },
  ) {
    this.#credentials = credentials;
    this.#transport = transport;
    this.#clock = clock;
  }

  /**
   * A session that has not expired.
   *
   * @param signal Cancels this caller's wait, not the login itself, which others may wait for.
   * @throws {UserError} when Keystone refuses the login, or has no v3.
   * @throws {OpenStackUnavailable} when Keystone gives no usable answer.
   */
  async session(signal?: AbortSignal): Promise<Session> {
    const current = this.#current;
    if (current !== null && this.#clock.now() < current.renewAtMs) return current.session;
    return await this.#inFlight.run("", () => this.#renew(), signal);
  }

  /** Drops a session after a service refused its token. */
  forget(session: Session): void {
    if (this.#current?.session === session) this.#current = null;
  }

  /** While the current token is still valid, an unavailable Keystone only postpones the renewal. */
  async #renew(): Promise<Session> {
    try {
      this.#current = await this.#logIn();
    } catch (error) {
      const current = this.#current;
      const nowMs = this.#clock.now();
      if (!(error instanceof OpenStackUnavailable) || current === null || nowMs >= current.endsAtMs) throw error;
      this.#current = { ...current, renewAtMs: nowMs + RENEW_AGAIN_MS };
    }
    return this.#current.session;
  }

  async #logIn(): Promise<TimedSession> {
    if (this.#refusal !== null && this.#clock.now() < this.#refusal.untilMs) throw this.#refusal.error;
    this.#refusal = null;
    const keystoneUrl = this.#url ??= await this.#findV3();
    const call: Call = {
      service: "Keystone",
      url: `${keystoneUrl}/auth/tokens`,
      body: loginOf(this.#credentials),
    };
    const sentMs = this.#clock.now();
    const answer = await this.#transport.send(call);
    if (answer.status !== 200 && answer.status !== 201) throw this.#refused(call, answer);
    const body = object(this.#transport.bodyOf(call, answer)["token"]);
    const token = answer.headers.get("x-subject-token");
    if (token === null || token === "") {
      const state = `${answer.status}, but it has no X-Subject-Token. Check that the URL is right`;
      throw this.#transport.failure(call, { reason: "other", status: answer.status, state });
    }
    return { session: sessionOf({ token, body, keystoneUrl }), ...lifeOf(body, sentMs) };
  }

  /**
   * The error for a refused login. It is kept for a while, since a retry would be refused as well.
   */
  #refused({ url }: Call, { status, headers, errorMessage }: Answer): UserError {
    const location = headers.get("location");
    const moved = status < 400 && location !== null && URL.canParse(location, url)
      ? ` (it leads to ${shownUrl(new URL(location, url).href)}; redirects are not followed)`
      : "";
    const advice = this.#adviceOn(status, errorMessage);
    const error = new UserError(
      `Cannot log in at Keystone ${shownUrl(url)} ${this.#whom()}: ${status}${moved}${
        errorMessage && `: "${errorMessage}"`
      }. ${advice}`,
    );
    this.#refusal = { error, untilMs: this.#clock.now() + REFUSAL_MS };
    return error;
  }

  /** Keystone's own answers contain a message; those of a proxy or another server do not. */
  #adviceOn(status: number, errorMessage: string): string {
    const { source, identity } = this.#credentials;
    const account = identity.method === "password"
      ? "user, password, project and their domains"
      : "the application credential and its secret";
    if (errorMessage === "" || ![400, 401, 403].includes(status)) return `Correct the URL in ${source}`;
    if (status === 403) return `Give the account a role in what it logs in for, or correct that in ${source}`;
    if (/\bpassword is expired\b/i.test(errorMessage)) return `Change the user's password, and then that in ${source}`;
    if (/\baccount is locked\b/i.test(errorMessage)) {
      return "Wait until Keystone unlocks the account: every attempt may prolong that";
    }
    return `Correct ${account} in ${source}`;
  }

  #whom(): string {
    const { identity, scope } = this.#credentials;
    if (identity.method === "application_credential") return "with the application credential";
    const of = (ref: NamedRef) => printable("id" in ref ? ref.id : ref.name, 60);
    const scopes: Readonly<Record<Scope["kind"], string>> = {
      project: scope.kind === "project" ? ` for the project "${of(scope.project)}"` : "",
      domain: " for a domain",
      system: " for the whole system",
      credential: "",
    };
    return `as "${of(identity.user)}"${scopes[scope.kind]}`;
  }

  /**
   * The URL of v3. An auth_url may still end in /v2.0; v3 is then beside it, if the server has it.
   */
  async #findV3(): Promise<string> {
    const { authUrl, source } = this.#credentials;
    if (/\/v3$/.test(authUrl)) return authUrl;
    const root = authUrl.replace(/\/v2(?:\.0)?$/, "");
    const offered: string[] = [];
    let status = 0;
    // A proxy may forward only the versioned paths.
    for (const url of [`${root}/`, `${root}/v3`]) {
      const { answer, versions } = await askVersions(this.#transport, { service: "Keystone", url });
      const v3 = versions.find(({ id }) => /^v3(?:\.|$)/.test(id));
      if (v3 !== undefined) return url === `${root}/` ? versionUrl(url, { ...v3, segment: "v3" }) : url;
      offered.push(...versions.map(({ id }) => id));
      status = answer.status;
    }
    const has = offered.length === 0 ? `it lists no versions (${status})` : `it offers ${shown(offered)} only`;
    const error = new UserError(
      `Cannot log in at Keystone ${shownUrl(authUrl)}: ${has}, and the Identity API v3 is needed. Correct the URL in ` +
        `${source}, as https://host:5000/v3`,
    );
    this.#refusal = { error, untilMs: this.#clock.now() + REFUSAL_MS };
    throw error;
  }
}

function loginOf({ identity, scope }: Credentials): Json {
  return {
    auth: { identity: identityOf(identity), ...(scope.kind === "credential" ? {} : { scope: scopeOf(scope) }) },
  };
}

function identityOf(identity: Credentials["identity"]): Json {
  const { method } = identity;
  if (identity.method === "password") {
    return { methods: [method], password: { user: { ...identity.user, password: identity.password } } };
  }
  const { method: _method, ...credential } = identity;
  return { methods: [method], application_credential: credential };
}

function scopeOf(scope: Exclude<Scope, { readonly kind: "credential" }>): Json {
  if (scope.kind === "system") return { system: { all: true } };
  return scope.kind === "project" ? { project: scope.project } : { domain: scope.domain };
}

function sessionOf(
  { token, body, keystoneUrl }: { readonly token: string; readonly body: JsonObject; readonly keystoneUrl: string },
): Session {
  return {
    token,
    catalog: readCatalog(body),
    keystoneUrl,
    user: namedIn(object(body["user"])),
    project: namedIn(object(body["project"])),
    domain: namedIn(object(body["domain"])),
    isSystem: object(body["system"])["all"] === true,
    roles: objects(body["roles"]).flatMap((role) => text(role["name"]) ?? []),
  };
}

function namedIn(value: JsonObject): Named | null {
  const id = text(value["id"]);
  return id === null ? null : { id, name: text(value["name"]) };
}

/**
 * The lifetime is the difference of Keystone's own two times, counted from our request: Keystone's
 * clock may differ from ours.
 */
function lifeOf(body: JsonObject, sentMs: number): Pick<TimedSession, "renewAtMs" | "endsAtMs"> {
  const lifeMs = Date.parse(text(body["expires_at"]) ?? "") - Date.parse(text(body["issued_at"]) ?? "");
  const goodMs = lifeMs > 0 ? lifeMs : UNKNOWN_LIFE_MS;
  return { renewAtMs: sentMs + goodMs - Math.min(MAX_MARGIN_MS, goodMs / 5), endsAtMs: sentMs + goodMs };
}

function shown(versions: readonly string[]): string {
  return printable([...new Set(versions)].join(", "), 60);
}
