import { DeliveryError, type FailureReason, PermanentError } from "../../model/errors.ts";
import { printable } from "../escaping/printable.ts";
import { TSIG_ERROR } from "./dns_tsig.ts";

/** Answers that callers handle (RFC 1035, 4.1.1; RFC 2136, 2.2). */
export const RCODE = { NOERROR: 0, NXDOMAIN: 3, REFUSED: 5, YXDOMAIN: 6, YXRRSET: 7, NXRRSET: 8, NOTAUTH: 9 } as const;

/** Answers after which another server may do better: SERVFAIL, NOTIMP, NOTAUTH. */
const MOVE_ON: readonly number[] = [2, 4, 9];

/** Name of an answer's code, what it means for the delivery, and what to do about it. */
const CODES: Readonly<Record<number, readonly [name: string, reason: FailureReason, advice?: string]>> = {
  1: ["FORMERR", "permanent"],
  2: ["SERVFAIL", "server_error"],
  3: ["NXDOMAIN", "other"],
  4: ["NOTIMP", "server_error", "set server to a primary that takes updates"],
  5: ["REFUSED", "unauthorized", "let the key do this, as docs/DNS.md says"],
  6: ["YXDOMAIN", "other"],
  7: ["YXRRSET", "other"],
  8: ["NXRRSET", "other"],
  9: ["NOTAUTH", "server_error", "set server to a primary of this zone, and zones to zones that it has"],
  10: ["NOTZONE", "permanent", "set zones to zones that the server has"],
};

/** PowerDNS answers so to a key that it does not know, Knot to a zone that it does not have. */
const UNSIGNED: typeof CODES = {
  9: ["NOTAUTH", "unauthorized", "check the key, and set server to a primary of this zone"],
};

/** The same of the errors of a signature. */
const TSIG_CODES: Readonly<Record<number, readonly [name: string, advice: string]>> = {
  [TSIG_ERROR.BADSIG]: ["BADSIG", "check keySecret and keyAlgorithm"],
  [TSIG_ERROR.BADKEY]: ["BADKEY", "check keyName and keyAlgorithm"],
  [TSIG_ERROR.BADTIME]: ["BADTIME", "set the clocks of this machine and of the server"],
  [TSIG_ERROR.BADTRUNC]: ["BADTRUNC", "have the server accept signatures of full length"],
};

/** A failure of one server. */
export interface ServerFailure {
  readonly error: DeliveryError | PermanentError;
  /** Whether another server may do better. */
  readonly movesOn: boolean;
}

/** The failure of an answer with an error code. `cannot` begins the error's text. */
export function refusedBy(cannot: string, rcode: number, isSigned: boolean): ServerFailure {
  const meaning = isSigned ? CODES[rcode] : UNSIGNED[rcode] ?? CODES[rcode];
  const [name, reason, advice] = meaning ?? ["an unknown error", "server_error"];
  const unsigned = isSigned ? "" : ", in an answer that is not signed";
  const text = `${cannot}: ${name} (${rcode})${unsigned}${advice === undefined ? "" : `; ${advice}`}`;
  // Anybody could have sent an answer that is not signed: it never ends a delivery.
  const isPermanent = reason === "permanent" && isSigned;
  const error = isPermanent
    ? new PermanentError(text)
    : new DeliveryError(text, { reason: reason === "permanent" ? "server_error" : reason });
  return { error, movesOn: MOVE_ON.includes(rcode) };
}

/** The failure of a request whose signature the server does not accept. */
export function keyRefusedBy(cannot: string, tsigError: number): ServerFailure {
  const [name, advice] = TSIG_CODES[tsigError] ?? ["an unknown error of the signature", "check the key"];
  const error = new DeliveryError(`${cannot}: ${name} (${tsigError}); ${advice}`, { reason: "unauthorized" });
  return { error, movesOn: false };
}

/** The failure of an answer that is no answer to the request. `why` says what is wrong with it. */
export function notAnAnswer(cannot: string, why: string): ServerFailure {
  return {
    error: new DeliveryError(`${cannot}: the answer is not believed: ${why}`, { reason: "server_error" }),
    movesOn: true,
  };
}

/** The failure of a connection that cannot be opened, or ends. */
export function unreachable(cannot: string, cause: unknown): ServerFailure {
  const state = printable(cause instanceof Error ? cause.message : String(cause), 200);
  return { error: new DeliveryError(`${cannot}: ${state}`, { reason: "connection" }), movesOn: true };
}
