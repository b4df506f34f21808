/**
 * The built-in plugins, one class per file.
 *
 * @module
 */

export { EventLog, type EventLogOptions } from "./event_log.ts";
export { RestNotify, type RestNotifyOptions } from "./rest_notify.ts";
