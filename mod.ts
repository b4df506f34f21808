/**
 * For a config.ts or a plugin of your own: the types of both, {@linkcode env} and other sources of
 * secrets, {@linkcode when}, and the errors that control retries.
 *
 * ```ts ignore
 * import { type Config, env } from "oss-watcher";
 * import { RestNotify } from "oss-watcher/plugins";
 *
 * export default {
 *   events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
 *   rabbit: { host: "rabbit-1", password: env("RABBIT_PASSWORD"), queue: { name: "oss-watcher" } },
 *   plugins: [new RestNotify({ host: "https://cmdb.example.com", urlCreation: "/new", urlDeletion: "/old" })],
 * } satisfies Config;
 * ```
 *
 * `oss-watcher/plugins` has the built-in plugins; `oss-watcher/kit` has tools for plugins, as an
 * HTTP client and escaping; `oss-watcher/testing` has the tests that every plugin has to pass.
 *
 * @module
 */

// config.ts
export { env } from "./src/wire/secrets/env.ts";
export { credential, file } from "./src/wire/secrets/secret_file.ts";
export { vault } from "./src/wire/secrets/vault.ts";
export { when, type WhenOptions } from "./src/wire/options/when.ts";
export type { Config, CreationEvent, DeletionEvent, Events, FollowedKey } from "./src/model/config.ts";
export type { OwnQueue, RabbitConnection, RabbitSource, RabbitTls } from "./src/model/config.ts";
export type { ConsoleGroups, ConsoleOptions, ConsoleTls, TrustedProxy } from "./src/model/console_config.ts";
export type {
  DetailOptions,
  IpVersion,
  MetadataNames,
  OpenStackOptions,
  ReconcileOptions,
} from "./src/model/config.ts";
export type {
  DeliveryOptions,
  LedgerOptions,
  LogLevel,
  LogOptions,
  MetricsOptions,
  PostgresOptions,
  RateLimitOptions,
  RetryOptions,
} from "./src/model/config.ts";

// A plugin, and what it is called with
export type {
  DeliveredEvent,
  ListedResource,
  Logger,
  NotifyContext,
  Plugin,
  UpdateContext,
} from "./src/model/plugin.ts";
export type { EventKind, Subject } from "./src/model/event.ts";
export type { Detail, DetailAddress, DetailField, DetailFloatingIp, DetailWhole } from "./src/model/detail.ts";
export type { DetailKey, OptionalKey } from "./src/model/detail.ts";
export type { Json, JsonObject, Origin } from "./src/model/notification.ts";

// Errors that say whether to try again
export { DeliveryError, type FailureReason, PermanentError } from "./src/model/errors.ts";
