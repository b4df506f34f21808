import { type LinkErrors, type Meaning, TLS_ADVICE } from "../link_failures.ts";

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

/** What the errors of the library and of our socket mean. */
export const NATS_ERRORS: LinkErrors = {
  meaningOf: (error) =>
    "code" in error && CODES[Number(error.code)] || CLASSES[error.name] || CLASSES[error.constructor.name],
  textOf(error) {
    if ("code" in error && error.code === "ECONNREFUSED") return "refused";
    // The library says that JetStream is not enabled, whether it is or not.
    return error.name === "NoResponders" ? "no stream takes it" : undefined;
  },
  advice: [
    ...TLS_ADVICE,
    [/does not support 'tls'/, "the server offers no TLS; use nats://, or turn TLS on there"],
    [/InvalidContentType|wrong version|CorruptMessage/i, "the server does not begin with TLS; leave tls.first out"],
    [/is not NATS/, "check host and port"],
  ],
};
