import { DeliveryError, type FailureReason, PermanentError } from "../model/errors.ts";
import { printable } from "./escaping/printable.ts";
import { redact, withoutSecrets } from "./secrets/redact.ts";

const MAX_QUOTED_LENGTH = 200;

/** Reason of the failure, and the next step. */
export type Meaning = readonly [reason: FailureReason, advice?: string];

/** What a library's errors mean. */
export interface LinkErrors {
  /** The meaning of one error; `undefined`: it says nothing, or only that there is no connection. */
  readonly meaningOf: (error: Error) => Meaning | undefined;
  /** What people read instead of an error's own text; `undefined`: its text. */
  readonly textOf?: (error: Error) => string | undefined;
  /** Texts of the library and of TLS, with the next step for each. */
  readonly advice: readonly (readonly [pattern: RegExp, advice: string])[];
}

/** Next steps for what TLS says of certificates, where the options of TLS are in `tls`. */
export const TLS_ADVICE: LinkErrors["advice"] = [
  [
    /UnknownIssuer|self.signed|unable to (?:get|verify)/i,
    "set tls.caFile to the authority that signed the certificate",
  ],
  [/NotValidForName|altnames/i, "set tls.serverName to a name that the certificate holds"],
  [/CertificateRequired/i, "set tls.certFile and tls.keyFile"],
];

/**
 * Makes the errors for messages that a server did not take, from a library's errors, which wrap those
 * of the server. They hold no secret.
 */
export class LinkFailures {
  readonly #secrets: readonly string[];
  readonly #errors: LinkErrors;

  /** @param secrets What no text may repeat. */
  constructor(secrets: readonly string[], errors: LinkErrors) {
    this.#secrets = secrets;
    this.#errors = errors;
  }

  /** `cannot` as `Cannot publish to "cloud.servers" at nats-1:4222`. */
  failed(cannot: string, error: unknown): DeliveryError | PermanentError {
    if (error instanceof DeliveryError || error instanceof PermanentError) return error;
    const { meaningOf, textOf = () => undefined, advice } = this.#errors;
    const chain = chainOf(error);
    const answer = firstOf(chain, textOf) ?? firstOf(chain, ({ message }) => message || undefined) ?? String(error);
    const [reason, mend] = firstOf(chain, meaningOf) ?? ["connection"];
    const step = mend ?? advice.find(([pattern]) => chain.some(({ message }) => pattern.test(message)))?.[1];
    const text = `${cannot}: ${this.#shown(answer)}${step === undefined ? "" : `; ${step}`}`;
    return reason === "permanent" ? new PermanentError(text) : new DeliveryError(text, { reason });
  }

  #shown(answer: string): string {
    return printable(redact(withoutSecrets(answer, this.#secrets)), MAX_QUOTED_LENGTH);
  }
}

/** An error and its causes. */
function chainOf(error: unknown): readonly Error[] {
  return error instanceof Error ? [error, ...chainOf(error.cause)] : [];
}

function firstOf<Found>(chain: readonly Error[], of: (error: Error) => Found | undefined): Found | undefined {
  for (const error of chain) {
    const found = of(error);
    if (found !== undefined) return found;
  }
  return undefined;
}
