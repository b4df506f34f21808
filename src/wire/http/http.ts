import { DeliveryError } from "../../model/errors.ts";
import { FromFiles } from "../files/from_files.ts";
import { openHttpClient } from "./http_client.ts";
import { HttpFailures } from "./http_failure.ts";
import { httpOptionProblems, type HttpTargetOptions } from "./http_options.ts";
import type { HttpAnswer, HttpPreview, HttpRequest } from "./http_request.ts";
import { checkUrl, headersOf, secretsOf, shownHeadersOf, shownUrlOf, standingHeaders } from "./http_request.ts";
import { TimeLimit } from "./time_limit.ts";
import { refuseProblems } from "../options/option_rules.ts";

export type { HttpTargetOptions };

const DEFAULT_ANSWER_BYTES = 64 * 1024;

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
  readonly #maxAnswerBytes: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #limit: TimeLimit;
  readonly #failures: HttpFailures;
  readonly #client: FromFiles<Deno.HttpClient>;

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
    this.#maxAnswerBytes = options.maxAnswerBytes ?? DEFAULT_ANSWER_BYTES;
    this.#headers = standingHeaders(options);
    this.#limit = new TimeLimit(options.timeoutSeconds ?? 30);
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
    checkUrl(request);
    const headers = headersOf(request, this.#headers);
    const limited = this.#limit.begin(request.signal);
    const { signal } = limited;
    try {
      signal.throwIfAborted();
      return await this.#client.use((client) => this.#exchange(request, { headers, client, signal }));
    } catch (error) {
      if (error instanceof DeliveryError) throw error;
      if (signal.aborted) throw this.#failures.ended(request, signal.reason);
      throw this.#failures.unanswered(request, error, this.#client.refusal);
    } finally {
      this.#limit.end(limited);
    }
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
    await this.#client[Symbol.asyncDispose]();
  }

  async #exchange(request: HttpRequest, { headers, client, signal }: Exchange): Promise<HttpAnswer> {
    const { method, url, body = null, accepts } = request;
    const response = await fetch(url, { method, headers, body, signal, client, redirect: "manual" });
    const { status } = response;
    if (response.ok || accepts?.(status)) {
      const { text, complete } = await readText(response, this.#maxAnswerBytes);
      return { status, headers: response.headers, text, complete };
    }
    // Without the body, the status alone makes the error.
    const answer = await readText(response, DEFAULT_ANSWER_BYTES).catch(() => ({ text: "", complete: true }));
    throw this.#failures.refused(request, response, answer);
  }
}

interface Exchange {
  readonly headers: Record<string, string>;
  readonly client: Deno.HttpClient;
  readonly signal: AbortSignal;
}

type Read = Pick<HttpAnswer, "text" | "complete">;

const NOTHING: Read = { text: "", complete: true };

/** Reads the body up to a length. */
async function readText(response: Response, maxBytes: number): Promise<Read> {
  if (response.body === null) return NOTHING;
  const { headers } = response;
  // The content-length of a compressed body is that of the compressed bytes.
  const bytes = headers.has("content-encoding") ? NaN : Number(headers.get("content-length") ?? NaN);
  if (bytes < maxBytes) return { text: await response.text(), complete: true };
  return await readPart(response.body, maxBytes);
}

/** Leaving the loop cancels the rest of the body. */
async function readPart(body: ReadableStream<Uint8Array<ArrayBuffer>>, maxBytes: number): Promise<Read> {
  const decoder = new TextDecoder();
  let text = "";
  let leftBytes = maxBytes;
  for await (const chunk of body) {
    text += decoder.decode(chunk.subarray(0, leftBytes), { stream: true });
    leftBytes -= chunk.length;
    if (leftBytes <= 0) return { text, complete: false };
  }
  return { text: text + decoder.decode(), complete: true };
}
