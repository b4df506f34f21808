import type { Detail } from "../../model/detail.ts";
import type { EventKind } from "../../model/event.ts";
import { escapeXml } from "../escaping/escape_xml.ts";
import { callUserFunction, type UserFunction } from "../options/call_user_function.ts";

/**
 * How a detail becomes the body of a request: `json`, `vco-xml` (the execution context that starts
 * a workflow of VMware Orchestrator, with the JSON as its parameter `nodeDetails`), or a function.
 * An object that the function returns is sent as JSON, a string as it is; a function that throws,
 * or returns anything else, makes a dead letter.
 */
export type BodyFormat =
  | "json"
  | "vco-xml"
  | ((detail: Detail, created: boolean, event: BodyEvent) => string | object);

/** The third argument of a function of {@linkcode BodyFormat}. */
export interface BodyEvent {
  /** `update`, or as the argument `created` says, which is `true` for an update, too. */
  readonly kind: EventKind;
  /** Of an update: the detail that this plugin was last told of the server. */
  readonly before?: Detail;
  /** Of an update: the keys of the detail that differ. */
  readonly changed?: readonly string[];
}

/** A body and its content type. */
export interface Body {
  /** For `Content-Type`. */
  readonly type: string;
  /** The body itself. */
  readonly text: string;
}

/** Whether a value is a {@linkcode BodyFormat}. */
export function isBodyFormat(value: unknown): value is BodyFormat {
  return value === "json" || value === "vco-xml" || typeof value === "function";
}

/**
 * The body of a request that tells of an event, for the plugin of this name.
 *
 * @throws {PermanentError} when the function of config.ts throws, or returns neither a string nor
 * an object that JSON can hold.
 *
 * @example
 * ```ts
 * import { type Body, type BodyFormat, encodeBody, isBodyFormat } from "oss-watcher/kit";
 * import { sampleEvent } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * const { detail } = sampleEvent();
 * const format: BodyFormat = ({ FQDN }, created) => ({ node: FQDN, created });
 * const body: Body = encodeBody({ detail, created: true }, format);
 *
 * assert.ok(isBodyFormat(format));
 * assert.deepEqual(body, { type: "application/json", text: '{"node":"web-1.cloud.example.com","created":true}' });
 * ```
 */
export function encodeBody(
  { detail, created, plugin, event }: {
    readonly detail: Detail;
    readonly created: boolean;
    readonly plugin?: string;
    readonly event?: BodyEvent;
  },
  format: BodyFormat,
): Body {
  if (format === "json") return { type: "application/json", text: JSON.stringify(detail) };
  if (format === "vco-xml") return { type: "application/xml", text: executionContext(detail) };
  return callUserFunction(
    { ...A_BODY, ...(plugin === undefined ? {} : { plugin }) },
    () => bodyOf(format(detail, created, eventOf(created, event))),
  );
}

/** Nothing else of what a plugin is called with: a body is the same for every attempt. */
function eventOf(created: boolean, event: BodyEvent | undefined): BodyEvent {
  const { kind = created ? "creation" : "deletion", before, changed } = event ?? {};
  return { kind, ...(before === undefined ? {} : { before }), ...(changed === undefined ? {} : { changed }) };
}

/** Returns a value that cannot become a body unchanged, so that the caller refuses it. */
function bodyOf(made: unknown): unknown {
  if (typeof made === "string") return { type: "text/plain;charset=UTF-8", text: made.toWellFormed() };
  if (typeof made !== "object" || made === null || "then" in made) return made;
  return { type: "application/json", text: JSON.stringify(made) };
}

const A_BODY: UserFunction<Body> = {
  option: "body",
  allowed: "a text or an object that JSON can hold",
  allows: (value): value is Body =>
    typeof value === "object" && value !== null && !("then" in value) && "text" in value &&
    typeof value.text === "string",
};

/**
 * The form that the first generation sent. JSON escapes the characters that XML cannot represent.
 */
function executionContext(detail: Detail): string {
  const json = JSON.stringify(detail).replace(/[\ufffe\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
  return `<execution-context xmlns="http://www.vmware.com/vco"><parameters><parameter name="nodeDetails" type="string">` +
    `<string>${escapeXml(json)}</string></parameter></parameters></execution-context>`;
}
