/**
 * The built-in plugins, one class per file.
 *
 * @module
 */

export { DirectoryNotify, type DirectoryNotifyOptions, type DirectoryRecord } from "./directory_notify.ts";
export { directoryRecord } from "./directory_notify.ts";
export { EventLog, type EventLogOptions } from "./event_log.ts";
export { RestNotify, type RestNotifyOptions } from "./rest_notify.ts";
