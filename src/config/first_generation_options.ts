import { printable } from "../wire/escaping/printable.ts";
import { redact } from "../wire/secrets/redact.ts";
import { didYouMean } from "./closest.ts";
import type { IniEntry } from "./ini.ts";
import { placeOf, sectionName } from "./ini_options.ts";
import type { Unread } from "./plan.ts";

/** Converts the text of an option to a value. */
export type OptionKind = "text" | "number" | "list" | "secret";

export interface KnownOption {
  readonly section: string;
  readonly key: string;
  readonly kind: OptionKind;
  /** The section of config.ts, or `rest` for the options of RestNotify, and the key in it. */
  readonly to: readonly [section: string, key: string];
}

/** Every option of oss_framework that becomes a key of config.ts. */
export const KNOWN_OPTIONS: readonly KnownOption[] = [
  { section: "DEFAULT", key: "events_creation", kind: "list", to: ["events", "creation"] },
  { section: "DEFAULT", key: "events_deletion", kind: "list", to: ["events", "deletion"] },
  { section: "DEFAULT", key: "log_file", kind: "text", to: ["log", "file"] },
  { section: "rabbit", key: "host", kind: "text", to: ["rabbit", "host"] },
  { section: "rabbit", key: "port", kind: "number", to: ["rabbit", "port"] },
  { section: "rabbit", key: "user", kind: "text", to: ["rabbit", "user"] },
  { section: "rabbit", key: "password", kind: "secret", to: ["rabbit", "password"] },
  { section: "rabbit", key: "watch_queue", kind: "text", to: ["rabbit", "watchQueue"] },
  { section: "rest", key: "host", kind: "text", to: ["rest", "host"] },
  { section: "rest", key: "port", kind: "number", to: ["rest", "port"] },
  { section: "rest", key: "user", kind: "text", to: ["rest", "user"] },
  { section: "rest", key: "password", kind: "secret", to: ["rest", "password"] },
  { section: "rest", key: "url_creation", kind: "text", to: ["rest", "urlCreation"] },
  { section: "rest", key: "url_deletion", kind: "text", to: ["rest", "urlDeletion"] },
  { section: "openstack", key: "auth_url", kind: "text", to: ["openstack", "authUrl"] },
  { section: "openstack", key: "user", kind: "text", to: ["openstack", "user"] },
  { section: "openstack", key: "password", kind: "secret", to: ["openstack", "password"] },
  { section: "openstack", key: "tenant", kind: "text", to: ["openstack", "project"] },
];

/** Options that are not read by the table. */
const OTHERWISE_READ = ["DEFAULT.enabled_plugins", "DEFAULT.debug"];

/** The options of a service's file that are read. */
const TRANSPORT_OPTIONS = [
  "DEFAULT.transport_url",
  "oslo_messaging_notifications.transport_url",
  "oslo_messaging_notifications.driver",
  "oslo_messaging_notifications.topics",
  "oslo_messaging_rabbit.ssl",
  "oslo_messaging_rabbit.rabbit_use_ssl",
  "oslo_messaging_rabbit.ssl_ca_file",
  "oslo_messaging_rabbit.kombu_ssl_ca_certs",
  "oslo_messaging_rabbit.ssl_cert_file",
  "oslo_messaging_rabbit.kombu_ssl_certfile",
  "oslo_messaging_rabbit.ssl_key_file",
  "oslo_messaging_rabbit.kombu_ssl_keyfile",
];

const LOG_FORM = 'lines have a fixed form, or are JSON with log: { format: "json" } in config.ts. Leave it out';
const IN_SERVICES =
  "belongs into nova.conf and neutron.conf, in [oslo_messaging_notifications] today: driver and topics";

/** The next step for options that are known and not used. */
const ADVICE: Readonly<Record<string, string>> = {
  "DEFAULT.verbose": "lines of level INFO are always written. Leave it out",
  "DEFAULT.log_dir": "write the whole path into log_file",
  "DEFAULT.use_syslog": "what is written to stderr goes to systemd's journal. Leave it out",
  "DEFAULT.use_journal": "what is written to stderr goes to systemd's journal. Leave it out",
  "DEFAULT.use_stderr": "without log_file lines go to stderr. Leave it out",
  "DEFAULT.log_config": LOG_FORM,
  "DEFAULT.log_config_append": LOG_FORM,
  "DEFAULT.log_format": LOG_FORM,
  "DEFAULT.log_date_format": LOG_FORM,
  "DEFAULT.default_log_levels": LOG_FORM,
  "DEFAULT.logging_context_format_string": LOG_FORM,
  "DEFAULT.logging_default_format_string": LOG_FORM,
  "DEFAULT.notification_driver": IN_SERVICES,
  "DEFAULT.notification_topics": IN_SERVICES,
  "rabbit.vhost": "write config.ts (oss-watcher migrate) and in it rabbit: { vhost: … }",
  "rabbit.virtual_host": "write config.ts (oss-watcher migrate) and in it rabbit: { vhost: … }",
  "openstack.project": "the option is called tenant here",
};

/** Whether an assignment belongs to oss_framework's own configuration, not to a service's. */
export function isFirstGeneration({ section, key }: IniEntry): boolean {
  const name = `${sectionName(section)}.${key}`;
  // A service's file also has a log_file.
  return name === "DEFAULT.enabled_plugins" ||
    KNOWN_OPTIONS.some((one) => `${one.section}.${one.key}` === name && one.key !== "log_file");
}

/** Former names, from before the section existed. */
const FORMER_TRANSPORT_OPTIONS = ["DEFAULT.notification_driver", "DEFAULT.notification_topics"];

/** Whether an assignment is about a service's RabbitMQ. */
export function isTransport({ section, key }: IniEntry): boolean {
  return [...TRANSPORT_OPTIONS, ...FORMER_TRANSPORT_OPTIONS].includes(`${sectionName(section)}.${key}`);
}

/** The unused assignments, each with the next step. */
export function unreadOf(entries: readonly IniEntry[]): readonly Unread[] {
  const read = [
    ...KNOWN_OPTIONS.map(({ section, key }) => `${section}.${key}`),
    ...OTHERWISE_READ,
    ...TRANSPORT_OPTIONS,
  ];
  return entries.filter(({ section, key }) => !read.includes(`${sectionName(section)}.${key}`)).map((entry) => ({
    place: placeOf(entry),
    assignment: assignmentOf(entry),
    advice: adviceFor(entry),
  }));
}

/** An unknown name may be the misspelt name of a secret. */
function assignmentOf({ section, key, value }: IniEntry): string | null {
  const isKnown = ADVICE[`${sectionName(section)}.${key}`] !== undefined;
  return isKnown ? printable(`${key} = ${redact(value)}`.trimEnd(), 160) : null;
}

function adviceFor({ section, key }: IniEntry): string {
  const name = sectionName(section);
  const advice = ADVICE[`${name}.${key}`];
  if (advice !== undefined) return advice;
  const sections = ["DEFAULT", ...new Set(KNOWN_OPTIONS.map((one) => one.section))];
  if (sections.includes(name)) {
    const keys = KNOWN_OPTIONS.filter((one) => one.section === name).map((one) => one.key);
    return `no option of this section${didYouMean(key, keys) || ". Correct it, or leave it out"}`;
  }
  const meant = sections.find((one) => one.toLowerCase() === name.trim().toLowerCase());
  if (meant !== undefined) return `no section is called so; did you mean [${meant}]?`;
  return "nothing reads this section. If a plugin of yours does, give it to its constructor in config.ts";
}
