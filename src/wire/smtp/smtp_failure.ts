import { DeliveryError, type FailureReason, PermanentError } from "../../model/errors.ts";
import { printable } from "../escaping/printable.ts";
import { redact, withoutSecrets } from "../secrets/redact.ts";

const MAX_QUOTED_LENGTH = 200;

/** Codes that say that we are not known, or not known well enough (RFC 4954, 6). */
const UNAUTHORIZED: readonly unknown[] = [432, 530, 534, 535, 538];

/** Commands that are about the mail; whatever is refused else is about the connection, and no mail's fault. */
const ABOUT_THE_MAIL: readonly unknown[] = ["MAIL FROM", "RCPT TO", "DATA"];

/** What the library or TLS says, and what to do about it. */
const ADVICE: readonly (readonly [said: RegExp, advice: string])[] = [
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
 * Refusals of a recipient or a sender that are about us, whoever the mail is for: Postfix, Exim, Exchange and Sendmail say so with the code of a
 * recipient that is unknown.
 */
const ABOUT_US: readonly (readonly [said: RegExp, advice: string])[] = [
  [/\brelay/i, "let the server relay for us: set user and password, or have this machine allowed there"],
  [/\b(?:Client host|Helo command) rejected\b/i, "have this machine allowed there, or set user and password"],
];

/** What the library's errors may have. */
interface Shape {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly command?: unknown;
}

/** What becomes of mails that are not taken: errors that hold no secret. */
export class SmtpFailures {
  readonly #secrets: readonly string[];

  /** @param secrets What no text may repeat. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /**
   * `cannot` as `Cannot send mail through host:587`; with it, why renewed certificates could not be used. Has no `cause`: the library's own
   * errors quote what was said.
   */
  failed(cannot: string, error: unknown, refusal?: unknown): DeliveryError | PermanentError {
    if (error instanceof DeliveryError || error instanceof PermanentError) return error;
    const shape = (typeof error === "object" && error !== null ? error : {}) as Shape;
    const said = saidBy(error);
    const aboutUs = isPermanent(shape) ? ABOUT_US.find(([pattern]) => pattern.test(said))?.[1] : undefined;
    const reason = aboutUs === undefined ? reasonOf(shape) : "unauthorized";
    const advice = aboutUs ?? ADVICE.find(([pattern]) => pattern.test(said))?.[1] ??
      (reason === "unauthorized" ? "check user and password" : undefined);
    const files = reason === "connection" && refusal instanceof Error ? `; ${refusal.message}` : "";
    const text = `${cannot}: ${this.shown(said)}${advice === undefined ? "" : `; ${advice}`}${files}`;
    return reason === "permanent" ? new PermanentError(text) : new DeliveryError(text, { reason });
  }

  /** What a server says, for people. */
  shown(said: string): string {
    // Before anything else is done to the text: a secret may hold two blanks.
    const safe = withoutSecrets(said, this.#secrets).replace(/\s+/g, " ").trim();
    return printable(redact(safe), MAX_QUOTED_LENGTH);
  }
}

/** The system's error for a name with several addresses says nothing itself: those that it holds do. */
function saidBy(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(saidBy).join(", ");
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
  // 503: the conversation went wrong, not the mail; on a new connection it may go right.
  return responseCode >= 500 && responseCode !== 503 ? "permanent" : "server_error";
}
