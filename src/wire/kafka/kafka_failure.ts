import { DeliveryError, type FailureReason, PermanentError } from "../../model/errors.ts";
import { printable } from "../escaping/printable.ts";
import { redact, withoutSecrets } from "../secrets/redact.ts";

const MAX_QUOTED_LENGTH = 200;

/** Reason of the failure, and the next step. */
type Meaning = readonly [reason: FailureReason, advice?: string];

const CREDENTIALS: Meaning = ["unauthorized", "check user, password and mechanism"];

/** Meanings of Kafka's error codes (its protocol guide, "Error codes"); others are the broker's trouble. */
const CODES: Readonly<Record<string, Meaning>> = {
  MESSAGE_TOO_LARGE: ["permanent", "raise max.message.bytes of the topic"],
  RECORD_LIST_TOO_LARGE: ["permanent"],
  INVALID_RECORD: ["permanent"],
  UNKNOWN_TOPIC_OR_PARTITION: ["client_error", "its owner must make the topic"],
  INVALID_TOPIC_EXCEPTION: ["client_error", "its owner must make the topic"],
  POLICY_VIOLATION: ["client_error"],
  TOPIC_AUTHORIZATION_FAILED: ["unauthorized", "give the user the right to write to the topic"],
  CLUSTER_AUTHORIZATION_FAILED: ["unauthorized", "give the user the right IdempotentWrite"],
  SASL_AUTHENTICATION_FAILED: CREDENTIALS,
  UNSUPPORTED_SASL_MECHANISM: ["unauthorized", "set mechanism to one that the broker offers"],
  ILLEGAL_SASL_STATE: CREDENTIALS,
  REQUEST_TIMED_OUT: ["timeout"],
};

/** Meanings of the library's errors, by name. Those that are not here mean no connection. */
const NAMES: Readonly<Record<string, Meaning>> = {
  KafkaJSSASLAuthenticationError: CREDENTIALS,
  KafkaJSProtocolError: ["server_error"],
  KafkaJSRequestTimeoutError: ["timeout"],
};

/** Texts of TLS and of the library, with the next step for each. */
const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /UnknownIssuer|self.signed|unable to (?:get|verify)/i,
    "set tls.caFile to the authority that signed the certificate",
  ],
  [/NotValidForName|altnames/i, "set tls.serverName to a name that the certificate holds"],
  [
    /InvalidContentType|wrong version|CorruptMessage|before secure TLS/i,
    "the broker does not speak TLS there; check port and tls",
  ],
  [/CertificateRequired/i, "set tls.certFile and tls.keyFile"],
];

/** Makes the errors for messages that were not stored. They hold no secret. */
export class KafkaFailures {
  readonly #secrets: readonly string[];

  /** @param secrets What no text may repeat. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /** `cannot` as `Cannot publish to topic "cloud" at kafka-1:9092`. */
  failed(cannot: string, error: unknown): DeliveryError | PermanentError {
    if (error instanceof DeliveryError || error instanceof PermanentError) return error;
    const chain = chainOf(error);
    const answer = chain.map(({ message }) => message).find(Boolean) ?? String(error);
    const [reason, mend] = meaningOf(chain);
    const advice = mend ?? ADVICE.find(([pattern]) => pattern.test(answer))?.[1];
    const text = `${cannot}: ${this.#shown(answer)}${advice === undefined ? "" : `; ${advice}`}`;
    return reason === "permanent" ? new PermanentError(text) : new DeliveryError(text, { reason });
  }

  #shown(answer: string): string {
    return printable(redact(withoutSecrets(answer, this.#secrets)), MAX_QUOTED_LENGTH);
  }
}

/** An error and its causes: the library wraps those of the broker. */
function chainOf(error: unknown): readonly Error[] {
  return error instanceof Error ? [error, ...chainOf(error.cause)] : [];
}

function meaningOf(chain: readonly Error[]): Meaning {
  for (const error of chain) {
    const meaning = "type" in error && CODES[String(error.type)] || NAMES[error.name];
    if (meaning) return meaning;
  }
  return ["connection"];
}
