import { type LinkErrors, type Meaning, TLS_ADVICE } from "../link_failures.ts";

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

/** What the errors of the library mean. */
export const KAFKA_ERRORS: LinkErrors = {
  meaningOf: (error) => "type" in error && CODES[String(error.type)] || NAMES[error.name],
  advice: [
    ...TLS_ADVICE,
    [
      /InvalidContentType|wrong version|CorruptMessage|before secure TLS/i,
      "the broker does not speak TLS there; check port and tls",
    ],
  ],
};
