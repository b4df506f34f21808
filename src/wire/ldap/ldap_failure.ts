import { DeliveryError, type FailureReason, PermanentError } from "../../model/errors.ts";
import { printable } from "../escaping/printable.ts";
import { redact, withoutSecrets } from "../secrets/redact.ts";

/** Result codes of RFC 4511, appendix A, that callers handle. */
export const RESULT = {
  referral: 10,
  noSuchObject: 32,
  busy: 51,
  unavailable: 52,
  unwillingToPerform: 53,
  alreadyExists: 68,
} as const;

const SCHEMA = "load the schema that allows it, or choose other classes and attributes";

/**
 * Name of a result code, what it means for the delivery, and what to do about it. Other codes count
 * as errors of the server.
 */
const CODES: Readonly<Record<number, readonly [name: string, reason: FailureReason, advice?: string]>> = {
  1: ["operationsError", "server_error"],
  2: ["protocolError", "permanent"],
  3: ["timeLimitExceeded", "timeout"],
  4: ["sizeLimitExceeded", "server_error", "raise the server's limit for bindDn, as docs/LDAP.md says"],
  7: ["authMethodNotSupported", "unauthorized"],
  8: ["strongerAuthRequired", "unauthorized", "use ldaps:// or startTls"],
  10: ["referral", "server_error", "referrals are not followed; put the server that takes changes into url"],
  11: ["adminLimitExceeded", "server_error", "index the server's UUID and raise limits, as docs/LDAP.md says"],
  12: ["unavailableCriticalExtension", "server_error", "the server lacks a control that this needs; see docs/LDAP.md"],
  13: ["confidentialityRequired", "unauthorized", "use ldaps:// or startTls"],
  // The entry was changed concurrently: the next attempt reads it again.
  16: ["noSuchAttribute", "other"],
  17: ["undefinedAttributeType", "permanent", SCHEMA],
  18: ["inappropriateMatching", "permanent"],
  19: ["constraintViolation", "permanent"],
  20: ["attributeOrValueExists", "other"],
  21: ["invalidAttributeSyntax", "permanent", SCHEMA],
  32: ["noSuchObject", "client_error", "create it, or the entry above it, first"],
  33: ["aliasProblem", "client_error"],
  34: ["invalidDNSyntax", "permanent"],
  36: ["aliasDereferencingProblem", "client_error"],
  48: ["inappropriateAuthentication", "unauthorized"],
  49: ["invalidCredentials", "unauthorized", "check bindDn and password, or the certificate's owner"],
  50: ["insufficientAccessRights", "unauthorized", "give bindDn the right to do this there"],
  51: ["busy", "server_error"],
  52: ["unavailable", "server_error"],
  53: ["unwillingToPerform", "server_error"],
  54: ["loopDetect", "server_error"],
  64: ["namingViolation", "permanent"],
  65: ["objectClassViolation", "permanent", SCHEMA],
  66: ["notAllowedOnNonLeaf", "client_error", "remove or move what somebody put below it"],
  67: ["notAllowedOnRDN", "permanent"],
  68: ["entryAlreadyExists", "client_error", "remove or rename what somebody put there"],
  69: ["objectClassModsProhibited", "permanent"],
  71: ["affectsMultipleDSAs", "permanent"],
  80: ["other", "server_error"],
  // Between finding the entry and changing it, another entry took its name.
  122: ["assertionFailed", "other"],
};

/** Meanings of codes as answers to a bind, where they are about the account. */
const BIND_ADVICE: Readonly<Record<number, string>> = {
  // 389 Directory Server's answer after too many wrong passwords.
  19: "wait until the server unlocks bindDn, or have it unlocked",
  // Answer for an inactive account, or for a bind without a password.
  53: "have bindDn activated, and set password",
};

/** Next steps for connections that cannot be opened. */
const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/UnknownIssuer|self.signed|unable to (?:get|verify)/i, "set caFile to the authority that signed the certificate"],
  [/before secure TLS/i, "ldaps:// is for ports that begin with TLS; for others there is ldap:// with startTls"],
];

/** The suffix that the library adds to servers' texts. */
const LIBRARY_CODE = /\s*Code: 0x[\da-f]+$/;

const MAX_QUOTED_LENGTH = 200;

/** The result code of a server's answer; `undefined` for other errors. */
export function resultCode(error: unknown): number | undefined {
  const code = error instanceof Error && !(error instanceof DOMException) && "code" in error ? error.code : undefined;
  return typeof code === "number" ? code : undefined;
}

/** Makes the errors of failed operations. They hold no secret. */
export class LdapFailures {
  readonly #secrets: readonly string[];

  /** @param secrets What no text may repeat. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /** The error of an operation. `cannot` begins its text, as `Cannot add "…" on ldap://host`. */
  failed(cannot: string, error: unknown): DeliveryError | PermanentError {
    if (error instanceof DeliveryError || error instanceof PermanentError) return error;
    const code = resultCode(error);
    if (code === undefined) return this.unreachable(cannot, error);
    const [name, reason, advice] = CODES[code] ?? ["result code", "server_error"];
    const text = this.#text(cannot, { name: `${name} (${code})`, error, advice });
    return reason === "permanent" ? new PermanentError(text) : new DeliveryError(text, { reason });
  }

  /** The error of a bind. It is always retried: events can wait until the account is in order. */
  refused(cannot: string, error: unknown): DeliveryError {
    const failure = this.failed(cannot, error);
    const advice = BIND_ADVICE[resultCode(error) ?? -1];
    if (advice !== undefined) return new DeliveryError(`${failure.message}; ${advice}`, { reason: "unauthorized" });
    if (failure instanceof DeliveryError && failure.reason !== "client_error") return failure;
    return new DeliveryError(failure.message, { reason: "unauthorized" });
  }

  /** The error of a connection that cannot be opened, or ends. */
  unreachable(cannot: string, error: unknown): DeliveryError {
    const cause = (error instanceof Error ? error.message : String(error)).replace(LIBRARY_CODE, "");
    const advice = ADVICE.find(([pattern]) => pattern.test(cause))?.[1];
    const state = this.#shown(cause) + (advice === undefined ? "" : `; ${advice}`);
    return new DeliveryError(`${cannot}: ${state}`, { reason: "connection" });
  }

  /** The error of an operation that a signal ended. */
  ended(cannot: string, reason: unknown): DeliveryError {
    const isTimeout = reason instanceof Error && reason.name === "TimeoutError";
    return new DeliveryError(`${cannot}: ${isTimeout ? reason.message : "interrupted"}`, {
      reason: isTimeout ? "timeout" : "interrupted",
      cause: reason,
    });
  }

  #text(
    cannot: string,
    { name, error, advice }: { readonly name: string; readonly error: unknown; readonly advice: string | undefined },
  ): string {
    // For an answer without a text, the library's own text only repeats the code.
    const answer = error instanceof Error ? this.#shown(error.message.replace(LIBRARY_CODE, "")) : "";
    return `${cannot}: ${name}${answer === "" ? "" : `: "${answer}"`}${advice === undefined ? "" : `; ${advice}`}`;
  }

  #shown(text: string): string {
    return printable(redact(withoutSecrets(text.trim(), this.#secrets)), MAX_QUOTED_LENGTH);
  }
}
