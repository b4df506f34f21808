import type { DeliveryOptions, LedgerOptions, LogOptions, MetadataNames, PostgresOptions } from "./config.ts";
import type { OwnQueue, RabbitConnection } from "./rabbit_config.ts";

// What counts where config.ts has no value. DEFAULT_METRICS and DEFAULT_CONSOLE stand beside their types.

/** Of `retry`, and of each plugin in it. */
export const DELIVERY_DEFAULTS: Required<Omit<DeliveryOptions, "limit">> = {
  concurrency: 8,
  attemptTimeoutSeconds: 30,
  firstDelaySeconds: 1,
  maxDelaySeconds: 300,
  maxAgeHours: 72,
  permanentStatuses: [400, 409, 410, 413, 414, 415, 422, 431],
  breakerFailures: 5,
};

/** Of `detail.metadataNames`. */
export const METADATA_NAMES: MetadataNames = {
  Owner: "owner",
  AdditionalUsers: "additional_users",
  ApplicationName: "application_name",
  EnvironmentCI: "environment_ci",
  Description: "description",
};

/** Of `rabbit`, where no URL says else. */
export const RABBIT_DEFAULTS = {
  host: "localhost",
  user: "guest",
  vhost: "/",
  prefetch: 1000,
  heartbeatSeconds: 10,
} as const satisfies RabbitConnection;

/** Of `rabbit.queue`. */
export const QUEUE_DEFAULTS: Required<Omit<OwnQueue, "name">> = {
  exchanges: ["nova", "neutron"],
  routingKeys: ["notifications.info", "versioned_notifications.info"],
  type: "quorum",
};

/** Of `events`. */
export const EVENTS_DEFAULTS = { anyPort: false, settleSeconds: 3 } as const;

/** Of `openstack`. */
export const OPENSTACK_DEFAULTS = { interface: "public", maxWaitSeconds: 3600 } as const;

/** Of `openstack.reconcile`. */
export const RECONCILE_DEFAULTS = { everyHours: 24, confirmSeconds: 60 } as const;

/** Of `ledger`. */
export const LEDGER_DEFAULTS = { keepDays: 30, keepRejectedBodies: false } as const satisfies LedgerOptions;

/** Of `ledger.postgres`. */
export const POSTGRES_DEFAULTS = { schema: "oss_watcher", leaseSeconds: 10 } as const satisfies Omit<
  PostgresOptions,
  "url"
>;

/** Of `log`. */
export const LOG_DEFAULTS = { level: "info", format: "text" } as const satisfies LogOptions;

/** Of `detail`. */
export const DETAIL_DEFAULTS = { ipVersion: 4 } as const;

/** Of `console.trustedProxy`. */
export const PROXY_DEFAULTS = { userHeader: "X-Forwarded-User", groupsHeader: "X-Forwarded-Groups" } as const;
