import { UserError } from "../model/errors.ts";
import { printable } from "../wire/escaping/printable.ts";
import { redact } from "../wire/secrets/redact.ts";
import type { IniEntry } from "./ini.ts";
import { booleanOf, type IniValue, listItems, sectionName } from "./ini_options.ts";
import {
  isFirstGeneration,
  isTransport,
  KNOWN_OPTIONS,
  type KnownOption,
  unreadOf,
} from "./first_generation_options.ts";
import { planPlugins } from "./first_generation_plugins.ts";
import { type Plan, type PlanObject, type PlanValue, Secret } from "./plan.ts";
import { PlanDraft } from "./plan_draft.ts";
import { planTransport } from "./plan_transport.ts";

const FORMER_STATIC = { IPType: "Public", Datacenter: "KDC", SecurityDomain: "DQT" };
const FORMER_EVENTS = {
  creation: ["compute.instance.create.end", "floatingip.update.end"],
  deletion: ["compute.instance.delete.end", "floatingip.update.end"],
};

/** Names of variables for secrets, by section. */
const PREFIXES: Readonly<Record<string, string>> = { rabbit: "RABBIT", rest: "REST", openstack: "OPENSTACK" };

/**
 * Makes a plan of the configuration from INI files of oss_framework or of an OpenStack service.
 *
 * @param files The assignments of each file; those of a later file override those of an earlier
 * one.
 * @throws {UserError} when they hold no usable option.
 */
export function planOf(files: readonly (readonly IniEntry[])[], name: string): Plan {
  // Of a service's file, only the options for RabbitMQ are used: it has a log_file and a hundred
  // other options of its own.
  const entries = files.flatMap((file) => file.some(isFirstGeneration) ? file : file.filter(isTransport));
  const isOld = entries.some(isFirstGeneration);
  const draft = new PlanDraft(entries);
  readKnown(draft, name);
  planTransport(draft);
  mustNameQueue(draft, entries);
  mustLogIn(draft, entries);
  if (!isOld && draft.sections.rabbit === undefined && draft.mistakes.length === 0) {
    throw new UserError(
      `Cannot use the configuration "${name}": it has neither an option of oss_framework (enabled_plugins, [rabbit] host, …) nor a transport_url. Name the ` +
        "configuration that oss_watcher was started with, or a nova.conf",
    );
  }
  const plugins = isOld ? planPlugins(draft, name) : [LOG_PLUGIN];
  return {
    ...draft,
    isOfService: !isOld,
    sections: sectionsOf(draft, isOld),
    plugins,
    unread: unreadOf(entries.filter((entry) => !draft.options.wasRead(entry))),
  };
}

/** A service's file names no plugin: this one shows that events arrive. */
const LOG_PLUGIN = { className: "EventLog", module: "oss-watcher/plugins", formerName: null, place: "" };

/** The order of the sections in config.ts. */
function sectionsOf({ sections, remarks }: PlanDraft, isOld: boolean): PlanObject {
  const { events, rabbit, openstack, log } = sections;
  if (isOld) {
    remarks.set(
      "detail.static",
      "What that program had written into itself. Leave out what is not true of your cloud.",
    );
  }
  return {
    events: isOld ? { creation: [], deletion: [], ...events } : FORMER_EVENTS,
    ...(rabbit && { rabbit }),
    ...(openstack && { openstack }),
    ...(isOld && { detail: { static: FORMER_STATIC } }),
    ...(log && { log }),
  };
}

function readKnown(draft: PlanDraft, name: string): void {
  draft.places.set("rabbit", `${name}: watch_queue of [rabbit]`);
  draft.places.set("events", `${name}: events_creation and events_deletion of [DEFAULT]`);
  for (const option of KNOWN_OPTIONS) {
    const { section, key, to } = option;
    draft.places.set(to.join("."), `${name}: ${key} of [${section}]`);
    const value = draft.find(section, key);
    if (value !== undefined) draft.set(to, valueOf(option, value), value.place);
  }
  readDebug(draft);
}

/** An existing queue, since the file does not name the exchanges for an own queue. */
function mustNameQueue({ sections: { rabbit }, places, mistakes }: PlanDraft, entries: readonly IniEntry[]): void {
  if (rabbit?.watchQueue !== undefined || rabbit?.queue !== undefined) return;
  // A dry run is possible without the section.
  if (!entries.some(({ section }) => sectionName(section) === "rabbit")) return;
  mistakes.push(
    `${places.get("rabbit.watchQueue")}: missing. Write the queue to listen on, as watch_queue = monitoring.info`,
  );
}

/** All options or none: missing ones would be taken from clouds.yaml and the environment. */
function mustLogIn({ options, mistakes, places }: PlanDraft, entries: readonly IniEntry[]): void {
  if (!entries.some(({ section }) => sectionName(section) === "openstack")) return;
  for (const { section, key, to } of KNOWN_OPTIONS) {
    if (section !== "openstack" || options.isSet(section, key)) continue;
    mistakes.push(`${places.get(to.join("."))}: missing. Write it, or take out the section [openstack]`);
  }
}

function readDebug(draft: PlanDraft): void {
  const debug = draft.find("DEFAULT", "debug");
  if (debug === undefined) return;
  const isOn = booleanOf(debug.text);
  if (isOn === undefined) {
    draft.mistakes.push(`${debug.place}: found "${printable(debug.text, 60)}". Write true or false`);
  }
  if (isOn) draft.set(["log", "level"], "debug", debug.place);
}

function valueOf({ kind, to: [section], key }: KnownOption, { text, place, isSecret }: IniValue): PlanValue {
  if (kind === "list") return listItems(text);
  // A URL may hold a token.
  if (kind === "secret" || isSecret || redact(text) !== text) {
    return new Secret(`${PREFIXES[section] ?? "OSS"}_${key.toUpperCase()}`, { value: text, place });
  }
  // A text that is no number is kept, to be refused with all other findings.
  return kind === "number" && /^\+?\d{1,10}$/.test(text.trim()) ? Number(text) : text;
}
