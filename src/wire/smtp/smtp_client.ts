import { Deadline } from "../deadline.ts";
import { FromFiles } from "../files/from_files.ts";
import { readTlsFiles } from "../files/tls_files.ts";
import { SmtpFailures } from "./smtp_failure.ts";
import { addressOf, portOf, type SmtpTargetOptions } from "./smtp_options.ts";

/** A mail and its envelope. */
export interface SmtpMail {
  /** Bare address of the sender. */
  readonly from: string;
  /** Bare addresses of the recipients. */
  readonly to: readonly string[];
  /** The text that `composeMail` returns. */
  readonly message: string;
}

/** An address that the server refused, and its answer. */
export interface RefusedAddress {
  /** The bare address. */
  readonly address: string;
  /** The server's answer, without secrets and safe to print. */
  readonly answer: string;
  /** Whether the server may accept it later: an answer 4yz, as from a server that greylists. */
  readonly temporary: boolean;
}

/** Few, since mail servers limit the connections of one client. */
const MAX_CONNECTIONS = 3;
const IDLE_MS = 20_000;
const CLOSE_MS = 1_000;

/** What `SmtpTarget` does, with the modules that connect. */
export class SmtpClient implements AsyncDisposable {
  readonly #address: string;
  readonly #options: SmtpTargetOptions;
  readonly #failures: SmtpFailures;
  readonly #pool: FromFiles<Pool>;

  /** @param options Checked ones. */
  constructor(options: SmtpTargetOptions) {
    this.#address = addressOf(options);
    this.#options = options;
    this.#failures = new SmtpFailures(secretsOf(options));
    this.#pool = new FromFiles({
      files: [options.caFile, options.certFile, options.keyFile],
      open: () => openPool(options),
      close: (pool) => pool.close({ force: true }),
    });
  }

  async send({ from, to, message }: SmtpMail, signal: AbortSignal): Promise<RefusedAddress[]> {
    return await this.#attempt(`Cannot send mail through ${this.#address}`, signal, async (pool, signal) => {
      const send = () => pool.sendMail({ envelope: { from, to: [...to] }, raw: message, signal });
      const { rejected, rejectedErrors = [] } = await send().catch((error) => {
        // The pool's error when the server has closed an idle connection: nothing of this mail was
        // sent.
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

  async check(signal: AbortSignal): Promise<void> {
    await this.#attempt(`Cannot log in at ${this.#address}`, signal, (pool) => pool.verify());
  }

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
  // Longer than our own time limit, which makes the error texts: this one ends only work that
  // nobody waits for.
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
    // The pool's own retry would take a late answer to the first try for the answer to the second.
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

/** The password, also in the forms in which it is sent. */
function secretsOf({ user = "", password }: SmtpTargetOptions): string[] {
  if (password === undefined) return [];
  return [password, ...[password, `\0${user}\0${password}`].map((text) => new TextEncoder().encode(text).toBase64())];
}
