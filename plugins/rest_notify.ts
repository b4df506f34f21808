import { DeliveryError, type Detail, HttpTarget, type HttpTargetOptions } from "../mod.ts";
import type { Json, NotifyContext, Plugin } from "../mod.ts";

/** Options of {@linkcode RestNotify}, with those of `HttpTarget`: `user`, `password`, `caFile`, `timeoutSeconds`, … */
export interface RestNotifyOptions extends HttpTargetOptions {
  /** `https://some_host` or `http://some_host`. Not needed when both URLs are full ones. */
  readonly host?: string;
  /** From 1 to 65535. @default 443 for https, 80 for http */
  readonly port?: number;
  /** Where creations are posted: a path on `host` as `/some_url`, or a full URL. */
  readonly urlCreation: string;
  /** Where deletions are posted, likewise. */
  readonly urlDeletion: string;
  /** Unique among the configured plugins. @default "RestNotify" */
  readonly name?: string;
}

/**
 * Posts every event's detail as JSON, with the event's key as `Idempotency-Key`: an event may come twice, its key tells. An answer
 * from 200 to 299 is done; everything else is thrown, to be tried again or, for some statuses, to become a dead letter.
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
  readonly #urlCreation: string;
  readonly #urlDeletion: string;
  readonly #target: HttpTarget;

  /** @throws {TypeError} naming every option that is wrong. */
  constructor(options: RestNotifyOptions) {
    const { name = "RestNotify", host = "", port, urlCreation, urlDeletion, ...http } = options;
    const problems = [...problemsOf(options), ...HttpTarget.problems(http)];
    if (problems.length > 0) throw new TypeError(`Cannot make RestNotify: ${problems.join("; ")}`);
    const base = host.replace(/\/$/, "") + (port === undefined ? "" : `:${port}`);
    this.name = name;
    this.#urlCreation = urlCreation.startsWith("/") ? base + urlCreation : urlCreation;
    this.#urlDeletion = urlDeletion.startsWith("/") ? base + urlDeletion : urlDeletion;
    this.#target = new HttpTarget(http);
  }

  /** @throws {DeliveryError} when there is no answer, or one that is not from 200 to 299. */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await this.#target.request({ ...this.#request(detail, created, context), signal: context.signal });
  }

  /** The request that {@linkcode RestNotify.notify} would send: method, URL, headers, and the body as the receiver reads it. */
  preview(detail: Detail, created: boolean, context: NotifyContext): Json {
    const request = this.#request(detail, created, context);
    return { ...this.#target.preview(request), body: JSON.parse(request.body) };
  }

  /** Rejects when a URL gives no answer to OPTIONS, or does not know us (401). */
  async check(signal: AbortSignal): Promise<void> {
    for (const url of new Set([this.#urlCreation, this.#urlDeletion])) {
      await this.#target.request({ method: "OPTIONS", url, signal }).catch((error) => {
        if (!(error instanceof DeliveryError) || error.status === undefined || error.status === 401) throw error;
      });
    }
  }

  /** Closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  #request(detail: Detail, created: boolean, context: NotifyContext) {
    return {
      method: "POST",
      url: created ? this.#urlCreation : this.#urlDeletion,
      headers: { "Content-Type": "application/json", "Idempotency-Key": visibleAscii(context.key) },
      body: JSON.stringify(detail),
    };
  }
}

function problemsOf({ name, host, port, urlCreation, urlDeletion, headers }: RestNotifyOptions): string[] {
  const where = `must be a full URL, or a path like "/some_url" with host`;
  const own = Object.keys(headers ?? {}).filter((header) => /^(?:content-type|idempotency-key)$/i.test(header));
  const checks: readonly (readonly [right: boolean, problem: string])[] = [
    [name === undefined || (typeof name === "string" && name !== ""), "name: must be a text that is not empty"],
    [host === undefined || isUrl(host), "host: must begin with https:// or http://, and hold no user and password"],
    [
      host === undefined || !isUrl(host) || /^\w+:\/\/[^/?#]+\/?$/.test(host),
      "host: must not hold a path; put it into the URLs",
    ],
    [
      port === undefined || (Number.isInteger(port) && port >= 1 && port <= 65535),
      "port: must be a whole number from 1 to 65535",
    ],
    [port === undefined || host !== undefined, "port: needs host"],
    [port === undefined || !/:\d+\/?$/.test(String(host)), "port: host names one already"],
    [isUrl(urlCreation) || (isPath(urlCreation) && host !== undefined), `urlCreation: ${where}`],
    [isUrl(urlDeletion) || (isPath(urlDeletion) && host !== undefined), `urlDeletion: ${where}`],
    [own.length === 0, `headers: ${own.join(" and ")} cannot be set`],
  ];
  return checks.filter(([right]) => !right).map(([, problem]) => problem);
}

function isUrl(value: unknown): boolean {
  if (typeof value !== "string" || !/^https?:\/\//i.test(value) || !URL.canParse(value)) return false;
  const { username, password } = new URL(value);
  return username + password === "";
}

function isPath(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("/");
}

/** Keys hold ids that other services chose; whatever a header could not carry is percent-encoded. */
function visibleAscii(key: string): string {
  return key.toWellFormed().replace(/[^\x21-\x24\x26-\x7e]/gu, encodeURIComponent);
}
