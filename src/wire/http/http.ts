import { DeliveryError } from "../../model/errors.ts";
import { FromFiles } from "../from_files.ts";
import { openHttpClient } from "./http_client.ts";
import { HttpFailures } from "./http_failure.ts";
import { httpOptionProblems, type HttpTargetOptions } from "./http_options.ts";
import type { HttpAnswer, HttpPreview, HttpRequest } from "./http_request.ts";
import { checkUrl, headersOf, secretsOf, shownHeadersOf } from "./http_request.ts";
import { shownUrl } from "../redact.ts";

export type { HttpTargetOptions };

const DEFAULT_ANSWER_BYTES = 64 * 1024;

/**
 * An HTTP service, with private authorities, client certificates, credentials and a time-out. Redirects are not followed,
 * and whatever is not a success is thrown as a {@linkcode DeliveryError} that holds no secret.
 *
 * @example
 * ```ts
 * import { HttpTarget, type HttpTargetOptions } from "oss-watcher";
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
  readonly #timeoutSeconds: number;
  readonly #failures: HttpFailures;
  readonly #client: FromFiles<Deno.HttpClient>;

  /** What the constructor would refuse of these options: `option: what is allowed` each, never with a value. */
  static problems(options: HttpTargetOptions): string[] {
    return httpOptionProblems(options);
  }

  /** Whether a value is a full URL that a request may go to: `http:` or `https:`, without user and password. */
  static isUrl(value: unknown): value is string {
    if (typeof value !== "string" || !/^https?:\/\//i.test(value) || !URL.canParse(value)) return false;
    const { username, password } = new URL(value);
    return username + password === "";
  }

  /**
   * Does no I/O: files are read when a request needs them first, and again when they have changed.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: HttpTargetOptions = {}) {
    const problems = HttpTarget.problems(options);
    if (problems.length > 0) throw new TypeError(`Cannot make HttpTarget: ${problems.join("; ")}`);
    this.#options = options;
    this.#timeoutSeconds = options.timeoutSeconds ?? 30;
    this.#failures = new HttpFailures(secretsOf(options));
    this.#client = new FromFiles({
      files: [options.caFile, options.certFile, options.keyFile],
      open: () => openHttpClient(options),
      close: (client) => client.close(),
    });
  }

  /** What {@linkcode HttpTarget.request} would send, with `***` for secrets. */
  preview(request: HttpRequest): HttpPreview {
    checkUrl(request);
    const { method, url, body = null } = request;
    return { method, url: shownUrl(url), headers: shownHeadersOf(request, this.#options), body };
  }

  /**
   * Sends a request and reads its answer.
   *
   * @throws {DeliveryError} when there is no answer in time, or one that is neither a success (a redirect is none) nor accepted by the request.
   * @throws {TypeError} when the request is none that could be sent.
   */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    checkUrl(request);
    const headers = headersOf(request, this.#options);
    const timeOut = new AbortController();
    const timer = setTimeout(() => timeOut.abort(this.#tooLate()), this.#timeoutSeconds * 1000);
    const signal = AbortSignal.any(request.signal ? [request.signal, timeOut.signal] : [timeOut.signal]);
    try {
      signal.throwIfAborted();
      return await this.#client.use((client) => this.#exchange({ ...request, signal }, { headers, client }));
    } catch (error) {
      if (error instanceof DeliveryError) throw error;
      if (signal.aborted) throw this.#failures.ended(request, signal.reason);
      throw this.#failures.unanswered(request, error, this.#client.refusal);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Asks with OPTIONS whether somebody answers at a URL: any answer will do, but for one that says that we are not known (401).
   *
   * @throws {DeliveryError} when there is none, or this one.
   */
  async probe(url: string, signal: AbortSignal): Promise<void> {
    await this.request({ method: "OPTIONS", url, signal }).catch((error) => {
      if (!(error instanceof DeliveryError) || error.status === undefined || error.status === 401) throw error;
    });
  }

  /** Closes the connections. A later request opens new ones. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async #exchange(
    request: HttpRequest & { readonly signal: AbortSignal },
    { headers, client }: { readonly headers: Headers; readonly client: Deno.HttpClient },
  ): Promise<HttpAnswer> {
    const { method, url, body = null, signal, accepts = () => false } = request;
    const response = await fetch(url, { method, headers, body, signal, client, redirect: "manual" });
    if (response.ok || accepts(response.status)) {
      const read = await readText(response, this.#options.maxAnswerBytes ?? DEFAULT_ANSWER_BYTES);
      return { status: response.status, headers: response.headers, ...read };
    }
    // The status says enough if the body never comes.
    const said = await readText(response, DEFAULT_ANSWER_BYTES).catch(() => ({ text: "", complete: true }));
    throw this.#failures.refused(request, response, said);
  }

  #tooLate(): DOMException {
    return new DOMException(`no answer within ${this.#timeoutSeconds} s`, "TimeoutError");
  }
}

/** The body up to a length; leaving the loop cancels the rest. */
async function readText(response: Response, maxBytes: number): Promise<Pick<HttpAnswer, "text" | "complete">> {
  if (response.body === null) return { text: "", complete: true };
  const decoder = new TextDecoder();
  let text = "";
  let leftBytes = maxBytes;
  for await (const chunk of response.body) {
    text += decoder.decode(chunk.subarray(0, leftBytes), { stream: true });
    leftBytes -= chunk.length;
    if (leftBytes <= 0) return { text, complete: false };
  }
  return { text: text + decoder.decode(), complete: true };
}
