/**
 * The built-in plugins, one class per file.
 *
 * @module
 */

export { AmqpPublish, type AmqpPublishOptions, type AmqpRoutingKey } from "./amqp_publish.ts";
export { DirectoryNotify, type DirectoryNotifyOptions, type DirectoryRecord } from "./directory_notify.ts";
export { directoryRecord } from "./directory_notify.ts";
export { EmailNotify, type EmailNotifyOptions, type MailRecipients, type MailText } from "./email_notify.ts";
export { EventLog, type EventLogOptions } from "./event_log.ts";
export { LdapDirectory, type LdapDirectoryOptions } from "./ldap_directory.ts";
export type { LdapValue } from "./ldap_presets.ts";
export { RestNotify, type RestNotifyOptions } from "./rest_notify.ts";
