import type { JetStreamClient, PubAck } from "@nats-io/jetstream";
import type { Authenticator, headers as newHeaders, NatsConnection } from "@nats-io/nats-core";
import { DeliveryError } from "../../model/errors.ts";
import { unlessAborted } from "../deadline.ts";
import { readTlsFiles } from "../files/tls_files.ts";
import type { Link } from "../kept_link.ts";
import type { NatsEndpoint, NatsTargetOptions } from "./nats_options.ts";
import type { SocketTls } from "./nats_socket.ts";

/** A message as it is published. */
export interface NatsEnvelope {
  readonly subject: string;
  /** `Nats-Msg-Id`. */
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The stream that must take it; `undefined`: any. */
  readonly stream: string | undefined;
}

/** What to look for: a stream by its name, or the one that takes a subject. */
export type NatsPlace = { readonly stream: string } | { readonly stream?: never; readonly subject: string };

/** How to log in. */
export type NatsLogin = Pick<NatsTargetOptions, "user" | "password" | "token" | "credsFile">;

const PING_MS = 10_000;

/** The answer of a program that subscribes to the subject, named as the library names such errors. */
class NoAcknowledgement extends Error {
  override readonly name = "JetStreamError";
  override readonly message = "the answer is no acknowledgement";
}

/**
 * One connection to one NATS server. With `nats_socket.ts` the only file that names the library,
 * which is loaded at first use.
 */
export class NatsLink implements Link {
  readonly label: string;
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #newHeaders: typeof newHeaders;
  readonly #end = new AbortController();

  private constructor(
    { label }: NatsEndpoint,
    { connection, client, headers }: {
      readonly connection: NatsConnection;
      readonly client: JetStreamClient;
      readonly headers: typeof newHeaders;
    },
  ) {
    this.label = label;
    this.#connection = connection;
    this.#client = client;
    this.#newHeaders = headers;
    connection.closed().then((error) => this.#end.abort(error ?? new Error("the server closed the connection")));
  }

  static async open(
    endpoint: NatsEndpoint,
    { login, timeoutMs, stop }: { readonly login: NatsLogin; readonly timeoutMs: number; readonly stop: AbortSignal },
  ): Promise<NatsLink> {
    const { label, tls } = endpoint;
    const [core, { NatsConnectionImpl, setTransportFactory }, { jetstream }, { NatsSocket }, files] = await Promise.all(
      [
        import("@nats-io/nats-core"),
        import("@nats-io/nats-core/internal"),
        import("@nats-io/jetstream"),
        import("./nats_socket.ts"),
        tls && socketTls(tls),
      ],
    );
    const { user, password = "", token, credsFile } = login;
    const authenticator = credsFile === undefined ? undefined : await byCredentials(credsFile, core.credsAuthenticator);
    stop.throwIfAborted();
    setTransportFactory({ factory: () => new NatsSocket() });
    const connecting = NatsConnectionImpl.connect({
      servers: [label],
      name: "oss-watcher",
      timeout: timeoutMs,
      // Servers are tried, and tried again, by whoever keeps the link.
      reconnect: false,
      ignoreClusterUpdates: true,
      pingInterval: PING_MS,
      noAsyncTraces: true,
      ...(user !== undefined && { user, pass: password }),
      ...(token !== undefined && { token }),
      ...(authenticator !== undefined && { authenticator }),
      ...(files !== undefined && { tls: files }),
    });
    // It may come when it is not wanted any more.
    connecting.then((late) => stop.aborted ? late.close() : undefined, () => undefined);
    const connection = await unlessAborted(stop, connecting);
    const client = jetstream(connection, { timeout: timeoutMs });
    return new NatsLink(endpoint, { connection, client, headers: core.headers });
  }

  /** Aborted when the connection has ended, with the cause as its reason. */
  get over(): AbortSignal {
    return this.#end.signal;
  }

  end(reason: unknown): void {
    // Before the library closes: pending calls must fail with this error, not with the library's.
    this.#end.abort(reason);
    this.#connection.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** Resolves when a stream has stored the message, or had it already. */
  async publish({ subject, messageId, headers, body, stream }: NatsEnvelope): Promise<void> {
    const all = this.#newHeaders();
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    const expect = stream === undefined ? {} : { expect: { streamName: stream } };
    const options = { msgID: messageId, headers: all, ...expect };
    const answer = this.#client.publish(subject, body, options).catch((error) => {
      throw isUnreadable(error) ? new NoAcknowledgement() : error;
    });
    const { stream: taker, seq }: Partial<PubAck> = await unlessAborted(this.over, answer);
    // Any program that subscribes to the subject can answer; the library looks for little.
    if (!taker || typeof seq !== "number") throw new NoAcknowledgement();
  }

  /** Rejects when there is no such stream, or none that takes the subject. */
  async find(place: NatsPlace): Promise<void> {
    const { streams } = await unlessAborted(this.over, this.#client.jetstreamManager(false));
    const { stream } = place;
    const found: Promise<unknown> = stream === undefined ? streams.find(place.subject) : streams.info(stream);
    await unlessAborted(this.over, found);
  }

  /** Rejects when the server does not answer. */
  async ping(): Promise<void> {
    await unlessAborted(this.over, this.#connection.flush());
  }
}

/** What the library throws for an answer that is not an object of JSON. */
function isUnreadable(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof TypeError;
}

async function socketTls(tls: NonNullable<NatsEndpoint["tls"]>): Promise<SocketTls> {
  const { ca, cert, key } = await readTlsFiles(tls);
  return {
    handshakeFirst: tls.first === true,
    ...(ca !== undefined && { ca: ca.join("\n") }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(tls.serverName !== undefined && { serverName: tls.serverName }),
  };
}

/** @throws {DeliveryError} when the file cannot be read or used: the library would wait for ever. */
async function byCredentials(
  path: string,
  authenticatorOf: (credentials: Uint8Array) => Authenticator,
): Promise<Authenticator> {
  try {
    const authenticator = authenticatorOf(await Deno.readFile(path));
    authenticator("tried");
    return authenticator;
  } catch (error) {
    const isFile = error instanceof Error && !(error instanceof Deno.errors.NotFound);
    const why = isFile && !("code" in error) ? "it holds no JWT and key, as nsc writes them" : String(error);
    throw new DeliveryError(`Cannot use credsFile ${path}: ${why}`, { reason: "unauthorized" });
  }
}
