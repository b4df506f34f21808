import { DeliveryError, type FailureReason } from "../../model/errors.ts";
import { printable } from "../escaping/printable.ts";
import { type HttpAnswer, type HttpRequest, secretsIn, shownUrlOf } from "./http_request.ts";
import { givenSecrets, redact, shownUrl, withoutSecrets } from "../secrets/redact.ts";
import { retryAfterMs } from "./retry_after.ts";

const MAX_QUOTED_LENGTH = 200;

/** Texts of rustls, with the next step for each. */
const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/UnknownIssuer|BadSignature/, "set caFile to the authority that signed the certificate"],
  [/CertificateRequired/, "set certFile and keyFile"],
  [/InvalidContentType/, "what listens there speaks no TLS"],
  // The blocked ports of the Fetch standard, 2.9: what listens there is rarely HTTP.
  [/Requests to port \d+ are blocked/, "let the service listen on another port"],
];

/** Makes the errors of failed requests. They hold no secret. */
export class HttpFailures {
  readonly #secrets: readonly string[];

  /** @param secrets What no text may repeat. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /** The error of an answer that is not a success, with the part of its body that was read. */
  refused(request: HttpRequest, response: Response, body: Pick<HttpAnswer, "text" | "complete">): DeliveryError {
    const { status, statusText, headers } = response;
    const answer = this.#shown(request, body.text, { isCut: !body.complete });
    const state = [
      `${status} ${this.#shown(request, statusText)}`.trimEnd(),
      status < 400 ? this.#redirect(request, headers.get("location")) : "",
      answer === "" ? "" : `: "${answer}"`,
      status === 401 ? `; ${this.#credentialsAdvice()}` : "",
    ];
    // Relative to the server's own clock, if it sends `Date`.
    const waitMs = retryAfterMs(headers.get("retry-after"), Date.parse(headers.get("date") ?? "") || Date.now());
    return new DeliveryError(`${cannot(request)}: ${state.join("")}`, {
      reason: reasonOf(status),
      status,
      ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    });
  }

  /**
   * The error of a request without an answer, with the reason why renewed certificates could not be
   * used. It has no `cause`: the runtime's own errors quote the URL with its query.
   */
  unanswered(request: HttpRequest, error: unknown, refusal?: unknown): DeliveryError {
    const whole = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    const cause = /client error \(\w+\): ([^]*)/.exec(whole)?.[1] ?? whole;
    const advice = ADVICE.find(([pattern]) => pattern.test(cause))?.[1];
    const state = advice === undefined ? this.#shown(request, cause) : `${this.#shown(request, cause)}; ${advice}`;
    const text = `${cannot(request)}: ${state}${refusal instanceof Error ? `; ${refusal.message}` : ""}`;
    return new DeliveryError(text, { reason: "connection" });
  }

  /** The error of a request that a signal ended. */
  ended(request: HttpRequest, reason: unknown): DeliveryError {
    const isTimeout = reason instanceof Error && reason.name === "TimeoutError";
    return new DeliveryError(`${cannot(request)}: ${isTimeout ? reason.message : "interrupted"}`, {
      reason: isTimeout ? "timeout" : "interrupted",
      cause: reason,
    });
  }

  #redirect(request: HttpRequest, location: string | null): string {
    if (location === null || !URL.canParse(location, request.url)) return "";
    const target = shownUrl(new URL(location, request.url).href);
    return ` (redirects are not followed; this one goes to ${this.#shown(request, target)})`;
  }

  #credentialsAdvice(): string {
    return this.#secrets.length === 0
      ? "set user and password, bearer or headers"
      : "check the credentials in its options";
  }

  /** Secrets are hidden before the text is cut: half a secret would not be found. */
  #shown(request: HttpRequest, text: string, { isCut = false } = {}): string {
    const secrets = [...this.#secrets, ...secretsIn(request), ...givenSecrets()];
    return printable(redact(withoutSecrets(text, secrets, { isCut })), MAX_QUOTED_LENGTH);
  }
}

function cannot(request: HttpRequest): string {
  return `Cannot ${request.method} ${shownUrlOf(request)}`;
}

function reasonOf(status: number): FailureReason {
  if (status === 401) return "unauthorized";
  if (status === 429) return "rate_limited";
  return status >= 500 ? "server_error" : "client_error";
}
