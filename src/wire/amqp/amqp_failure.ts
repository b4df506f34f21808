import { DeliveryError, type FailureReason, PermanentError } from "../../model/errors.ts";
import { type AmqpRefusal, amqpRefusal, amqpRemedy } from "./amqp_refusal.ts";
import { printable } from "../escaping/printable.ts";
import { redact, withoutSecrets } from "../secrets/redact.ts";

const MAX_QUOTED_LENGTH = 200;
const NOT_THERE = "it is not there; its owner must declare it";

/** A message was returned as unroutable: no queue takes it. */
export class Unroutable extends Error {
  /** @param routingKey `undefined` for a message to a queue. */
  constructor(routingKey: string | undefined) {
    super(routingKey === undefined ? NOT_THERE : `no queue is bound to it for the routing key "${routingKey}"`);
  }
}

/** Reason of the failure; the state, where the broker's text does not tell it; the next step. */
type Meaning = readonly [reason: FailureReason, state?: string | undefined, advice?: string];

const REFUSALS: Readonly<Partial<Record<AmqpRefusal, Meaning>>> = {
  credentials: ["unauthorized", undefined, "check user and password"],
  "no vhost": ["unauthorized", undefined, "check vhost"],
  "vhost rights": ["unauthorized", undefined, "check vhost, or give the user the right to it"],
  rights: ["unauthorized", undefined, "give the user the right to it"],
  limit: ["connection"],
  down: ["server_error"],
  "no exchange": ["client_error", NOT_THERE],
  "no queue": ["client_error", NOT_THERE],
  locked: ["client_error"],
  "too large": ["permanent"],
};

/**
 * Meanings of other codes of AMQP and the system, but for those that mean that there is no
 * connection.
 */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  NACK: ["server_error", "the broker does not take it: a queue is full, or has trouble"],
  NOT_FOUND: ["server_error"],
  ACCESS_REFUSED: ["unauthorized"],
  NOT_ALLOWED: ["unauthorized"],
  PRECONDITION_FAILED: ["server_error"],
  INTERNAL_ERROR: ["server_error"],
  RESOURCE_ERROR: ["server_error"],
  NOT_IMPLEMENTED: ["server_error"],
  CONNECTION_TIMEOUT: ["timeout", "no answer"],
  SOCKET_TIMEOUT: ["connection", "no heartbeat"],
  ECONNREFUSED: ["connection", "refused"],
};

/** Texts of TLS errors, with the next step for each. */
const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /UnknownIssuer|self.signed|unable to (?:get|verify)/i,
    "set tls.caFile to the authority that signed the certificate",
  ],
  [/NotValidForName|altnames/i, "set tls.serverName to a name that the certificate holds"],
  [/InvalidContentType|wrong version|CorruptMessage/i, "the broker does not speak TLS there; check port and tls"],
  [/CertificateRequired/i, "set tls.certFile and tls.keyFile"],
];

/** Makes the errors for messages that were not published. They hold no secret. */
export class AmqpFailures {
  readonly #secrets: readonly string[];

  /** @param secrets What no text may repeat. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /** `cannot` as `Cannot publish to exchange "cloud" at rabbit-1:5672`. */
  failed(cannot: string, error: unknown): DeliveryError | PermanentError {
    if (error instanceof DeliveryError || error instanceof PermanentError) return error;
    const answer = textOf(error);
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const [reason, state = answer || code, mend = amqpRemedy(error)] = meaningOf(error, code);
    const advice = mend || ADVICE.find(([pattern]) => pattern.test(`${code} ${answer}`))?.[1];
    const text = `${cannot}: ${this.shown(state)}${advice === undefined ? "" : `; ${advice}`}`;
    return reason === "permanent" ? new PermanentError(text) : new DeliveryError(text, { reason });
  }

  /** A broker's text, safe to print and without secrets. */
  shown(answer: string): string {
    return printable(redact(withoutSecrets(answer, this.#secrets)), MAX_QUOTED_LENGTH);
  }
}

/** Removes the prefix of the library's texts: "Method: CODE - text of the broker". */
function textOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^(?:\w+: )?(?:[A-Z_]+ - )?|\.$/g, "") : String(error);
}

function meaningOf(error: unknown, code: string): Meaning {
  if (error instanceof Unroutable) return ["client_error", error.message];
  const refusal = amqpRefusal(error);
  return (refusal === null ? undefined : REFUSALS[refusal]) ?? MEANINGS[code] ?? ["connection"];
}
