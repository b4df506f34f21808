import { DeliveryError } from "../../model/errors.ts";
import { LazyClient } from "../lazy_client.ts";
import { refuseProblems } from "../options/option_rules.ts";
import { httpOptionProblems, type HttpTargetOptions } from "./http_options.ts";
import { checkUrl, type HttpAnswer, type HttpPreview, type HttpRequest } from "./http_request.ts";
import { shownHeadersOf, shownUrlOf } from "./http_request.ts";
import type { HttpSender } from "./http_sender.ts";

export type { HttpTargetOptions };

/**
 * A client for an HTTP service, with private authorities, client certificates, credentials and a
 * time-out. Redirects are not followed. Every outcome but a success is thrown as a
 * {@linkcode DeliveryError} that holds no secret.
 *
 * @example
 * ```ts
 * import { HttpTarget, type HttpTargetOptions } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * const options: HttpTargetOptions = { user: "watcher", password: "s3cret", timeoutSeconds: 10 };
 * await using target = new HttpTarget(options);
 * const request = { method: "POST", url: "https://cmdb.example.com/servers?token=abc", body: "{}" };
 *
 * assert.deepEqual(target.preview(request), {
 *   method: "POST",
 *   url: "https://cmdb.example.com/servers?token=***",
 *   headers: { authorization: "***" },
 *   body: "{}",
 * });
 * ```
 */
export class HttpTarget implements AsyncDisposable {
  readonly #options: HttpTargetOptions;
  readonly #sender: LazyClient<HttpSender>;

  /**
   * The problems for which the constructor would refuse these options: `option: what is allowed`
   * each, never with a value.
   */
  static problems(options: HttpTargetOptions): string[] {
    return httpOptionProblems(options);
  }

  /**
   * Whether a value is a full URL that a request may go to: `http:` or `https:`, without user and
   * password.
   */
  static isUrl(value: unknown): value is string {
    if (typeof value !== "string" || !/^https?:\/\//i.test(value) || !URL.canParse(value)) return false;
    const { username, password } = new URL(value);
    return username + password === "";
  }

  /**
   * Does no I/O: files are read at the first request, and again when they have changed.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: HttpTargetOptions = {}) {
    refuseProblems("Cannot make HttpTarget", HttpTarget.problems(options));
    this.#options = options;
    this.#sender = new LazyClient(async () => {
      const { HttpSender } = await import("./http_sender.ts");
      return new HttpSender(options);
    });
  }

  /** What {@linkcode HttpTarget.request} would send, with `***` for secrets. */
  preview(request: HttpRequest): HttpPreview {
    checkUrl(request);
    const { method, body = null } = request;
    return { method, url: shownUrlOf(request), headers: shownHeadersOf(request, this.#options), body };
  }

  /**
   * Sends a request and reads its answer.
   *
   * @throws {DeliveryError} when there is no answer in time, or one that is neither a success (a
   * redirect is none) nor accepted by the request.
   * @throws {TypeError} when the request is none that could be sent.
   */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    return await (await this.#sender.loaded()).send(request);
  }

  /**
   * Sends OPTIONS to find out whether a URL answers. Every answer is accepted but 401, which
   * refuses our credentials.
   *
   * @throws {DeliveryError} when there is no answer, or 401.
   */
  async probe(url: string, signal: AbortSignal): Promise<void> {
    await this.request({ method: "OPTIONS", url, signal }).catch((error) => {
      if (!(error instanceof DeliveryError) || error.status === undefined || error.status === 401) throw error;
    });
  }

  /** Closes the connections. A later request opens new ones. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sender[Symbol.asyncDispose]();
  }
}
