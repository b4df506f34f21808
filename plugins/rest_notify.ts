import type { Detail, Json, NotifyContext, Plugin } from "../mod.ts";
import { type BodyFormat, encodeBody, HttpTarget, type HttpTargetOptions, isBodyFormat } from "../src/kit/mod.ts";
import { givenOptions, idempotencyKey, isWebhookSecret, WEBHOOK_HEADERS, webhookHeaders } from "../src/kit/mod.ts";
import { needs, optional, optionProblems, type OptionRules, refuseProblems, required } from "../src/kit/mod.ts";
import { isOneOf, matches, PORT, TEXT, withoutHeaders } from "../src/kit/mod.ts";

/** Options of {@linkcode RestNotify}, with those of `HttpTarget`: `bearer`, `caFile`, … */
export interface RestNotifyOptions extends HttpTargetOptions {
  /** `https://some_host` or `http://some_host`. Not needed when both URLs are full ones. */
  readonly host?: string;
  /** From 1 to 65535. @default 443 for https, 80 for http */
  readonly port?: number;
  /** Where creations are sent: a path on `host` as `/some_url`, or a full URL. */
  readonly urlCreation: string;
  /** Where deletions are sent, likewise. */
  readonly urlDeletion: string;
  /** Of every request. @default "POST" */
  readonly method?: "POST" | "PUT" | "PATCH" | "DELETE";
  /** The format of the body. A header `Content-Type` in `headers` wins. @default "json" */
  readonly body?: BodyFormat;
  /**
   * Signs every request as Standard Webhooks says. Each is `whsec_` and the base64 of 24 to 64
   * bytes; give the new and the old one while receivers change over. @default no signature
   */
  readonly signingSecrets?: readonly string[];
  /** Unique among the configured plugins. @default "RestNotify" */
  readonly name?: string;
}

/**
 * Sends every event's detail to a URL. An event may come twice, with the same `Idempotency-Key`.
 * `OSS-Watcher-Creation-Seen` is `false` for a deletion whose creation was never seen. A status
 * from 200 to 299 is success. By status, others (also redirects) are retried or make a dead letter.
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
  readonly #method: string;
  readonly #urlCreation: string;
  readonly #urlDeletion: string;
  readonly #body: BodyFormat;
  readonly #contentType: string | undefined;
  readonly #signingSecrets: readonly string[] | undefined;
  readonly #target: HttpTarget;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: RestNotifyOptions) {
    const { name = "RestNotify", host = "", port, urlCreation, urlDeletion, method, body, signingSecrets, ...http } =
      givenOptions("RestNotify", options);
    refuseProblems("Cannot make RestNotify", [...optionProblems(options, RULES), ...HttpTarget.problems(http)]);
    const base = host.replace(/\/$/, "") + (port === undefined ? "" : `:${port}`);
    const full = (url: string) => url.startsWith("/") ? base + url : url;
    this.name = name;
    this.#method = method ?? "POST";
    this.#urlCreation = full(urlCreation);
    this.#urlDeletion = full(urlDeletion);
    this.#body = body ?? "json";
    this.#contentType = new Headers(http.headers).get("content-type") ?? undefined;
    this.#signingSecrets = signingSecrets;
    this.#target = new HttpTarget(http);
  }

  /**
   * Sends the event's request.
   *
   * @throws {DeliveryError} when there is no answer, or one that is not from 200 to 299.
   * @throws {PermanentError} when the function `body` fails.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await this.#target.request({ ...this.#request(detail, created, context), signal: context.signal });
  }

  /** The request that {@linkcode RestNotify.notify} would send, body parsed if JSON. */
  preview(detail: Detail, created: boolean, context: NotifyContext): Json {
    const { type, ...request } = this.#request(detail, created, context);
    const body = type === "application/json" ? JSON.parse(request.body) : request.body;
    return { ...this.#target.preview(request), body };
  }

  /** Rejects when a URL does not answer OPTIONS, or answers 401. */
  async check(signal: AbortSignal): Promise<void> {
    for (const url of new Set([this.#urlCreation, this.#urlDeletion])) await this.#target.probe(url, signal);
  }

  /** Closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  #request(detail: Detail, created: boolean, { key, creationSeen }: NotifyContext) {
    const { type, text } = encodeBody({ detail, created, plugin: this.name }, this.#body);
    const id = idempotencyKey(key);
    const signed = this.#signingSecrets && webhookHeaders({ id, timeMs: Date.now(), body: text }, this.#signingSecrets);
    return {
      type,
      method: this.#method,
      url: created ? this.#urlCreation : this.#urlDeletion,
      headers: {
        "Content-Type": this.#contentType ?? type,
        "Idempotency-Key": id,
        "OSS-Watcher-Creation-Seen": String(creationSeen),
        ...signed,
      },
      body: text,
    };
  }
}

const isHostAlone = matches(/^\w+:\/\/[^/?#]+\/?$/);
const ADDRESS = required<RestNotifyOptions>(
  (value, { host }) => HttpTarget.isUrl(value) || (host !== undefined && matches(/^\//)(value)),
  `must be a full URL, or a path like "/some_url" with host`,
);

type OwnOption = Exclude<keyof RestNotifyOptions, keyof HttpTargetOptions> | "headers";
const RULES: OptionRules<RestNotifyOptions, OwnOption> = {
  name: TEXT,
  host: [
    optional(HttpTarget.isUrl, "must begin with https:// or http://, and hold no user and password"),
    optional((url) => !HttpTarget.isUrl(url) || isHostAlone(url), "must not hold a path; put it into the URLs"),
  ],
  port: [
    PORT,
    needs("host"),
    optional((_port, { host }) => !HttpTarget.isUrl(host) || !/:\d+\/?$/.test(host), "host names one already"),
  ],
  urlCreation: ADDRESS,
  urlDeletion: ADDRESS,
  method: optional(isOneOf("POST", "PUT", "PATCH", "DELETE"), "must be one of POST, PUT, PATCH, DELETE"),
  body: optional(isBodyFormat, `must be "json", "vco-xml" or a function of (detail, created)`),
  signingSecrets: optional(
    (value) => Array.isArray(value) && value.length > 0 && value.every(isWebhookSecret),
    `must be a list, each "whsec_" and the base64 of 24 to 64 bytes`,
  ),
  headers: withoutHeaders("idempotency-key", "oss-watcher-creation-seen", ...WEBHOOK_HEADERS),
};
