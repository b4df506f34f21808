import pLimit, { type LimitFunction } from "p-limit";
import type { Clock } from "../model/clock.ts";
import { DeliveryError, type FailureReason } from "../model/errors.ts";
import type { Json, JsonObject } from "../model/notification.ts";
import { HttpTarget } from "../wire/http/http.ts";
import type { HttpAnswer } from "../wire/http/http_request.ts";
import { shownUrl } from "../wire/secrets/redact.ts";
import { retryAfterMs } from "../wire/http/retry_after.ts";
import { OpenStackUnavailable } from "./errors.ts";
import { isObject } from "./read.ts";
import { apiErrorMessage } from "./api_error_message.ts";
import type { ServiceName } from "./services.ts";

/** One request to a service. */
export interface Call {
  readonly service: ServiceName;
  readonly url: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default `POST` with a body, otherwise `GET` */
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: Json;
  /** Ends the request. */
  readonly signal?: AbortSignal;
}

/** An answer with a status below 500, except 429. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** `null` if the body is not a JSON object. */
  readonly body: JsonObject | null;
  /** Why `body` is `null`; otherwise empty. */
  readonly problem: string;
  /** The service's error message, on one line and without secrets; may be empty. */
  readonly errorMessage: string;
}

/** One finished HTTP request, for metrics and logs. */
export interface RequestRecord {
  readonly service: ServiceName;
  readonly method: string;
  readonly url: string;
  /** `null` if there was no answer. */
  readonly status: number | null;
  readonly durationMs: number;
}

export interface TransportOptions {
  readonly tls: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** Values that no error message may contain; tokens are removed as well. */
  readonly secrets: readonly string[];
  readonly clock: Pick<Clock, "now">;
  readonly onRequest?: ((request: RequestRecord) => void) | undefined;
  /** Maximum number of concurrent requests. */
  readonly concurrency: number;
  readonly timeoutSeconds: number;
}

/** Larger than a page of 200 servers with the maximum metadata that Nova allows. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Upper limit for a service's Retry-After. */
const MAX_RETRY_AFTER_MS = 3_600_000;

const ADVICE: Readonly<Partial<Record<FailureReason, string>>> = {
  connection: "Check that it runs and that its URL is right",
  timeout: "Check its load and the network",
  rate_limited: "It asks for fewer requests",
  server_error: "See its own log",
};

/**
 * Sends HTTP requests to all services. It limits their concurrency, respects Retry-After, and turns
 * failures into errors of one line.
 */
export class Transport implements AsyncDisposable {
  readonly #options: TransportOptions;
  readonly #target: HttpTarget;
  readonly #limited: LimitFunction;
  readonly #closed = new AbortController();
  /**
   * No request is sent to a service before this time, which the service asked for (Retry-After).
   */
  readonly #notBefore = new Map<ServiceName, { readonly untilMs: number; readonly status: number }>();
  readonly #lastFailures = new Map<ServiceName, OpenStackUnavailable>();

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#limited = pLimit(options.concurrency);
    this.#target = new HttpTarget({
      ...options.tls,
      timeoutSeconds: options.timeoutSeconds,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    });
  }

  /**
   * Sends one request. If the service fails while this request waits for its turn, the request
   * fails with the same error: sending the whole queue to a service that does not answer would
   * delay all other requests, including the probe that finds out whether the service is back.
   *
   * @throws {OpenStackUnavailable} when there is no answer, or one that asks to retry later (429,
   * 5xx).
   */
  send(call: Call): Promise<Answer> {
    const { service } = call;
    const before = this.#lastFailures.get(service);
    return this.#limited(async () => {
      const failure = this.#lastFailures.get(service);
      if (failure !== undefined && failure !== before) throw failure;
      this.#checkRetryAfter(call);
      try {
        return await this.#ask(call);
      } catch (error) {
        if (error instanceof OpenStackUnavailable && !error.mayConcernOneRequest && !call.signal?.aborted) {
          this.#lastFailures.set(service, error);
        }
        throw error;
      }
    });
  }

  /** The body of an answer; throws if there is none. */
  bodyOf(call: Call, { status, body, problem }: Answer): JsonObject {
    if (body !== null) return body;
    throw this.failure(call, {
      reason: "other",
      status,
      state: `${status}, but ${problem}. Check that the URL is right`,
    });
  }

  failure(
    { service, url }: Call,
    { state, ...details }: {
      readonly reason: FailureReason;
      readonly state: string;
      readonly status?: number;
      readonly retryAfterMs?: number | undefined;
    },
  ): OpenStackUnavailable {
    const [shown] = shownUrl(url).split("?");
    return new OpenStackUnavailable(`Cannot ask ${service} at ${shown}: ${state}`, { service, ...details });
  }

  /** Aborts running requests and closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new DOMException("The OpenStack clients are closed", "AbortError"));
    await this.#target[Symbol.asyncDispose]();
  }

  #checkRetryAfter(call: Call): void {
    const { untilMs = 0, status = 0 } = this.#notBefore.get(call.service) ?? {};
    const leftMs = untilMs - this.#options.clock.now();
    if (leftMs <= 0) return;
    throw this.failure(call, {
      reason: status === 429 ? "rate_limited" : "server_error",
      status,
      retryAfterMs: leftMs,
      state: `not asked, since it answered ${status} and asked us to wait for ${seconds(leftMs)} s more`,
    });
  }

  async #ask(call: Call): Promise<Answer> {
    const { status, headers, text, complete } = await this.#exchange(call);
    const secrets = [...this.#options.secrets, call.token ?? ""];
    const { body, problem } = complete ? parse(text, headers) : { body: null, problem: "it is too long" };
    const errorMessage = apiErrorMessage(body, secrets);
    if (status === 429 || status >= 500) throw this.#askedToWait(call, { status, headers, errorMessage });
    return { status, headers, body, problem, errorMessage };
  }

  async #exchange(call: Call): Promise<HttpAnswer> {
    const { service, url, token, headers, body, method = body === undefined ? "GET" : "POST", signal } = call;
    const { clock, onRequest } = this.#options;
    const startMs = clock.now();
    const record = (status: number | null) =>
      onRequest?.({ service, method, url, status, durationMs: clock.now() - startMs });
    try {
      const answer = await this.#target.request({
        method,
        url,
        headers: {
          "Accept": "application/json",
          ...(token === undefined ? {} : { "X-Auth-Token": token }),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal === undefined ? this.#closed.signal : AbortSignal.any([this.#closed.signal, signal]),
        accepts: () => true,
      });
      record(answer.status);
      return answer;
    } catch (error) {
      record(null);
      if (!(error instanceof DeliveryError)) throw error;
      this.#closed.signal.throwIfAborted();
      const errorMessage = error.message.replace(`Cannot ${method} ${shownUrl(url)}: `, "");
      // Certificate errors already contain more specific advice.
      const state = errorMessage.includes("; set ")
        ? errorMessage
        : `${errorMessage}. ${ADVICE[error.reason] ?? ""}`.trimEnd();
      throw this.failure(call, { reason: error.reason, state });
    }
  }

  #askedToWait(
    call: Call,
    { status, headers, errorMessage }: Pick<Answer, "status" | "headers" | "errorMessage">,
  ): OpenStackUnavailable {
    const { clock } = this.#options;
    // A Retry-After date is relative to the server's own clock, if it sends a Date header.
    const serverMs = Date.parse(headers.get("date") ?? "") || clock.now();
    const asked = retryAfterMs(headers.get("retry-after"), serverMs);
    const waitMs = asked === undefined ? undefined : Math.min(asked, MAX_RETRY_AFTER_MS);
    if (waitMs !== undefined && (status === 429 || status === 503)) {
      this.#notBefore.set(call.service, { untilMs: clock.now() + waitMs, status });
    }
    const reason = status === 429 ? "rate_limited" : "server_error";
    const wait = waitMs === undefined ? "" : ` (in ${seconds(waitMs)} s again)`;
    const state = `${status}${wait}${errorMessage === "" ? "" : `: "${errorMessage}"`}. ${ADVICE[reason]}`;
    return this.failure(call, { reason, status, state, retryAfterMs: waitMs });
  }
}

/**
 * Parses a JSON object. Other content, as the login page of a proxy, is not an answer of OpenStack,
 * whatever its status.
 */
function parse(text: string, headers: Headers): Pick<Answer, "body" | "problem"> {
  const type = headers.get("content-type")?.split(";")[0] ?? "without a type";
  if (!/[/+]json$/i.test(type.trim())) return { body: null, problem: `the answer is not JSON (${shortened(type)})` };
  try {
    const body: Json = JSON.parse(text);
    return isObject(body) ? { body, problem: "" } : { body: null, problem: "the answer is not a JSON object" };
  } catch {
    return { body: null, problem: "the answer is truncated or not JSON" };
  }
}

function shortened(type: string): string {
  return type.replace(/[^\w/+. -]/g, "?").slice(0, 60);
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
