import type { RabbitSource } from "../model/config.ts";
import type { AmqpEndpoint } from "../wire/amqp/amqp_options.ts";
import type { Channel } from "./amqp/channel.ts";
import { Connection } from "./amqp/connection.ts";
import { readTls } from "./address.ts";
import { RABBIT_DEFAULTS } from "../model/config_defaults.ts";

/** An open connection to one broker. */
export interface Link {
  readonly connection: Connection;
  readonly endpoint: AmqpEndpoint;
  /** Aborts when the connection is lost; its reason is the error. */
  readonly lost: AbortSignal;
}

export interface LinkOptions {
  readonly source: RabbitSource;
  /** Reads certificate files. */
  readonly readFile: (path: string) => Uint8Array;
  /**
   * Called after each read of the socket; the next read waits for the result. @default never waits
   */
  readonly backpressure?: (() => Promise<void> | undefined) | undefined;
  /** The connection's name in RabbitMQ's management UI. */
  readonly name: string;
  /** Aborts the connection attempt. */
  readonly signal: AbortSignal;
}

const CLOSE_MS = 5_000;

/** Makes one attempt to connect and log in. */
export async function openLink(endpoint: AmqpEndpoint, options: LinkOptions): Promise<Link> {
  const { source, readFile, name, signal, backpressure } = options;
  const { host, port, user, password, vhost } = endpoint;
  const tls = endpoint.tls ? readTls(typeof source.tls === "object" ? source.tls : {}, readFile) : null;
  const { heartbeatSeconds = RABBIT_DEFAULTS.heartbeatSeconds } = source;
  const login = { host, port, user, password, vhost, tls };
  const connection = await Connection.open({ ...login, heartbeatSeconds, name, signal, backpressure });
  return { connection, endpoint, lost: connection.lost };
}

/** Opens a channel for a single use: the broker closes a channel with its first refusal. */
export function openTemporaryChannel({ connection }: Link): Promise<Channel> {
  return connection.openChannel();
}

/** Closes a connection, and waits up to 5 s for the broker's answer. */
export async function closeLink({ connection }: Link): Promise<void> {
  const timer = setTimeout(() => connection.destroy(), CLOSE_MS);
  await connection.close();
  clearTimeout(timer);
}
