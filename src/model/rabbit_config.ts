/** TLS for connections to RabbitMQ. Certificates are always verified. */
export interface RabbitTls {
  /**
   * PEM file of the authority that signed the broker's certificate.
   *
   * @default the system's authorities
   */
  readonly caFile?: string;
  /** PEM file of our own certificate, with its chain; needs `keyFile`. */
  readonly certFile?: string;
  /** PEM file of the key of `certFile`. */
  readonly keyFile?: string;
  /** The expected name in the broker's certificate. @default the host */
  readonly serverName?: string;
}

/** A durable queue that oss-watcher declares and binds to the services' exchanges. */
export interface OwnQueue {
  /** The queue's name, at most 255 bytes; the service declares it. */
  readonly name: string;
  /** The services' control exchanges. @default ["nova", "neutron"] */
  readonly exchanges?: readonly string[];
  /**
   * Notification topics with their priority, which are routing keys. @default
   * ["notifications.info", "versioned_notifications.info"]
   */
  readonly routingKeys?: readonly string[];
  /** The queue's type. @default "quorum" */
  readonly type?: "classic" | "quorum";
}

/** How to reach RabbitMQ. */
export interface RabbitConnection {
  /**
   * `amqp://user:password@host:port/vhost` or `amqps://…`; several are tried in turn. Instead of
   * host etc.
   */
  readonly url?: string | readonly string[];
  /** One host, or several hosts of one cluster. @default "localhost" */
  readonly host?: string | readonly string[];
  /** From 1 to 65535. @default 5672, with `tls` 5671 */
  readonly port?: number;
  /** The user to log in as. @default "guest" */
  readonly user?: string;
  /** The user's password. @default "guest" for the user guest, else "" */
  readonly password?: string;
  /** The virtual host that has the queue. @default "/" */
  readonly vhost?: string;
  /** `true`, or how. @default true for amqps://, else false */
  readonly tls?: RabbitTls | boolean;
  /** Unacknowledged messages in flight; up to half of them share one transaction. @default 1000 */
  readonly prefetch?: number;
  /** A connection that is silent for twice as long is given up. @default 10 */
  readonly heartbeatSeconds?: number;
}

/** One queue on one broker: an existing one, or our own. */
export type RabbitSource =
  & RabbitConnection
  & (
    /** An existing queue, consumed exclusively. */
    | { readonly watchQueue: string; readonly queue?: never }
    | { readonly queue: OwnQueue; readonly watchQueue?: never }
  );
