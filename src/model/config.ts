import type { DetailField } from "./detail.ts";
import type { Json } from "./notification.ts";
import type { Plugin } from "./plugin.ts";

/** An event type that the group `creation` may list. */
export type CreationEvent = "compute.instance.create.end" | "instance.create.end" | "floatingip.update.end";

/** An event type that the group `deletion` may list. */
export type DeletionEvent = "compute.instance.delete.end" | "instance.delete.end" | "floatingip.update.end";

/** All of {@linkcode CreationEvent}. */
export const CREATION_EVENTS = [
  "compute.instance.create.end",
  "instance.create.end",
  "floatingip.update.end",
] as const satisfies readonly CreationEvent[];

/** All of {@linkcode DeletionEvent}. */
export const DELETION_EVENTS = [
  "compute.instance.delete.end",
  "instance.delete.end",
  "floatingip.update.end",
] as const satisfies readonly DeletionEvent[];

/** Which event types are announced as a creation and which as a deletion. */
export interface Events {
  /** Event types that are announced as a creation; may be empty. */
  readonly creation: readonly CreationEvent[];
  /** Event types that are announced as a deletion; may be empty. */
  readonly deletion: readonly DeletionEvent[];
  /** Also announce floating IPs on ports that belong to no server (routers, load balancers). @default false */
  readonly anyPort?: boolean;
}

/** TLS towards RabbitMQ. Certificates are always verified. */
export interface RabbitTls {
  /** PEM file of the authority that signed the broker's certificate. @default the system's authorities */
  readonly caFile?: string;
  /** PEM file of our own certificate, with its chain; needs `keyFile`. */
  readonly certFile?: string;
  /** PEM file of the key of `certFile`. */
  readonly keyFile?: string;
  /** The name to expect in the broker's certificate. @default the host connected to */
  readonly serverName?: string;
}

/** A durable queue of our own, bound to the services' exchanges. */
export interface OwnQueue {
  /** The queue's name, at most 255 bytes; the service declares it. */
  readonly name: string;
  /** The services' control exchanges. @default ["nova", "neutron"] */
  readonly exchanges?: readonly string[];
  /** Notification topics with their priority, which are routing keys. @default ["notifications.info", "versioned_notifications.info"] */
  readonly routingKeys?: readonly string[];
  /** The queue's type. @default "quorum" */
  readonly type?: "classic" | "quorum";
}

/** How to reach a RabbitMQ. */
export interface RabbitConnection {
  /** `amqp://user:password@host:port/vhost` or `amqps://…`, one or several that are tried in turn; instead of host, user, … */
  readonly url?: string | readonly string[];
  /** One host or several of one cluster. @default "localhost" */
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
  /** Messages that the broker sends ahead of their acknowledgement; half as many may share one transaction. @default 1000 */
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

/**
 * Access to Keystone, Nova, Neutron and Glance, read-only: a cloud of clouds.yaml, or the fields here, or the variables `OS_*`. Fields that are
 * given here stand over what was found elsewhere. Certificates are always verified.
 */
export interface OpenStackOptions {
  /** The name of a cloud in clouds.yaml; instead of `authUrl`. @default the variable OS_CLOUD */
  readonly cloud?: string;
  /** `https://host:5000/v3`. Where it has no version, or an old one, v3 is looked for beside it. */
  readonly authUrl?: string;
  /** The user's name, unique in its domain. */
  readonly user?: string;
  /** The user's id, instead of name and domain. */
  readonly userId?: string;
  /** The name of the user's domain. @default the domain with the id `default` */
  readonly userDomain?: string;
  /** The id of the user's domain, instead of its name. */
  readonly userDomainId?: string;
  /** The user's password. */
  readonly password?: string;
  /** The name of the project to log in for. */
  readonly project?: string;
  /** The project's id, instead of name and domain. */
  readonly projectId?: string;
  /** The name of the project's domain. @default the domain with the id `default` */
  readonly projectDomain?: string;
  /** The id of the project's domain, instead of its name. */
  readonly projectDomainId?: string;
  /** Log in for a domain, instead of a project. */
  readonly domain?: string;
  /** The id of the domain to log in for, instead of its name. */
  readonly domainId?: string;
  /** Log in for the whole system, instead of a project. @default false */
  readonly systemScope?: boolean;
  /** An application credential, instead of a password; by its name it needs the user too. */
  readonly applicationCredentialId?: string;
  /** The application credential's name, instead of its id; needs the user. */
  readonly applicationCredentialName?: string;
  /** The application credential's secret. */
  readonly applicationCredentialSecret?: string;
  /** Needed where the catalog has several. */
  readonly region?: string;
  /** Which of the catalog's endpoints. @default "public" */
  readonly interface?: "public" | "internal" | "admin";
  /** PEM file of the authority that signed the services' certificates. @default the system's authorities */
  readonly caFile?: string;
  /** PEM file of our own certificate, with its chain; needs `keyFile`. */
  readonly certFile?: string;
  /** PEM file of the key of `certFile`. */
  readonly keyFile?: string;
  /**
   * When OpenStack has been silent for so long, a detail is made without it. Messages wait no longer than this for a new ledger to learn what
   * is there.
   *
   * @default 3600
   */
  readonly maxWaitSeconds?: number;
}

/** IPv4, IPv6, or whatever comes first. */
export type IpVersion = 4 | 6 | "first";

/** What the detail says beyond the messages. */
export interface DetailOptions {
  /** Fixed values; they win over everything. A key of `Detail` keeps its type. */
  readonly static?: Readonly<Record<string, Json>>;
  /** Keys made by a function of the whole. */
  readonly fields?: Readonly<Record<string, DetailField>>;
  /** The domain that makes a hostname without a dot a FQDN, as `example.com`. */
  readonly domain?: string;
  /**
   * Which fixed address of a server is `IP`: the first of this IP version, or, of a server that has none of it, the first; `"first"`: the first that
   * OpenStack lists.
   *
   * @default 4
   */
  readonly ipVersion?: IpVersion;
  /** The names of the metadata that fill these keys, compared without case. */
  readonly metadataNames?: Partial<MetadataNames>;
}

/** The metadata that fill five keys of the detail. */
export interface MetadataNames {
  /** Fills `Owner`. @default "owner" */
  readonly Owner: string;
  /** Fills `AdditionalUsers`, as a list. @default "additional_users" */
  readonly AdditionalUsers: string;
  /** Fills `ApplicationName`. @default "application_name" */
  readonly ApplicationName: string;
  /** Fills `EnvironmentCI`. @default "environment_ci" */
  readonly EnvironmentCI: string;
  /** Fills `Description`. @default "description" */
  readonly Description: string;
}

/** How deliveries of one plugin are tried. */
export interface DeliveryOptions {
  /** Attempts side by side. @default 8 */
  readonly concurrency?: number;
  /** One attempt is cut off after this. @default 30 */
  readonly attemptTimeoutSeconds?: number;
  /** The upper end of the first, random delay; it doubles with each failure. @default 1 */
  readonly firstDelaySeconds?: number;
  /** The upper end of every delay. @default 300 */
  readonly maxDelaySeconds?: number;
  /** A delivery that has been tried for so long becomes a dead letter. @default 72 */
  readonly maxAgeHours?: number;
  /** HTTP statuses that trying again cannot mend. @default [400, 409, 410, 413, 414, 415, 422, 431] */
  readonly permanentStatuses?: readonly number[];
  /** Failures in a row, from at least two servers, after which only probes are sent. @default 5 */
  readonly breakerFailures?: number;
}

/** How deliveries are tried: for all plugins, and for some by name. */
export interface RetryOptions extends DeliveryOptions {
  /** Options of single plugins, by their names; they win over those for all. */
  readonly plugins?: Readonly<Record<string, DeliveryOptions>>;
}

/** Where state lives. */
export interface LedgerOptions {
  /** Relative to config.ts. @default "/var/lib/oss-watcher/ledger.db" for root, else below $XDG_STATE_HOME */
  readonly file?: string;
  /** Days for which finished deliveries and deleted resources are remembered. @default 30 */
  readonly keepDays?: number;
  /** Keep the bodies of messages that could not be read. They may hold tokens. @default false */
  readonly keepRejectedBodies?: boolean;
}

/** How grave a line of the log is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** From the finest to the gravest. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const satisfies readonly LogLevel[];

/** What the service says of itself, and where. */
export interface LogOptions {
  /** Less than this is not said; `--debug` stands over it. @default "info" */
  readonly level?: LogLevel;
  /** `text` for people; `json` for programs: a line each with `time`, `level`, `part`, `message`. @default "text" */
  readonly format?: "text" | "json";
  /** Appended to, and made with mode 0640, relative to config.ts. It may be rotated at any time. @default standard error */
  readonly file?: string;
}

/** Where `/metrics` (Prometheus), `/healthz` and `/readyz` are answered: HTTP without a login, so not for other machines unless you say so. */
export interface MetricsOptions {
  /** The address to listen on. @default "127.0.0.1" */
  readonly host?: string;
  /** 0 takes a free one, which the log names. @default 17672 */
  readonly port?: number;
}

/** A port that is registered for nothing else, outside the range of outgoing connections. */
export const DEFAULT_METRICS: Required<MetricsOptions> = { host: "127.0.0.1", port: 17672 };

/** What config.ts exports as its default. */
export interface Config {
  /** Which event types are announced. */
  readonly events: Events;
  /** The targets of events, at least one; their names differ. */
  readonly plugins: readonly Plugin[];
  /** One queue to listen on, or several. Not needed for `--dry-run`. */
  readonly rabbit?: RabbitSource | readonly RabbitSource[];
  /** Completes details from OpenStack's APIs. @default none is asked */
  readonly openstack?: OpenStackOptions;
  /** What the detail says beyond the messages. */
  readonly detail?: DetailOptions;
  /** How deliveries are tried. */
  readonly retry?: RetryOptions;
  /** Where state lives. */
  readonly ledger?: LedgerOptions;
  /** The service's log. */
  readonly log?: LogOptions;
  /** `false`: nowhere. */
  readonly metrics?: MetricsOptions | false;
}
