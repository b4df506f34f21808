import { bareHost } from "../../model/bracketed_host.ts";
import type * as Ldapts from "ldapts";
import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { LdapTargetOptions } from "./ldap_options.ts";
import { readTlsFiles } from "../files/tls_files.ts";

/** The library, and its client, which is one connection. */
export type LdapLibrary = typeof Ldapts;
export type LdapConnection = Ldapts.Client;

/** Limits of the wait for an operation's answer. */
export interface WaitLimits {
  readonly signal: AbortSignal;
  readonly timeoutSeconds: number;
}

/**
 * The session was closed before the operation began, or another operation closed it. The operation
 * may be repeated on a new session.
 */
export class SessionOver extends Error {
  override readonly name = "SessionOver";
}

/**
 * One connection to one server, secured, bound, and shared by many operations. It never reconnects
 * by itself, which would be without a bind. The only file that names the LDAP library, which is
 * loaded at first use.
 */
export class LdapSession {
  readonly url: string;
  readonly #library: LdapLibrary;
  readonly #client: LdapConnection;
  readonly #sockets: readonly Socket[];
  /** Operations without an answer yet. */
  readonly #waiting = new Set<(reason: Error) => void>();
  readonly #onOver: () => void;
  #end: Error | undefined;
  #retired = false;

  private constructor(url: string, { library, client, sockets }: Opened, onOver: () => void) {
    this.url = url;
    this.#onOver = onOver;
    this.#library = library;
    this.#client = client;
    this.#sockets = sockets;
    const close = () => this.#close(new Error("the server closed the connection"));
    for (const socket of sockets) socket.once("close", close);
    // A destroyed socket emits no further event.
    if (sockets.some(({ destroyed }) => destroyed)) close();
  }

  /**
   * Connects to a server and binds.
   *
   * @param onOver Called once, when the session takes no more operations.
   * @throws {Error} with a `code` if the server refused the bind.
   */
  static async open(url: string, options: LdapTargetOptions, onOver: () => void): Promise<LdapSession> {
    return new LdapSession(url, await open(url, options), onOver);
  }

  /**
   * Resolves to the answer to an operation. When the signal or the time limit ends the wait, the
   * connection is closed: the server must not perform the operation later, after events that
   * follow.
   *
   * @throws {SessionOver} when the session ended before this operation began, or another operation
   * ended it.
   */
  run<Answer>(
    operation: (client: LdapConnection, library: LdapLibrary) => Promise<Answer>,
    { signal, timeoutSeconds }: WaitLimits,
  ): Promise<Answer> {
    if (this.#end !== undefined) return Promise.reject(new SessionOver(this.#end.message));
    if (signal.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const cut = (reason: Error) => {
      reject(reason);
      this.#close(new SessionOver("another operation on the same connection was cut off"));
    };
    const onAbort = () => cut(signal.reason);
    const timer = setTimeout(() => cut(tooLate(`no answer within ${timeoutSeconds} s`)), timeoutSeconds * 1000);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.add(reject);
    operation(this.#client, this.#library).then(resolve, reject);
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      this.#waiting.delete(reject);
      if (this.#retired && this.#waiting.size === 0) this.close();
    });
  }

  /** Refuses further operations, and closes after the last answer. */
  retire(): void {
    if (!this.#retired && this.#end === undefined) this.#onOver();
    this.#retired = true;
    if (this.#waiting.size === 0) this.close();
  }

  /** Closes the connection; pending operations fail. */
  close(): void {
    this.#close(new Error("the connection was closed"));
  }

  #close(reason: Error): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    if (!this.#retired) this.#onOver();
    for (const socket of this.#sockets) socket.on("error", () => {}).destroy();
    for (const reject of this.#waiting) reject(reason);
  }
}

interface Opened {
  readonly library: LdapLibrary;
  readonly client: LdapConnection;
  /** The socket, and the TLS socket that StartTLS has put upon it. */
  readonly sockets: readonly Socket[];
}

async function open(url: string, options: LdapTargetOptions): Promise<Opened> {
  const { connectTimeoutSeconds = 5 } = options;
  const opened = await makeClient(url, options);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const expire = () => reject(tooLate(`no answer within ${connectTimeoutSeconds} s`));
  const timer = setTimeout(expire, connectTimeoutSeconds * 1000);
  try {
    await Promise.race([authenticate(opened.client, options), late]);
    return opened;
  } catch (error) {
    for (const socket of opened.sockets) socket.on("error", () => {}).destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** A client that connects once, at the bind. */
async function makeClient(url: string, options: LdapTargetOptions): Promise<Opened> {
  const [library, net, tls, files] = await Promise.all([
    import("ldapts"),
    import("node:net"),
    import("node:tls"),
    options.startTls || new URL(url).protocol === "ldaps:" ? readTlsFiles(options) : {},
  ]);
  const host = bareHost(new URL(url).hostname);
  // Without noDelay (Nagle's algorithm) an operation waits up to 40 ms for the previous answer.
  const tcp = { host, keepAlive: true, noDelay: true };
  // The certificate must be this host's, whatever else would be checked upon StartTLS. An address
  // is checked, but cannot be asked for.
  const secure = { ...files, ...tcp, servername: net.isIP(host) === 0 ? host : "" };
  const sockets: Socket[] = [];
  const add = (socket: Socket, most: number) => {
    if (sockets.push(socket) > most) throw new Error("the connection is gone");
    return socket;
  };
  const connect = (port: number) => add(net.connect({ ...tcp, port }), 1);
  // The library gives a port for ldaps://, and the open socket for StartTLS.
  const connectTls = (given: number | ConnectionOptions) =>
    typeof given === "number"
      ? add(tls.connect({ ...secure, port: given }), 1)
      : add(tls.connect({ ...secure, ...given }), 2);
  const client = new library.Client({
    url,
    createConnection: connect as typeof net.connect,
    createSecureConnection: connectTls as typeof tls.connect,
  });
  return { library, client, sockets };
}

/** Starts TLS, then binds. */
async function authenticate(
  client: LdapConnection,
  { startTls = false, sasl, bindDn = "", password = "" }: LdapTargetOptions,
): Promise<void> {
  if (startTls) {
    await client.startTLS().catch((error) => {
      throw new Error(`StartTLS failed: ${error instanceof Error ? error.message : error}`);
    });
  }
  await (sasl === undefined ? client.bind(bindDn, password) : client.bindSASL(sasl));
}

function tooLate(message: string): DOMException {
  return new DOMException(message, "TimeoutError");
}
