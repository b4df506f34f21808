import { DeliveryError, type FailureReason, PermanentError } from "../../model/errors.ts";
import { type AmqpRefusal, amqpRefusal, amqpRemedy } from "./amqp_refusal.ts";
import { printable } from "../escaping/printable.ts";
import { redact, withoutSecrets } from "../secrets/redact.ts";

const MAX_QUOTED_LENGTH = 200;
const NOT_THERE = "it is not there; its owner must declare it";

/** No queue was there for a message. */
export class Unroutable extends Error {
  /** @param routingKey `undefined` for a message to a queue. */
  constructor(routingKey: string | undefined) {
    super(routingKey === undefined ? NOT_THERE : `no queue is bound to it for the routing key "${routingKey}"`);
  }
}

/** Why a delivery fails; what is the matter, where the broker's own words do not say it; what to do. */
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

/** What other codes of AMQP and of the system mean, where it is not that there is no connection. */
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

/** What TLS says, and what to do about it. */
const ADVICE: readonly (readonly [said: RegExp, advice: string])[] = [
  [
    /UnknownIssuer|self.signed|unable to (?:get|verify)/i,
    "set tls.caFile to the authority that signed the certificate",
  ],
  [/NotValidForName|altnames/i, "set tls.serverName to a name that the certificate holds"],
  [/InvalidContentType|wrong version|CorruptMessage/i, "the broker does not speak TLS there; check port and tls"],
  [/CertificateRequired/i, "set tls.certFile and tls.keyFile"],
];

/** What becomes of messages that are not taken: errors that hold no secret. */
export class AmqpFailures {
  readonly #secrets: readonly string[];

  /** @param secrets What no text may repeat. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /** `cannot` as `Cannot publish to exchange "cloud" at rabbit-1:5672`. */
  failed(cannot: string, error: unknown): DeliveryError | PermanentError {
    if (error instanceof DeliveryError || error instanceof PermanentError) return error;
    const said = saidBy(error);
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const [reason, state = said || code, mend = amqpRemedy(error)] = meaningOf(error, code);
    const advice = mend || ADVICE.find(([pattern]) => pattern.test(`${code} ${said}`))?.[1];
    const text = `${cannot}: ${this.shown(state)}${advice === undefined ? "" : `; ${advice}`}`;
    return reason === "permanent" ? new PermanentError(text) : new DeliveryError(text, { reason });
  }

  /** What a broker says, for people. */
  shown(said: string): string {
    return printable(redact(withoutSecrets(said, this.#secrets)), MAX_QUOTED_LENGTH);
  }
}

/** The library's texts are "Method: CODE - what the broker says". */
function saidBy(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^(?:\w+: )?(?:[A-Z_]+ - )?|\.$/g, "") : String(error);
}

function meaningOf(error: unknown, code: string): Meaning {
  if (error instanceof Unroutable) return ["client_error", error.message];
  const refusal = amqpRefusal(error);
  return (refusal === null ? undefined : REFUSALS[refusal]) ?? MEANINGS[code] ?? ["connection"];
}
