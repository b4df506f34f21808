import type { ConsoleOptions } from "./console_config.ts";
import type { OpenStackOptions } from "./openstack_config.ts";
import type { RabbitSource } from "./rabbit_config.ts";
import type { DetailField, DetailKey, OptionalKey } from "./detail.ts";
import type { Json } from "./notification.ts";
import type { Plugin } from "./plugin.ts";

export type { OpenStackOptions, ReconcileOptions } from "./openstack_config.ts";
export type { OwnQueue, RabbitConnection, RabbitSource, RabbitTls } from "./rabbit_config.ts";

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

/** A key of the detail whose changes are told: of `Detail`, or of `detail.fields`. */
export type FollowedKey = DetailKey | (string & Record<never, never>);

/** What is announced: the event types of creations and deletions, and which changes of servers. */
export interface Events {
  /** Event types that are announced as a creation; may be empty. */
  readonly creation: readonly CreationEvent[];
  /** Event types that are announced as a deletion; may be empty. */
  readonly deletion: readonly DeletionEvent[];
  /**
   * Also announce floating IPs on ports that belong to no server (routers, load balancers).
   *
   * @default false
   */
  readonly anyPort?: boolean;
  /**
   * The keys of the detail whose changes are told to plugins that have a method `update`; `"all"`:
   * every key that the detail has.
   *
   * @default none
   */
  readonly update?: readonly FollowedKey[] | "all";
  /** Changes of a server within this time become one update, from 0 to 3600. @default 3 */
  readonly settleSeconds?: number;
}

/** IPv4, IPv6, or the first address. */
export type IpVersion = 4 | 6 | "first";

/** Additions to the detail, the JSON that plugins get. */
export interface DetailOptions {
  /** Fixed values, which override all others. A key of `Detail` keeps its type. */
  readonly static?: Readonly<Record<string, Json>>;
  /** Keys that a function computes from the detail. */
  readonly fields?: Readonly<Record<string, DetailField>>;
  /** The domain, as `example.com`, that completes a hostname without a dot to a FQDN. */
  readonly domain?: string;
  /**
   * The fixed address that becomes `IP`: the server's first one of this IP version, or its first
   * one if it has none of it. `"first"`: the first one that OpenStack lists.
   *
   * @default 4
   */
  readonly ipVersion?: IpVersion;
  /** Keys that the detail has beside the others: `Name`, `Zone`, `Host`, `Status`, `Flavor`. */
  readonly optional?: readonly OptionalKey[];
  /** Names of the metadata that fill these keys; case does not matter. */
  readonly metadataNames?: Partial<MetadataNames>;
}

/** Names of the metadata that fill five keys of the detail. */
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

/** How the deliveries of one plugin are attempted and retried. */
export interface DeliveryOptions {
  /** Concurrent attempts. @default 8 */
  readonly concurrency?: number;
  /** Timeout of one attempt. @default 30 */
  readonly attemptTimeoutSeconds?: number;
  /** Upper bound of the first, random delay; it doubles with each failure. @default 1 */
  readonly firstDelaySeconds?: number;
  /** Upper bound of all delays. @default 300 */
  readonly maxDelaySeconds?: number;
  /** A delivery that has been retried for this long becomes a dead letter. @default 72 */
  readonly maxAgeHours?: number;
  /** HTTP statuses that are not retried. @default [400, 409, 410, 413, 414, 415, 422, 431] */
  readonly permanentStatuses?: readonly number[];
  /** Failures in a row, for at least two servers, that open the circuit breaker. @default 5 */
  readonly breakerFailures?: number;
  /** How many attempts may start in a time. @default no limit */
  readonly limit?: RateLimitOptions;
}

/** A limit of attempts: a token bucket. */
export interface RateLimitOptions {
  /** Attempts a second, on average; may be less than 1. */
  readonly perSecond: number;
  /** Attempts that may start at once after a pause. @default `perSecond`, at least 1 */
  readonly burst?: number;
}

/** Delivery options for all plugins, and for single ones by name. */
export interface RetryOptions extends DeliveryOptions {
  /** Options of single plugins, by their names; they win over those for all. */
  readonly plugins?: Readonly<Record<string, DeliveryOptions>>;
}

/** A ledger on PostgreSQL, which several processes may share. */
export interface PostgresOptions {
  /**
   * `postgres://user:password@host:5432/database`. Of several hosts, `host:5432,host2:5432`, the
   * one that can be written is used. Special characters of user and password are written as in
   * every URL: `%40` for `@`.
   *
   * `?sslmode=require`, `verify-ca` and `verify-full` turn TLS on, and `disable` off. With TLS, the
   * server's certificate and its name are always verified: the three mean the same.
   */
  readonly url: string;
  /**
   * The schema that has the tables: at most 63 small letters, digits and `_`.
   *
   * @default "oss_watcher"
   */
  readonly schema?: string;
  /**
   * After this time without a sign of life, other processes take over the work of one, from 2 to
   * 300.
   *
   * @default 10
   */
  readonly leaseSeconds?: number;
  /**
   * PEM file of the authority that signed the server's certificate, relative to config.ts; turns
   * TLS on.
   *
   * @default the system's authorities
   */
  readonly caFile?: string;
  /** PEM file of our own certificate, with its chain, relative to config.ts; needs `keyFile`. */
  readonly certFile?: string;
  /** PEM file of the key of `certFile`, relative to config.ts. */
  readonly keyFile?: string;
  /** What this process is called, for operators. @default the host's name */
  readonly processName?: string;
}

/** The ledger, which stores the service's state. */
export interface LedgerOptions {
  /**
   * A file of SQLite, relative to config.ts.
   *
   * @default "/var/lib/oss-watcher/ledger.db" for root, else below $XDG_STATE_HOME
   */
  readonly file?: string;
  /** A database of PostgreSQL, instead of `file`. @default the ledger is a file */
  readonly postgres?: PostgresOptions;
  /** Days that finished deliveries and what was deleted are kept, at least. @default 30 */
  readonly keepDays?: number;
  /** Store the bodies of unusable messages. They may contain tokens. @default false */
  readonly keepRejectedBodies?: boolean;
}

/** Severity of a log line. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** By severity, ascending. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const satisfies readonly LogLevel[];

/** The service's log. */
export interface LogOptions {
  /** The lowest level that is logged; `--debug` overrides it. @default "info" */
  readonly level?: LogLevel;
  /** `json`: one object per line, with `time`, `level`, `part`, `message`. @default "text" */
  readonly format?: "text" | "json";
  /**
   * Path relative to config.ts. Created with mode 0640, appended to, may be rotated at any time.
   *
   * @default standard error
   */
  readonly file?: string;
}

/**
 * The HTTP server for `/metrics` (Prometheus), `/healthz` and `/readyz`. It has no login, so it
 * listens on the loopback address by default.
 */
export interface MetricsOptions {
  /** The address to listen on. @default "127.0.0.1" */
  readonly host?: string;
  /** 0: any free port, which is logged. @default 17672 */
  readonly port?: number;
}

/** An unregistered port outside the range of outgoing connections. */
export const DEFAULT_METRICS: Required<MetricsOptions> = { host: "127.0.0.1", port: 17672 };

/** The default export of config.ts. */
export interface Config {
  /** Which event types are announced. */
  readonly events: Events;
  /** The targets of events, at least one; their names differ. */
  readonly plugins: readonly Plugin[];
  /** One queue or several to consume. Not needed for `--dry-run`. */
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
  /** `false`: no HTTP server. */
  readonly metrics?: MetricsOptions | false;
  /** Pages for operators. `false`: none. */
  readonly console?: ConsoleOptions | false;
}
