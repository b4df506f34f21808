import { Deadline } from "../deadline.ts";
import { FromFiles } from "../files/from_files.ts";
import { SmtpFailures } from "./smtp_failure.ts";
import { portOf, smtpOptionProblems, type SmtpTargetOptions } from "./smtp_options.ts";
import { readTlsFiles } from "../files/tls_files.ts";
import { refuseProblems } from "../options/option_rules.ts";

export type { SmtpTargetOptions };

/** A mail and whom it is for. */
export interface SmtpMail {
  /** Bare addresses: the envelope. */
  readonly from: string;
  /** Bare addresses of the recipients: the envelope. */
  readonly to: readonly string[];
  /** As `composeMail` gives it. */
  readonly message: string;
}

/** An address that the server refused, and its answer. */
export interface RefusedAddress {
  /** The bare address. */
  readonly address: string;
  /** The server's answer, without secrets and safe to print. */
  readonly answer: string;
  /** Whether it may be taken later: an answer 4yz, as of a server that greylists. */
  readonly temporary: boolean;
}

/** Few: mail servers count the connections of one client. */
const MAX_CONNECTIONS = 3;
const IDLE_MS = 20_000;
const CLOSE_MS = 1_000;

/**
 * A mail server. Connections are opened when needed, used again, and closed when there is nothing to do. Whatever fails is thrown as an
 * error that says whether to try again, and holds no secret.
 *
 * @example
 * ```ts
 * import { SmtpTarget } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * await using target = new SmtpTarget({ host: "127.0.0.1", port: 1, security: "none" });
 * const mail = { from: "oss-watcher@example.com", to: ["anna@example.com"], message: "Subject: hello\r\n\r\nhello\r\n" };
 *
 * await assert.rejects(target.send(mail, new AbortController().signal), { name: "DeliveryError", reason: "connection" });
 * ```
 */
export class SmtpTarget implements AsyncDisposable {
  /** `host:port`. */
  readonly address: string;
  readonly #options: SmtpTargetOptions;
  readonly #failures: SmtpFailures;
  readonly #pool: FromFiles<Pool>;

  /** What the constructor would refuse of these options: `option: what is allowed` each, never with a value. */
  static problems(options: SmtpTargetOptions): string[] {
    return smtpOptionProblems(options);
  }

  /**
   * Does no I/O: files are read, and the mail library loaded, when they are needed first; files also when they have changed.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: SmtpTargetOptions) {
    refuseProblems("Cannot make SmtpTarget", SmtpTarget.problems(options));
    this.address = `${options.host.includes(":") ? `[${options.host}]` : options.host}:${portOf(options)}`;
    this.#options = options;
    this.#failures = new SmtpFailures(secretsOf(options));
    this.#pool = new FromFiles({
      files: [options.caFile, options.certFile, options.keyFile],
      open: () => openPool(options),
      close: (pool) => pool.close({ force: true }),
    });
  }

  /**
   * Sends a mail.
   *
   * @returns Those for whom it was not taken, while it was for others.
   * @throws {PermanentError} when the server will never take it for anybody (5yz).
   * @throws {DeliveryError} when it does not take it now, does not know us, or cannot be reached.
   */
  async send({ from, to, message }: SmtpMail, signal: AbortSignal): Promise<RefusedAddress[]> {
    return await this.#attempt(`Cannot send mail through ${this.address}`, signal, async (pool, signal) => {
      const send = () => pool.sendMail({ envelope: { from, to: [...to] }, raw: message, signal });
      const { rejected, rejectedErrors = [] } = await send().catch((error) => {
        // What the pool says when the server has left a connection since its last mail, before anything of this one was sent.
        if (error.code !== "ECONNECTION" || error.command !== undefined) throw error;
        return send();
      });
      return rejected.map((address) => {
        const { response = "" } = rejectedErrors.find(({ recipient }) => recipient === address) ?? {};
        const temporary = /^4/.test(String(response));
        return { address, answer: this.#failures.shown(String(response)), temporary };
      });
    });
  }

  /** Connects and logs in, without sending anything. @throws {DeliveryError} when that fails. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#attempt(`Cannot log in at ${this.address}`, signal, (pool) => pool.verify());
  }

  /** Closes the connections. A later mail opens new ones. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  async #attempt<T>(
    cannot: string,
    signal: AbortSignal,
    work: (pool: Pool, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    using deadline = new Deadline(signal, timeoutSeconds(this.#options));
    try {
      deadline.signal.throwIfAborted();
      return await deadline.race(this.#pool.use((pool) => work(pool, deadline.signal)));
    } catch (error) {
      throw deadline.signal.aborted
        ? deadline.failure(cannot)
        : this.#failures.failed(cannot, error, this.#pool.refusal);
    }
  }
}

type Pool = Awaited<ReturnType<typeof openPool>>;

async function openPool(options: SmtpTargetOptions) {
  const { host, security = "starttls", user, password, serverName, clientName } = options;
  const [{ createTransport }, files] = await Promise.all([
    import("nodemailer"),
    security === "none" ? {} : readTlsFiles(options),
  ]);
  // Later than our own clock, which says it for all: only for what nobody waits for any more.
  const timeoutMs = timeoutSeconds(options) * 1000 + CLOSE_MS;
  return createTransport({
    pool: true,
    host,
    port: portOf(options),
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    tls: { ...files, ...(serverName === undefined ? {} : { servername: serverName }) },
    ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password }, forceAuth: true }),
    ...(clientName === undefined ? {} : { name: clientName }),
    maxConnections: MAX_CONNECTIONS,
    // The pool would send a mail again with the answer to its first try still in its hands, and take that for the second's.
    maxRequeues: 0,
    idleTimeout: IDLE_MS,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketCloseTimeout: CLOSE_MS,
  });
}

function timeoutSeconds({ timeoutSeconds = 30 }: SmtpTargetOptions): number {
  return timeoutSeconds;
}

/** The password, also in the forms in which it goes over the wire. */
function secretsOf({ user = "", password }: SmtpTargetOptions): string[] {
  if (password === undefined) return [];
  return [password, ...[password, `\0${user}\0${password}`].map((text) => new TextEncoder().encode(text).toBase64())];
}
