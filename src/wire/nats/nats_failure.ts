import { DeliveryError, type FailureReason, PermanentError } from "../../model/errors.ts";
import { printable } from "../escaping/printable.ts";
import { redact, withoutSecrets } from "../secrets/redact.ts";

const MAX_QUOTED_LENGTH = 200;

/** Reason of the failure, and the next step. */
type Meaning = readonly [reason: FailureReason, advice?: string];

const NO_STREAM = "make a stream that takes this subject";
const CREDENTIALS = "check user and password, token or credsFile";

/** Meanings of the library's errors, by class. Those that are not here mean no connection. */
const CLASSES: Readonly<Record<string, Meaning>> = {
  AuthorizationError: ["unauthorized", CREDENTIALS],
  UserAuthenticationExpiredError: ["unauthorized", CREDENTIALS],
  PermissionViolationError: ["unauthorized", "give the user the right to publish to this subject"],
  JetStreamNotEnabled: ["client_error", NO_STREAM],
  StreamNotFoundError: ["client_error", "make the stream, or check its name"],
  JetStreamApiError: ["server_error"],
  JetStreamError: ["client_error", "something that is no stream answers for this subject"],
  InvalidArgumentError: ["permanent"],
  TimeoutError: ["timeout"],
};

/** Meanings of error codes of JetStream (`server/errors.json` of nats-server). */
const CODES: Readonly<Record<number, Meaning>> = {
  // The message is larger than the stream takes.
  10054: ["permanent", "raise max_msg_size of the stream"],
  10060: ["client_error", "stream is not the one that takes this subject"],
  10039: ["client_error", "turn JetStream on for this account"],
  10076: ["client_error", "turn JetStream on"],
};

/** Texts of TLS and of the socket, with the next step for each. */
const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /UnknownIssuer|self.signed|unable to (?:get|verify)/i,
    "set tls.caFile to the authority that signed the certificate",
  ],
  [/NotValidForName|altnames/i, "set tls.serverName to a name that the certificate holds"],
  [/does not support 'tls'/, "the server offers no TLS; use nats://, or turn TLS on there"],
  [/InvalidContentType|wrong version|CorruptMessage/i, "the server does not begin with TLS; leave tls.first out"],
  [/CertificateRequired/i, "set tls.certFile and tls.keyFile"],
  [/is not NATS/, "check host and port"],
];

/** Makes the errors for messages that were not stored. They hold no secret. */
export class NatsFailures {
  readonly #secrets: readonly string[];

  /** @param secrets What no text may repeat. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /** `cannot` as `Cannot publish to "cloud.servers" at nats-1:4222`. */
  failed(cannot: string, error: unknown): DeliveryError | PermanentError {
    if (error instanceof DeliveryError || error instanceof PermanentError) return error;
    const chain = chainOf(error);
    const isRefused = chain.some((cause) => "code" in cause && cause.code === "ECONNREFUSED");
    // The library says that JetStream is not enabled, whether it is or not.
    const isUntaken = chain.some(({ name }) => name === "NoResponders");
    const answer = isRefused
      ? "refused"
      : isUntaken
      ? "no stream takes it"
      : chain.map(({ message }) => message).find(Boolean) ?? String(error);
    const [reason, mend] = meaningOf(chain);
    const advice = mend ?? ADVICE.find(([pattern]) => chain.some(({ message }) => pattern.test(message)))?.[1];
    const text = `${cannot}: ${this.#shown(answer)}${advice === undefined ? "" : `; ${advice}`}`;
    return reason === "permanent" ? new PermanentError(text) : new DeliveryError(text, { reason });
  }

  #shown(answer: string): string {
    return printable(redact(withoutSecrets(answer, this.#secrets)), MAX_QUOTED_LENGTH);
  }
}

/** An error and its causes: the library wraps those of the server. */
function chainOf(error: unknown): readonly Error[] {
  return error instanceof Error ? [error, ...chainOf(error.cause)] : [];
}

function meaningOf(chain: readonly Error[]): Meaning {
  for (const error of chain) {
    const meaning = "code" in error && CODES[Number(error.code)] || CLASSES[error.name] ||
      CLASSES[error.constructor.name];
    if (meaning) return meaning;
  }
  return ["connection"];
}
