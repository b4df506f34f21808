import type { Detail } from "../model/detail.ts";
import type { EventKind } from "../model/event.ts";
import type { NotifyContext, UpdateContext } from "../model/plugin.ts";
import { headerList } from "./http/header_list.ts";

/**
 * How a CloudEvent is sent: `cloudevents` as one JSON document ("structured"), `cloudevents-binary`
 * with its attributes as headers and the detail as body.
 */
export type CloudEventFormat = "cloudevents" | "cloudevents-binary";

/** An event in the form of CloudEvents 1.0, as JSON. */
export interface CloudEvent {
  /** The version of CloudEvents. */
  readonly specversion: "1.0";
  /** The event's key, the same for every attempt. */
  readonly id: string;
  /** Who tells of the event: a URI or a reference, as config.ts says. */
  readonly source: string;
  /**
   * `org.openstack.server.created`, `.updated` or `.deleted`; `org.openstack.floatingip.associated`
   * or `.disassociated`.
   */
  readonly type: string;
  /** `server/<id>` or `floatingip/<id>`. */
  readonly subject: string;
  /** The notification's time, RFC 3339. */
  readonly time: string;
  /** The type of `data`. */
  readonly datacontenttype: "application/json";
  /** Extension: grows with each event of a server and of a floating IP; 16 digits. */
  readonly sequence: string;
  /** Extension, of an update: the keys that differ, as `headerList` writes them. */
  readonly changed?: string;
  /** The detail. */
  readonly data: Detail;
}

/** The default of `source`. */
const SOURCE = "/oss-watcher";

const TYPES: Readonly<Record<NotifyContext["subject"], Readonly<Record<EventKind, string>>>> = {
  server: { creation: "created", update: "updated", deletion: "deleted" },
  floatingip: { creation: "associated", update: "updated", deletion: "disassociated" },
};

const SEQUENCE_DIGITS = 16;

/**
 * An event as CloudEvents 1.0 has it.
 *
 * @example
 * ```ts
 * import { type CloudEvent, cloudEvent } from "oss-watcher/kit";
 * import { sampleEvent } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * const { detail, context } = sampleEvent();
 * const event: CloudEvent = cloudEvent(detail, context, "https://cloud.example.com/nova");
 *
 * assert.equal(event.type, "org.openstack.server.created");
 * assert.equal(event.subject, "server/00000001-debe-43ae-a555-28a4a5d84694");
 * assert.equal(event.sequence, "0000000000000001");
 * ```
 */
export function cloudEvent(detail: Detail, context: NotifyContext | UpdateContext, source = SOURCE): CloudEvent {
  const { kind, subject, key, time, sequence } = context;
  return {
    specversion: "1.0",
    id: key,
    source,
    type: `org.openstack.${subject}.${TYPES[subject][kind]}`,
    subject: key.split("/").slice(0, 2).join("/"),
    time,
    datacontenttype: "application/json",
    sequence: String(sequence).padStart(SEQUENCE_DIGITS, "0"),
    ...(context.kind === "update" ? { changed: headerList(context.changed) } : {}),
    data: detail,
  };
}

/** A CloudEvent as body and headers. */
export interface EncodedCloudEvent {
  /** Of the body. */
  readonly contentType: "application/json" | "application/cloudevents+json";
  /** The attributes, for `cloudevents-binary`: the names as CloudEvents has them. */
  readonly attributes: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

/**
 * Encodes a CloudEvent for a protocol that has headers.
 *
 * @example
 * ```ts
 * import { cloudEvent, encodeCloudEvent, type EncodedCloudEvent } from "oss-watcher/kit";
 * import { sampleEvent } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * const { detail, context } = sampleEvent();
 * const encoded: EncodedCloudEvent = encodeCloudEvent(cloudEvent(detail, context), "cloudevents-binary");
 *
 * assert.equal(encoded.attributes["type"], "org.openstack.server.created");
 * assert.deepEqual(JSON.parse(encoded.body), detail);
 * ```
 */
export function encodeCloudEvent(event: CloudEvent, format: CloudEventFormat): EncodedCloudEvent {
  if (format === "cloudevents") {
    return { contentType: "application/cloudevents+json", attributes: {}, body: JSON.stringify(event) };
  }
  const { data, datacontenttype: contentType, ...attributes } = event;
  return { contentType, attributes, body: JSON.stringify(data) };
}

/**
 * The attributes of a CloudEvent as headers of HTTP: `ce-type` and so on. Characters other than
 * visible ASCII, quotes and `%` are percent-encoded.
 */
export function cloudEventHeaders({ attributes }: Pick<EncodedCloudEvent, "attributes">): Record<string, string> {
  const encoded = (text: string) => text.toWellFormed().replace(/[^\x21\x23\x24\x26-\x7e]/gu, encodeURIComponent);
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encoded(value)]));
}

/** Whether a value can be a CloudEvent's source: a URI or a reference, not empty, visible ASCII. */
export function isCloudEventSource(value: unknown): boolean {
  return typeof value === "string" && /^[\x21-\x7e]{1,2048}$/.test(value);
}

/** All of {@linkcode CloudEventFormat}. */
export const CLOUD_EVENT_FORMATS: readonly CloudEventFormat[] = ["cloudevents", "cloudevents-binary"];
