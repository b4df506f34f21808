import { DeliveryError, type FailureReason, PermanentError } from "../../model/errors.ts";
import { printable } from "../escaping/printable.ts";
import { redact, withoutSecrets } from "../secrets/redact.ts";

const MAX_QUOTED_LENGTH = 200;

/** Codes that refuse our credentials or demand stronger ones (RFC 4954, 6). */
const UNAUTHORIZED: readonly unknown[] = [432, 530, 534, 535, 538];

/** Commands about the mail itself. A refusal of any other command is about the connection. */
const ABOUT_THE_MAIL: readonly unknown[] = ["MAIL FROM", "RCPT TO", "DATA"];

/** Texts of the library and of TLS, with the next step for each. */
const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/UnknownIssuer|self.signed|unable to (?:get|verify)/i, "set caFile to the authority that signed the certificate"],
  [/NotValidForName|altnames/i, "set serverName to a name that the certificate holds"],
  [
    /^Error upgrading connection with STARTTLS/,
    `the server offers no STARTTLS; set security to "tls", or ask its owner`,
  ],
  [/InvalidContentType|wrong version|CorruptMessage/i, "the server does not speak TLS there; check port and security"],
  [/CertificateRequired/i, "set certFile and keyFile"],
  [/^(?:[^:]*: )?53[048][ -].*\b(?:STARTTLS|TLS|encrypt)/i, 'set security to "starttls" or "tls"'],
  [/^(?:[^:]*: )?534[ -]/, "the server wants another way to log in"],
];

/**
 * Refusals of a recipient or a sender that concern our host and not the mail. Postfix, Exim,
 * Exchange and Sendmail give them the code of an unknown recipient.
 */
const ABOUT_US: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/\brelay/i, "let the server relay for us: set user and password, or have this machine allowed there"],
  [/\b(?:Client host|Helo command) rejected\b/i, "have this machine allowed there, or set user and password"],
];

/** Properties of the library's errors. */
interface Shape {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly command?: unknown;
}

/** Makes the errors of mails that were not accepted. They hold no secret. */
export class SmtpFailures {
  readonly #secrets: readonly string[];

  /** @param secrets What no text may repeat. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /**
   * The error of a mail or a connection. `cannot` begins its text, as `Cannot send mail through
   * host:587`; the reason why renewed certificates could not be used follows it. It has no `cause`:
   * the library's own errors quote the dialogue.
   */
  failed(cannot: string, error: unknown, refusal?: unknown): DeliveryError | PermanentError {
    if (error instanceof DeliveryError || error instanceof PermanentError) return error;
    const shape = (typeof error === "object" && error !== null ? error : {}) as Shape;
    const answer = textOf(error);
    const aboutUs = isPermanent(shape) ? ABOUT_US.find(([pattern]) => pattern.test(answer))?.[1] : undefined;
    const reason = aboutUs === undefined ? reasonOf(shape) : "unauthorized";
    const advice = aboutUs ?? ADVICE.find(([pattern]) => pattern.test(answer))?.[1] ??
      (reason === "unauthorized" ? "check user and password" : undefined);
    const files = reason === "connection" && refusal instanceof Error ? `; ${refusal.message}` : "";
    const text = `${cannot}: ${this.shown(answer)}${advice === undefined ? "" : `; ${advice}`}${files}`;
    return reason === "permanent" ? new PermanentError(text) : new DeliveryError(text, { reason });
  }

  /** A server's text, safe to print and without secrets. */
  shown(answer: string): string {
    // Secrets are removed first: one may hold two blanks, which become one.
    const safe = withoutSecrets(answer, this.#secrets).replace(/\s+/g, " ").trim();
    return printable(redact(safe), MAX_QUOTED_LENGTH);
  }
}

/**
 * The system's error for a name with several addresses has no text; the errors that it holds have.
 */
function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(textOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}

function isPermanent(shape: Shape): boolean {
  return reasonOf(shape) === "permanent";
}

function reasonOf({ code, responseCode, command }: Shape): FailureReason {
  if (typeof responseCode !== "number") {
    if (code === "EAUTH" || code === "ENOAUTH") return "unauthorized";
    return code === "ETIMEDOUT" ? "timeout" : "connection";
  }
  if (UNAUTHORIZED.includes(responseCode)) return "unauthorized";
  if (responseCode === 421) return "connection";
  if (code === "EAUTH") return responseCode >= 500 ? "unauthorized" : "server_error";
  if (!ABOUT_THE_MAIL.includes(command)) return "connection";
  // 503 is about the order of commands, not the mail: a new connection may succeed.
  return responseCode >= 500 && responseCode !== 503 ? "permanent" : "server_error";
}
