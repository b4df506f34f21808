import type { Clock } from "../../model/clock.ts";
import { DeliveryError, UserError } from "../../model/errors.ts";
import { isRecord } from "../../model/is_record.ts";
import { printable } from "../escaping/printable.ts";
import { HttpTarget } from "../http/http.ts";
import { remember } from "./given_values.ts";
import type { VaultSettings } from "./vault_settings.ts";

/** What a path holds, by key. */
export type VaultSecret = Readonly<Record<string, unknown>>;

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const TIMEOUT_SECONDS = 10;
/** Attempts while the server does not answer, and the time between them. */
const ATTEMPTS = 3;
const BETWEEN_MS = 1000;
/** For giving a token back: the end of the service does not wait longer. */
const REVOKE_MS = 2000;

/** A token with its life; the one of a root token does not end. */
interface Token {
  readonly text: string;
  /** By the monotonic clock. */
  readonly givenMs: number;
  readonly lifeMs: number;
  readonly isRenewable: boolean;
  /** Whether the server was asked how long it lives. */
  readonly isKnown: boolean;
}

/** A login at the server, which ends with it. */
export class VaultSession implements AsyncDisposable {
  readonly #settings: VaultSettings;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #target: HttpTarget;
  #token: Token | undefined;

  constructor(settings: VaultSettings, { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }) {
    this.#settings = settings;
    this.#clock = clock;
    this.#signal = signal;
    this.#target = new HttpTarget({
      ...settings.files,
      timeoutSeconds: TIMEOUT_SECONDS,
      maxAnswerBytes: MAX_ANSWER_BYTES,
      headers: {
        "X-Vault-Request": "true",
        ...(settings.namespace === undefined ? {} : { "X-Vault-Namespace": settings.namespace }),
      },
    });
  }

  /** The life of the token; `Infinity` if it does not end. */
  get lifeMs(): number {
    return this.#token?.lifeMs ?? Infinity;
  }

  /**
   * Reads all keys of a path.
   *
   * @throws {UserError} saying why it cannot.
   */
  async read(path: string): Promise<VaultSecret> {
    const { mount, version } = await this.#mountOf(path);
    const rest = path.slice(mount.length);
    const place = version === 2 ? `${mount}data/${rest}` : path;
    const { status, body } = await this.#ask("GET", place, { accepts: [404] });
    const data = objectOf(body["data"]);
    const secret = version === 2 ? data["data"] : body["data"];
    if (status === 200 && isRecord(secret)) return secret;
    const deleted = objectOf(data["metadata"])["deletion_time"];
    if (deleted) throw new UserError(`its newest version is deleted. Write a new one, or undelete it`);
    const advice = rest.startsWith("data/") ? `Leave out "data/"` : `Write it with: vault kv put ${path} …`;
    throw new UserError(`there is nothing at "${path}". ${advice}`);
  }

  /**
   * Renews the token once a third of its life is over, or logs in anew where it cannot be renewed.
   *
   * @returns A warning: the token will end.
   */
  async keepAlive(): Promise<string | null> {
    const { login } = this.#settings;
    if ("token" in login && (this.#token?.text !== login.token() || !this.#token.isKnown)) {
      this.#token = await this.#lookUp(login.token());
    }
    const token = this.#token ?? await this.#logIn();
    const overMs = this.#clock.passedMs() - token.givenMs;
    if (overMs < token.lifeMs / 3) return null;
    const renewed = token.isRenewable ? await this.#renew(token) : null;
    // The greatest life of a token is reached when it is renewed for less.
    if (renewed !== null && renewed.lifeMs >= token.lifeMs / 2) this.#token = renewed;
    else if (!("token" in login)) await this.#logIn();
    else return "The token for Vault ends soon and cannot be renewed any more: give another one";
    return null;
  }

  /** Gives a token back that was made by a login; others are not ours. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#token !== undefined && !("token" in this.#settings.login)) {
      const ours = { token: this.#token.text, signal: AbortSignal.timeout(REVOKE_MS), attempts: 1 };
      await this.#send("POST", "auth/token/revoke-self", ours).catch(() => {});
    }
    await this.#target[Symbol.asyncDispose]();
  }

  async #mountOf(path: string): Promise<{ readonly mount: string; readonly version: number }> {
    const { body } = await this.#ask("GET", `sys/internal/ui/mounts/${path}`);
    const { path: mount, type, options } = objectOf(body["data"]);
    if (typeof mount !== "string" || !`${path}/`.startsWith(mount)) {
      throw new UserError(`the server does not say which secrets engine has "${path}"`);
    }
    if (type !== "kv" && type !== "generic") {
      throw new UserError(
        `"${mount}" is a secrets engine of the type ${printable(String(type), 40)}, and kv is needed`,
      );
    }
    return { mount, version: Number(objectOf(options)["version"] ?? 1) };
  }

  /** The token that is given, or one that a login gives. */
  async #logIn(): Promise<Token> {
    const { login } = this.#settings;
    if ("token" in login) return this.#token = { ...this.#tokenOf(login.token()), isKnown: false };
    const { mount, roleId, secretId } = login;
    const sent = { role_id: roleId, secret_id: secretId() };
    const { body } = await this.#send("POST", `auth/${mount}/login`, { sent });
    const { client_token: text, lease_duration: ttl, renewable } = objectOf(body["auth"]);
    if (typeof text !== "string") throw new UserError("the login gave no token");
    remember({ name: "VAULT_TOKEN", value: text, origin: "Vault" });
    return this.#token = this.#tokenOf(text, ttl, renewable);
  }

  /** Its life is not known where the token may not ask for it. */
  async #lookUp(text: string): Promise<Token> {
    const { body } = await this.#send("GET", "auth/token/lookup-self", { token: text, accepts: [403] });
    const { ttl, renewable } = objectOf(body["data"]);
    return this.#tokenOf(text, ttl, renewable);
  }

  /** `null`: the server refuses. */
  async #renew({ text }: Token): Promise<Token | null> {
    const { status, body } = await this.#send("POST", "auth/token/renew-self", {
      token: text,
      sent: {},
      accepts: [400, 403],
    });
    const { lease_duration: ttl, renewable } = objectOf(body["auth"]);
    return status === 200 ? this.#tokenOf(text, ttl, renewable) : null;
  }

  #tokenOf(text: string, ttl?: unknown, renewable?: unknown): Token {
    const lifeMs = typeof ttl === "number" && ttl > 0 ? ttl * 1000 : Infinity;
    return { text, givenMs: this.#clock.passedMs(), lifeMs, isRenewable: renewable === true, isKnown: true };
  }

  /** A question with our token. One that was revoked meanwhile is replaced where we can log in. */
  async #ask(method: string, path: string, { accepts = [] as readonly number[] } = {}): Promise<Answer> {
    const { text } = this.#token ?? await this.#logIn();
    const answer = await this.#send(method, path, { token: text, accepts: [...accepts, 403] });
    if (answer.status !== 403) return answer;
    const { login } = this.#settings;
    const mayBeRevoked = !("token" in login) || login.token() !== text;
    const again = mayBeRevoked ? (await this.#logIn()).text : text;
    return await this.#send(method, path, { token: again, accepts });
  }

  /** Tries again while the server does not answer or is not ready. */
  async #send(method: string, path: string, options: Sent): Promise<Answer> {
    const { token, sent, accepts = [], signal = this.#signal, attempts = ATTEMPTS } = options;
    for (let attempt = 1;; attempt++) {
      try {
        const { status, text } = await this.#target.request({
          method,
          url: `${this.#settings.address}/v1/${path.split("/").map(encodeURIComponent).join("/")}`,
          ...(token === undefined ? {} : { headers: { "X-Vault-Token": token } }),
          ...(sent === undefined ? {} : { body: JSON.stringify(sent) }),
          accepts: (status) => accepts.includes(status),
          signal,
        });
        return { status, body: bodyOf(text) };
      } catch (error) {
        if (!(error instanceof DeliveryError)) throw error;
        const mayPass = error.status === undefined ? error.reason !== "interrupted" : error.status >= 500;
        if (!mayPass || attempt >= attempts) throw refusal(error, path);
        await this.#clock.sleep(BETWEEN_MS, signal);
      }
    }
  }
}

interface Sent {
  readonly token?: string;
  readonly sent?: object;
  /** Statuses that are an answer. */
  readonly accepts?: readonly number[];
  readonly signal?: AbortSignal;
  readonly attempts?: number;
}

interface Answer {
  readonly status: number;
  readonly body: VaultSecret;
}

/** With the next step for what servers say. */
function refusal(error: DeliveryError, path: string): UserError {
  const advice = () => {
    if (error.status === 503) return "Unseal it, or name another one by VAULT_ADDR";
    if (error.status === undefined) return "Start it, or correct VAULT_ADDR or VAULT_CACERT";
    if (path.startsWith("auth/")) return "Give another token, role or secret id";
    if (error.status !== 403) return "Look into the server's log";
    const needed = path.replace(/^sys\/internal\/ui\/mounts\/([^/]*)/, "$1/data");
    return `Give another token, or its policy: path "${needed}" { capabilities = ["read"] }`;
  };
  return new UserError(`${error.message}. ${advice()}`);
}

function bodyOf(text: string): VaultSecret {
  if (text === "") return {};
  try {
    return objectOf(JSON.parse(text));
  } catch {
    throw new UserError("the answer is no JSON. Correct VAULT_ADDR: something else listens there");
  }
}

function objectOf(value: unknown): VaultSecret {
  return isRecord(value) ? value : {};
}
