import type { RabbitSource } from "../model/config.ts";
import type { AmqpEndpoint } from "../wire/amqp/amqp_options.ts";
import type { Channel } from "./amqp/channel.ts";
import { Connection } from "./amqp/connection.ts";
import { readTls } from "./address.ts";

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
  /** What is waited for before more is read. @default nothing */
  readonly backpressure?: (() => Promise<void> | undefined) | undefined;
  /** What RabbitMQ calls the connection. */
  readonly name: string;
  /** Gives up. */
  readonly signal: AbortSignal;
}

const CLOSE_MS = 5_000;

export const DEFAULT_HEARTBEAT_SECONDS = 10;

/** Connects, once. */
export async function openLink(endpoint: AmqpEndpoint, options: LinkOptions): Promise<Link> {
  const { source, readFile, name, signal, backpressure } = options;
  const { host, port, user, password, vhost } = endpoint;
  const tls = endpoint.tls ? readTls(typeof source.tls === "object" ? source.tls : {}, readFile) : null;
  const { heartbeatSeconds = DEFAULT_HEARTBEAT_SECONDS } = source;
  const login = { host, port, user, password, vhost, tls };
  const connection = await Connection.open({ ...login, heartbeatSeconds, name, signal, backpressure });
  return { connection, endpoint, lost: connection.lost };
}

/** A channel to be thrown away. */
export function openTemporaryChannel({ connection }: Link): Promise<Channel> {
  return connection.openChannel();
}

/** Ends a connection, and waits some seconds for the broker's answer. */
export async function closeLink({ connection }: Link): Promise<void> {
  const timer = setTimeout(() => connection.destroy(), CLOSE_MS);
  await connection.close();
  clearTimeout(timer);
}
