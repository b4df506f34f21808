import type { Detail } from "../model/detail.ts";
import type { EventKind } from "../model/event.ts";
import type { NotifyContext } from "../model/plugin.ts";
import { escapeHtml } from "./escaping/escape_html.ts";
import { printable } from "./escaping/printable.ts";
import { type EventChange, eventChanges } from "./event_changes.ts";
import { valueText } from "./value_text.ts";

/**
 * The parts of the context that the texts use beside the detail: of that of `notify`, or of
 * `update`.
 */
export interface EventFacts
  extends Pick<NotifyContext, "subject" | "eventType" | "time" | "key" | "creationSeen" | "missing"> {
  /** `update` for an update. @default as the argument `created` says */
  readonly kind?: EventKind;
  /** Of an update: the detail before it. */
  readonly before?: Detail;
  /** Of an update: the keys that differ. */
  readonly changed?: readonly string[];
}

const MAX_NAME_LENGTH = 100;
const MAX_VALUE_LENGTH = 1000;

/**
 * One line that tells people what happened. Tenants' values are escaped: they cannot break the
 * line, or hide or reverse what follows.
 *
 * @example
 * ```ts
 * import { eventTitle } from "oss-watcher/kit";
 * import { sampleEvent } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * const { detail, created, context } = sampleEvent({ subject: "floatingip" });
 *
 * assert.equal(eventTitle(detail, created, context), "Floating IP associated: 203.0.113.1 with web-1.cloud.example.com");
 * ```
 */
export function eventTitle(detail: Detail, created: boolean, { subject, kind }: EventFacts): string {
  const server = name(detail.FQDN ?? detail.ID, "a server without a name");
  if (kind === "update") return `Server changed: ${server}`;
  if (subject === "server") return `Server ${created ? "created" : "deleted"}: ${server}`;
  const address = name(detail.IP, "an unknown address");
  return created
    ? `Floating IP associated: ${address} with ${server}`
    : `Floating IP released: ${address} from ${server}`;
}

/**
 * The detail as rows of a table, for people: one row per known key, long values cut; then the
 * event's type, time and key. Tenants' values are escaped: they cannot break a line, or hide or
 * reverse what follows. HTML needs `escapeHtml` as well.
 *
 * @example
 * ```ts
 * import { eventRows } from "oss-watcher/kit";
 * import { sampleEvent } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * const { detail, context } = sampleEvent({ detail: { Owner: "anna\r\nFQDN: other" } });
 * const rows = new Map(eventRows(detail, context));
 *
 * assert.equal(rows.get("Owner"), "anna\\u{d}\\u{a}FQDN: other");
 * assert.equal(rows.get("AdditionalUsers"), "bert, carla");
 * assert.equal(rows.has("Datacenter"), false);
 * ```
 */
export function eventRows(
  detail: Detail,
  { eventType, time, key, creationSeen, missing }: EventFacts,
): [label: string, value: string][] {
  const rows: [label: string, value: string][] = [
    ...Object.entries(detail).map(([label, value]): [string, string] => [label, valueText(value)]),
    ["Could not be had", missing.join(", ")],
    ["Event", `${eventType} at ${time}${creationSeen ? "" : "; its beginning was not seen"}`],
    ["Key", key],
  ];
  return rows.filter(([, value]) => value !== "")
    .map(([label, value]) => [printable(label, MAX_NAME_LENGTH), printable(value, MAX_VALUE_LENGTH)]);
}

/**
 * A whole event as plain text, for people: {@linkcode eventTitle}, of an update what has changed
 * ({@linkcode eventChanges}), then {@linkcode eventRows} as a table.
 *
 * @example
 * ```ts
 * import { eventText } from "oss-watcher/kit";
 * import { sampleEvent } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * const { detail, created, context } = sampleEvent();
 * const [title, , first] = eventText(detail, created, context).split("\n");
 *
 * assert.equal(title, "Server created: web-1.cloud.example.com");
 * assert.match(first ?? "", /^FQDN +web-1.cloud.example.com$/);
 * ```
 */
export function eventText(detail: Detail, created: boolean, context: EventFacts): string {
  const rows = eventRows(detail, context);
  const width = Math.min(24, Math.max(...rows.map(([label]) => label.length)));
  const lines = rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`);
  const changes = changesOf(detail, context).map(({ key, before, after }) =>
    `${orNone(key)}\n  before  ${orNone(before)}\n  after   ${orNone(after)}\n`
  );
  const parts = [`${eventTitle(detail, created, context)}\n`, changes.join(""), `${lines.join("\n")}\n`];
  return parts.filter((part) => part !== "").join("\n");
}

/**
 * The text of {@linkcode eventText} as a page of HTML.
 *
 * @example
 * ```ts
 * import { eventHtml } from "oss-watcher/kit";
 * import { sampleEvent } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * const { detail, created, context } = sampleEvent({ detail: { Owner: "<script>" } });
 *
 * assert.match(eventHtml(detail, created, context), /<th [^>]*>Owner<\/th><td>&lt;script&gt;<\/td>/);
 * ```
 */
export function eventHtml(detail: Detail, created: boolean, context: EventFacts): string {
  const title = escapeHtml(eventTitle(detail, created, context));
  const rows = eventRows(detail, context).map(([label, value]) =>
    `<tr><th align="left" valign="top">${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`
  );
  const changes = changesOf(detail, context).map(({ key, before, after }) =>
    `<tr><th align="left" valign="top">${escapeHtml(orNone(key))}</th><td>${escapeHtml(orNone(before))}</td>` +
    `<td>${escapeHtml(orNone(after))}</td></tr>`
  );
  const head = `<tr><th></th><th align="left">Before</th><th align="left">After</th></tr>`;
  return [
    `<!DOCTYPE html>`,
    `<html><head><meta charset="utf-8"><title>${title}</title></head><body>`,
    `<p>${title}</p>`,
    ...(changes.length === 0 ? [] : [`<table>`, head, ...changes, `</table>`, `<hr>`]),
    `<table>`,
    ...rows,
    `</table>`,
    `</body></html>`,
    ``,
  ].join("\n");
}

function name(value: string | null, otherwise: string): string {
  return value === null || value === "" ? otherwise : printable(value, MAX_NAME_LENGTH);
}

function changesOf(detail: Detail, { before, changed }: EventFacts): EventChange[] {
  return before === undefined || changed === undefined ? [] : eventChanges(detail, { before, changed });
}

/** For an empty text, where nothing would look like a mistake. */
function orNone(value: string): string {
  return value === "" ? "(none)" : value;
}
