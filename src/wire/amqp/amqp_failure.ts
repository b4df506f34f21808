import { DeliveryError, type FailureReason, PermanentError } from "../../model/errors.ts";
import { printable } from "../escape.ts";
import { redact, withoutSecrets } from "../redact.ts";

const MAX_QUOTED_LENGTH = 200;
const NOT_THERE = "it is not there; its owner must declare it";

/** No queue was there for a message. */
export class Unroutable extends Error {
  /** @param routingKey `undefined` for a message to a queue. */
  constructor(routingKey: string | undefined) {
    super(routingKey === undefined ? NOT_THERE : `no queue is bound to it for the routing key "${routingKey}"`);
  }
}

/** What codes of AMQP and of the system mean, where it is not that there is no connection. */
const MEANINGS: Readonly<Record<string, readonly [reason: FailureReason, state?: string]>> = {
  NACK: ["server_error", "the broker does not take it: a queue is full, or has trouble"],
  NOT_FOUND: ["client_error", NOT_THERE],
  ACCESS_REFUSED: ["unauthorized"],
  RESOURCE_LOCKED: ["client_error"],
  CONTENT_TOO_LARGE: ["permanent"],
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
  [/Login was refused/, "check user and password"],
  [/^ACCESS_REFUSED access to .* refused for user/, "give the user the right to it"],
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
    const [reason, state = said || code] = meaningOf(error, { code, said });
    const advice = ADVICE.find(([pattern]) => pattern.test(`${code} ${said}`))?.[1];
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

function meaningOf(
  error: unknown,
  { code, said }: { readonly code: string; readonly said: string },
): readonly [reason: FailureReason, state?: string] {
  if (error instanceof Unroutable) return ["client_error", error.message];
  if (code === "PRECONDITION_FAILED" && /message size/.test(said)) return ["permanent"];
  // A vhost that is not there, or not ours; one that has enough connections, or is starting, says so with the same code.
  if (code === "NOT_ALLOWED" && !/limit|down/.test(said)) return ["unauthorized"];
  return MEANINGS[code] ?? ["connection"];
}
