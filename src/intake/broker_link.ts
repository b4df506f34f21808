import { type Channel, Connection } from "rabbitmq-client";
import type { RabbitSource } from "../model/config.ts";
import type { AmqpEndpoint } from "../wire/amqp/amqp_options.ts";
import { readTls } from "./broker_address.ts";

/** A connection that is there. */
export interface Link {
  readonly connection: Connection;
  readonly endpoint: AmqpEndpoint;
  /** Aborted with the loss of the connection; the reason is why. */
  readonly lost: AbortSignal;
}

export interface LinkOptions {
  readonly source: RabbitSource;
  /** For certificates. */
  readonly readFile: (path: string) => Uint8Array;
  /** What RabbitMQ calls the connection. */
  readonly name: string;
  /** Gives up. */
  readonly signal: AbortSignal;
}

const CLOSE_MS = 5_000;
const FRAME_MAX = 131_072;

/** Connects, once: trying again is our business, since the library neither says nor counts what it tries. */
export async function openLink(endpoint: AmqpEndpoint, options: LinkOptions): Promise<Link> {
  const { source, readFile, signal } = options;
  const tls = endpoint.tls ? readTls(typeof source.tls === "object" ? source.tls : {}, readFile) : false;
  signal.throwIfAborted();
  const connection = new Connection({
    hostname: endpoint.host,
    port: endpoint.port,
    username: endpoint.user,
    password: endpoint.password,
    vhost: endpoint.vhost,
    tls,
    heartbeat: source.heartbeatSeconds ?? DEFAULT_HEARTBEAT_SECONDS,
    frameMax: FRAME_MAX,
    noDelay: true,
    connectionName: options.name,
  });
  const lost = new AbortController();
  const connected = Promise.withResolvers<void>();
  connection.on("connection", connected.resolve);
  connection.on("error", (error) => {
    connection.unsafeDestroy();
    connected.reject(error);
    lost.abort(error);
  });
  const giveUp = () => {
    connection.unsafeDestroy();
    connected.reject(signal.reason);
  };
  signal.addEventListener("abort", giveUp);
  try {
    await connected.promise;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  useNegotiatedFrameMax(connection);
  return { connection, endpoint, lost: lost.signal };
}

export const DEFAULT_HEARTBEAT_SECONDS = 10;

/** A channel to be thrown away. */
export async function openProbe(link: Link): Promise<Channel> {
  const channel = await link.connection.acquire({ emitErrorsFromChannel: true });
  // A refusal rejects the call too.
  channel.on("error", () => {});
  return channel;
}

/** Ends a connection; its channels must be closed. */
export async function closeLink({ connection, lost }: Link): Promise<void> {
  // The library would wait for a socket that is closed already.
  if (lost.aborted) return;
  const timer = setTimeout(() => connection.unsafeDestroy(), CLOSE_MS);
  await connection.close();
  clearTimeout(timer);
}

/**
 * rabbitmq-client expects a body in frames of the size that it asked for, even when a broker with a smaller frame_max was
 * followed in the handshake: it would cut large bodies short.
 */
function useNegotiatedFrameMax(connection: Connection): void {
  const internal = connection as unknown as { _opt?: { frameMax: number }; _state?: { frameMax: number } };
  if (internal._opt === undefined || internal._state === undefined) {
    throw new TypeError("Cannot follow frame_max: unknown version of rabbitmq-client");
  }
  internal._opt.frameMax = internal._state.frameMax;
}
