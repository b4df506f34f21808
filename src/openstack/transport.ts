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
import { Semaphore } from "./semaphore.ts";

/** One request to a service. */
export interface Call {
  readonly service: ServiceName;
  readonly url: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, with POST. */
  readonly body?: Json;
}

/** An answer, whatever its status below 500 (429 aside). */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** `null` when it is no JSON object. */
  readonly body: JsonObject | null;
  /** Why there is no body. */
  readonly problem: string;
  /** What the service says in it, for people, without secrets. */
  readonly errorMessage: string;
}

/** A request that was made, for whoever counts them. */
export interface RequestRecord {
  readonly service: ServiceName;
  readonly method: string;
  readonly url: string;
  /** `null` when there was no answer. */
  readonly status: number | null;
  readonly durationMs: number;
}

export interface TransportOptions {
  readonly tls: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** What no text may repeat, beside tokens. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
  readonly onRequest?: ((request: RequestRecord) => void) | undefined;
  /** Requests side by side. */
  readonly concurrency: number;
  readonly timeoutSeconds: number;
}

/** A page of 200 servers with the most metadata that Nova allows stays below. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Whoever asks for more is not believed. */
const MAX_RETRY_AFTER_MS = 3_600_000;

const ADVICE: Readonly<Partial<Record<FailureReason, string>>> = {
  connection: "Check that it runs and that its URL is right",
  timeout: "Check its load and the network",
  rate_limited: "It asks for fewer requests",
  server_error: "See its own log",
};

/** Requests to all services: bounded in number, never before a service that asked us to wait wants them, and with errors of one line. */
export class Transport implements AsyncDisposable {
  readonly #options: TransportOptions;
  readonly #target: HttpTarget;
  readonly #semaphore: Semaphore;
  readonly #closed = new AbortController();
  /** Until when a service wants to be left alone. */
  readonly #notBefore = new Map<ServiceName, { readonly untilMs: number; readonly status: number }>();
  readonly #lastFailures = new Map<ServiceName, OpenStackUnavailable>();

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#semaphore = new Semaphore(options.concurrency);
    this.#target = new HttpTarget({
      ...options.tls,
      timeoutSeconds: options.timeoutSeconds,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    });
  }

  /**
   * Whoever stands in line while the service fails shares that failure: a crowd that is sent to a service which does not answer would keep
   * all others waiting, the one question too that finds out whether it is back.
   *
   * @throws {OpenStackUnavailable} when there is no answer, or one that asks to come back later.
   */
  send(call: Call): Promise<Answer> {
    const { service } = call;
    const before = this.#lastFailures.get(service);
    return this.#semaphore.run(async () => {
      const failure = this.#lastFailures.get(service);
      if (failure !== undefined && failure !== before) throw failure;
      this.#checkRetryAfter(call);
      try {
        return await this.#ask(call);
      } catch (error) {
        if (error instanceof OpenStackUnavailable && !error.mayConcernOneRequest) {
          this.#lastFailures.set(service, error);
        }
        throw error;
      }
    });
  }

  /** The body of an answer that must have one. */
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

  /** Ends what is under way and closes the connections. */
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
      state: `not asked, since it answered ${status} and wants to be left alone for ${seconds(leftMs)} s more`,
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
    const { service, url, token, headers, body } = call;
    const { clock, onRequest } = this.#options;
    const method = body === undefined ? "GET" : "POST";
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
        signal: this.#closed.signal,
        accepts: () => true,
      });
      record(answer.status);
      return answer;
    } catch (error) {
      record(null);
      if (!(error instanceof DeliveryError)) throw error;
      this.#closed.signal.throwIfAborted();
      const errorMessage = error.message.replace(`Cannot ${method} ${shownUrl(url)}: `, "");
      // About certificates there is better advice in it.
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
    // By the server's own clock, where it tells its time.
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

/** A login page of a proxy is no answer of OpenStack, whatever its status. */
function parse(text: string, headers: Headers): Pick<Answer, "body" | "problem"> {
  const type = headers.get("content-type")?.split(";")[0] ?? "without a type";
  if (!/[/+]json$/i.test(type.trim())) return { body: null, problem: `the answer is no JSON (${shortened(type)})` };
  try {
    const body: Json = JSON.parse(text);
    return isObject(body) ? { body, problem: "" } : { body: null, problem: "the answer is no JSON object" };
  } catch {
    return { body: null, problem: "the answer is cut off or no JSON" };
  }
}

function shortened(type: string): string {
  return type.replace(/[^\w/+. -]/g, "?").slice(0, 60);
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
