import type { Detail, Json, NotifyContext, Plugin, UpdateContext } from "../mod.ts";
import { cloudEvent, givenOptions, isCloudEventSource, LineFile, printable, safeJson } from "../src/kit/targets.ts";
import { allOptionProblems, isOneOf, optional, type OptionRules, refuseProblems, TEXT } from "../src/kit/targets.ts";

/** Options of {@linkcode EventLog}. */
export interface EventLogOptions {
  /**
   * Appended to, and created with mode 0640; its directory must exist. It may be rotated at any
   * time. @default standard output
   */
  readonly file?: string;
  /**
   * `json` for programs: JSON Lines. `text` for people. `cloudevents`: CloudEvents 1.0, as JSON
   * Lines. @default "json"
   */
  readonly format?: "json" | "text" | "cloudevents";
  /** The attribute `source` of CloudEvents: a URI or a reference. @default "/oss-watcher" */
  readonly source?: string;
  /** Unique among the configured plugins. @default "EventLog" */
  readonly name?: string;
}

/**
 * Writes every event as one line: as JSON with `time`, `event` (its type), `created`, `key` and
 * `detail`, of an update also `updated` (`true`) and `changed` (the keys that differ); or as text
 * with the time, the event, FQDN, IP, then `name=value` pairs. A line in a file is on the disk
 * before the delivery counts as done. An event may come twice, with the same key.
 *
 * @example
 * ```ts
 * import { EventLog, type EventLogOptions } from "oss-watcher/plugins";
 * import { sampleEvent } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * const options: EventLogOptions = { file: "/var/log/oss-watcher/events.log", format: "text" };
 * const { detail, created, context } = sampleEvent();
 *
 * assert.equal(
 *   new EventLog(options).preview(detail, created, context),
 *   "2026-11-21T18:59:01.000Z creation of a server: web-1.cloud.example.com 10.0.0.1 project=admin owner=anna " +
 *     "key=server/00000001-debe-43ae-a555-28a4a5d84694/creation",
 * );
 * ```
 */
export class EventLog implements Plugin {
  readonly name: string;
  readonly #entry: Entry;
  readonly #file: LineFile | undefined;
  /** Settles when the last line for standard output is written; never rejects. */
  #idle: Promise<void> = Promise.resolve();

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: EventLogOptions = {}) {
    const { name = "EventLog", file, format = "json", source } = givenOptions("EventLog", options);
    refuseProblems("Cannot make EventLog", allOptionProblems(options, RULES));
    this.name = name;
    this.#entry = ENTRIES[format](source);
    this.#file = file === undefined ? undefined : new LineFile(file, "the event log");
  }

  /**
   * Writes the event's line.
   *
   * @throws {Error} when the file cannot be opened or written.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await this.#write(this.#entry(detail, created, context), context.signal);
  }

  /** Writes the update's line, as {@linkcode EventLog.notify} does. */
  async update(detail: Detail, context: UpdateContext): Promise<void> {
    await this.#write(this.#entry(detail, true, context), context.signal);
  }

  /** What {@linkcode EventLog.notify} would write: the object, or the line of text. */
  preview(detail: Detail, created: boolean, context: NotifyContext): Json {
    return this.#entry(detail, created, context);
  }

  /** What {@linkcode EventLog.update} would write, likewise. */
  previewUpdate(detail: Detail, context: UpdateContext): Json {
    return this.#entry(detail, true, context);
  }

  /** Rejects when the file cannot be opened. */
  async check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#file?.check(signal);
  }

  /** Closes the file once the last line is written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#idle;
    await this.#file?.[Symbol.asyncDispose]();
  }

  async #write(entry: Json, signal: AbortSignal): Promise<void> {
    const line = `${typeof entry === "string" ? entry : safeJson(entry)}\n`;
    await (this.#file === undefined ? this.#print(line, signal) : this.#file.append(line, signal));
  }

  /** Writes one line after the other, since the system may accept a line in parts. */
  #print(line: string, signal: AbortSignal): Promise<void> {
    const printed = this.#idle.then(async () => {
      signal.throwIfAborted();
      const bytes = new TextEncoder().encode(line);
      for (let done = 0; done < bytes.length;) done += await Deno.stdout.write(bytes.subarray(done));
    });
    this.#idle = printed.catch(() => undefined);
    return printed;
  }
}

type Context = NotifyContext | UpdateContext;

const RULES: OptionRules<EventLogOptions> = {
  file: TEXT,
  format: optional(isOneOf("json", "text", "cloudevents"), `must be "json", "text" or "cloudevents"`),
  source: [
    optional(isCloudEventSource, "must be a URI or a reference, without blanks"),
    optional((_source, { format }) => format === "cloudevents", `needs format: "cloudevents"`),
  ],
  name: TEXT,
};

type Entry = (detail: Detail, created: boolean, context: Context) => Json;

const ENTRIES: Readonly<Record<NonNullable<EventLogOptions["format"]>, (source: string | undefined) => Entry>> = {
  json: () => jsonEntry,
  text: () => textEntry,
  cloudevents: (source) => (detail, _created, context) =>
    ({ ...cloudEvent(detail, context, source) }) as unknown as Json,
};

function jsonEntry(detail: Detail, created: boolean, context: Context): Json {
  const { time, eventType, key } = context;
  const update: Record<string, Json> = context.kind === "update" ? { updated: true, changed: context.changed } : {};
  return { time, event: eventType, created, ...update, key, detail: detail as Json };
}

/** Values with a blank or a quote are quoted, so that no value can imitate another column. */
function textEntry(detail: Detail, created: boolean, context: Context): string {
  const { time, subject, key, creationSeen, missing } = context;
  const update = context.kind === "update" ? context : undefined;
  const what = `${update?.kind ?? (created ? "creation" : "deletion")} of ${
    subject === "server" ? "a server" : "an association"
  }`;
  return [
    column(time),
    `${what}:`,
    column(detail.FQDN),
    column(detail.IP),
    ...(detail.ProjectName === null ? [] : [`project=${column(detail.ProjectName)}`]),
    ...(detail.Owner === null ? [] : [`owner=${column(detail.Owner)}`]),
    ...(update ? [`changed=${column(update.changed.join(","))}`] : []),
    `key=${column(key, Infinity)}`,
    ...(missing.length === 0 ? [] : [`missing=${column(missing.join(","))}`]),
    ...(created || creationSeen ? [] : ["(its creation was not seen)"]),
  ].join(" ");
}

function column(value: string | null, maxLength = 300): string {
  if (value === null) return "-";
  const shown = printable(value, maxLength);
  return /^[^\s"=]+$/.test(shown) && shown !== "-" ? shown : `"${shown.replaceAll('"', "\\u{22}")}"`;
}
