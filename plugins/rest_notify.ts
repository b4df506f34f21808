import type { Detail, EventKind, Json, NotifyContext, Plugin, UpdateContext } from "../mod.ts";
import {
  type Body,
  type BodyFormat,
  encodeBody,
  givenOptions,
  headerList,
  HttpTarget,
  idempotencyKey,
} from "../src/kit/targets.ts";
import { cloudEvent, type CloudEventFormat, cloudEventHeaders, encodeCloudEvent } from "../src/kit/targets.ts";
import { optionProblems, refuseProblems, webhookHeaders } from "../src/kit/targets.ts";
import { REST_RULES, type RestNotifyOptions } from "./rest_options.ts";

/**
 * Sends every event's detail to a URL. An event may come twice, with the same `Idempotency-Key`.
 * `OSS-Watcher-Sequence` grows with each event of a server, and of a floating IP.
 * `OSS-Watcher-Creation-Seen` is `false` for a deletion whose creation was never seen. Of an update,
 * `OSS-Watcher-Changed` lists the keys that differ, as `headerList` of `oss-watcher/kit` writes
 * them: `FQDN,Metadata`. A status from 200 to 299 is success. By status, others (also redirects)
 * are retried or make a dead letter.
 *
 * @example
 * ```ts
 * import { RestNotify, type RestNotifyOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: RestNotifyOptions = { host: "https://some_host", urlCreation: "/some_url", urlDeletion: "/some_url2" };
 *
 * assert.equal(new RestNotify(options).name, "RestNotify");
 * assert.throws(() => new RestNotify({ ...options, host: "some_host" }), /host: must begin with https:/);
 * ```
 */
export class RestNotify implements Plugin {
  readonly name: string;
  /** Sends the update's request, as `notify` does. Only there with `urlUpdate`. */
  readonly update?: (detail: Detail, context: UpdateContext) => Promise<void>;
  /** The request that `update` would send. Only there with `urlUpdate`. */
  readonly previewUpdate?: (detail: Detail, context: UpdateContext) => Json;
  readonly #endpoints: Readonly<Record<EventKind, { readonly method: string; readonly url: string }>>;
  readonly #body: BodyFormat;
  readonly #cloudEvents: { readonly format: CloudEventFormat; readonly source: string | undefined } | undefined;
  readonly #contentType: string | undefined;
  readonly #signingSecrets: readonly string[] | undefined;
  readonly #target: HttpTarget;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: RestNotifyOptions) {
    const { urlCreation, urlDeletion, urlUpdate, ...given } = givenOptions("RestNotify", options);
    const { method = "POST", methodUpdate = "PUT", body, format, source, signingSecrets, ...others } = given;
    const { name = "RestNotify", host = "", port, ...http } = others;
    refuseProblems("Cannot make RestNotify", [...optionProblems(options, REST_RULES), ...HttpTarget.problems(http)]);
    const base = host.replace(/\/$/, "") + (port === undefined ? "" : `:${port}`);
    const full = (url: string) => url.startsWith("/") ? base + url : url;
    this.name = name;
    this.#endpoints = {
      creation: { method, url: full(urlCreation) },
      deletion: { method, url: full(urlDeletion) },
      update: { method: methodUpdate, url: full(urlUpdate ?? urlCreation) },
    };
    this.#body = body ?? "json";
    this.#cloudEvents = format && { format, source };
    this.#contentType = new Headers(http.headers).get("content-type") ?? undefined;
    this.#signingSecrets = signingSecrets;
    this.#target = new HttpTarget(http);
    if (urlUpdate === undefined) return;
    this.update = (detail, context) => this.#send(detail, true, context);
    this.previewUpdate = (detail, context) => this.#preview(detail, true, context);
  }

  /**
   * Sends the event's request.
   *
   * @throws {DeliveryError} when there is no answer, or one that is not from 200 to 299.
   * @throws {PermanentError} when the function `body` fails.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await this.#send(detail, created, context);
  }

  /** The request that {@linkcode RestNotify.notify} would send, body parsed if JSON. */
  preview(detail: Detail, created: boolean, context: NotifyContext): Json {
    return this.#preview(detail, created, context);
  }

  /** Rejects when a URL does not answer OPTIONS, or answers 401. */
  async check(signal: AbortSignal): Promise<void> {
    const urls = new Set(Object.values(this.#endpoints).map(({ url }) => url));
    for (const url of urls) await this.#target.probe(url, signal);
  }

  /** Closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  async #send(detail: Detail, created: boolean, context: Context): Promise<void> {
    const request = this.#request(detail, created, { context, timeMs: Date.now() });
    await this.#target.request({ ...request, signal: context.signal });
  }

  #preview(detail: Detail, created: boolean, context: Context): Json {
    // The event's own time: a preview is the same whenever it is asked for.
    const timeMs = Date.parse(context.time);
    const { type, ...request } = this.#request(detail, created, { context, timeMs });
    const body = /^application\/(?:\w+\+)?json$/.test(type) ? JSON.parse(request.body) : request.body;
    return { ...this.#target.preview(request), body };
  }

  #request(detail: Detail, created: boolean, { context, timeMs }: Attempt) {
    const update = context.kind === "update" ? context : undefined;
    const { type, text, headers = {} } = this.#encoded(detail, created, context);
    const id = idempotencyKey(context.key);
    const signed = this.#signingSecrets && webhookHeaders({ id, timeMs, body: text }, this.#signingSecrets);
    return {
      type,
      ...this.#endpoints[update?.kind ?? (created ? "creation" : "deletion")],
      headers: {
        "Content-Type": this.#contentType ?? type,
        "Idempotency-Key": id,
        "OSS-Watcher-Sequence": String(context.sequence),
        "OSS-Watcher-Creation-Seen": String(context.creationSeen),
        ...(update && { "OSS-Watcher-Changed": headerList(update.changed) }),
        ...headers,
        ...signed,
      },
      body: text,
    };
  }

  #encoded(detail: Detail, created: boolean, context: Context): Encoded {
    if (this.#cloudEvents === undefined) {
      const event = context.kind === "update" ? { event: context } : {};
      return encodeBody({ detail, created, plugin: this.name, ...event }, this.#body);
    }
    const { format, source } = this.#cloudEvents;
    const { contentType, attributes, body } = encodeCloudEvent(cloudEvent(detail, context, source), format);
    return { type: contentType, text: body, headers: cloudEventHeaders({ attributes }) };
  }
}

type Context = NotifyContext | UpdateContext;
type Attempt = { readonly context: Context; readonly timeMs: number };
type Encoded = Body & { readonly headers?: Readonly<Record<string, string>> };
