/** A kind of refusal by RabbitMQ. */
export type AmqpRefusal =
  /** The user is unknown, or the password is wrong. RabbitMQ does not say which. */
  | "credentials"
  /** There is no such virtual host. */
  | "no vhost"
  /** The user has no permissions in the virtual host. */
  | "vhost rights"
  /** The user may not do this with this exchange or queue. */
  | "rights"
  /** A limit of a virtual host, user, node or cluster is reached: waiting may mend it. */
  | "limit"
  /** The virtual host, or the node that has the queue, does not run now: waiting may mend it. */
  | "down"
  | "no exchange"
  | "no queue"
  /** Another consumer reads the queue exclusively. */
  | "in use"
  /** The queue belongs to another connection, and goes with it. */
  | "locked"
  /** The queue or exchange is there, with other properties. */
  | "other properties"
  /** Names that begin with "amq." are RabbitMQ's. */
  | "reserved name"
  /** The broker does not know this argument, or not this value of it. */
  | "invalid"
  /** The broker cannot do this: a feature flag is off, or the release is too old. */
  | "unsupported"
  /** The message is larger than the broker takes. */
  | "too large"
  /** A message was not acknowledged within the broker's `consumer_timeout`. */
  | "not acknowledged";

/**
 * Texts of RabbitMQ 3.10 to 4.3 (`rabbit_reader`, `rabbit_channel`, `rabbit_amqqueue`,
 * `rabbit_access_control`), for each code. They contain names that others have chosen. So each
 * pattern is anchored at the beginning or the end of the text, where no name is.
 */
const TEXTS: Readonly<Record<string, readonly (readonly [text: RegExp, refusal: AmqpRefusal])[]>> = {
  ACCESS_REFUSED: [
    [/^Login was refused /, "credentials"],
    [/^queue '.*' in vhost '.*' in exclusive use$/, "in use"],
    [/ contains reserved prefix 'amq\.\*'$/, "reserved name"],
    [/ refused for user '.*'$/, "rights"],
    [/^operation not permitted on the default exchange$/, "rights"],
    [/^cannot publish to internal exchange /, "rights"],
  ],
  NOT_ALLOWED: [
    [/ connection limit \(-?\d+\) is reached$/, "limit"],
    [/ has reached the maximum allowed (?:\w+ )?limit of \(?-?\d+\)?$/, "limit"],
    [/^vhost .* not found$/, "no vhost"],
    [/^access to vhost '.*' refused for user '.*'$/, "vhost rights"],
  ],
  INTERNAL_ERROR: [
    [/: vhost '.*' is down$/, "down"],
    [/: the corresponding feature flag is disabled$/, "unsupported"],
  ],
  NOT_FOUND: [
    [/^no exchange '/, "no exchange"],
    [/^no queue '/, "no queue"],
    // The queue exists, but its node or leader is down.
    [/^(?:home node|failed to perform operation on|queue) /, "down"],
  ],
  PRECONDITION_FAILED: [
    [/^inequivalent arg '/, "other properties"],
    [/: queue limit in .* is reached$/, "limit"],
    [/^invalid (?:arg|property) '/, "invalid"],
    [/^message size \d+ is larger than /, "too large"],
    [/^delivery acknowledgement on channel \d+ timed out/, "not acknowledged"],
  ],
  RESOURCE_LOCKED: [[/^/, "locked"]],
  CONTENT_TOO_LARGE: [[/^/, "too large"]],
  NOT_IMPLEMENTED: [[/^/, "unsupported"]],
};

/** The kind of refusal, by code and text; `null` if the error is none that is known. */
export function amqpRefusal(error: unknown): AmqpRefusal | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  const answer = brokerText(error);
  return TEXTS[String(error.code)]?.find(([text]) => text.test(answer))?.[1] ?? null;
}

/** The broker's own text: the library prefixes it with "Method: CODE - ". */
export function brokerText(error: Error): string {
  return error.message.replace(/^\w+: (?=[A-Z_]+ - )/, "").replace(/^[A-Z_]+ - |\.$/g, "");
}

/** The command that raises a limit or gives rights, for the broker's administrator; else empty. */
export function amqpRemedy(error: unknown): string {
  const refusal = amqpRefusal(error);
  if (refusal === "down") {
    return "rabbitmqctl list_vhosts name cluster_state and rabbitmq-queues quorum_status tell more";
  }
  if (refusal !== "limit" || !(error instanceof Error)) return "";
  const answer = brokerText(error);
  if (/ queue limit in vhost /.test(answer)) return "rabbitmqctl set_vhost_limits raises max-queues";
  if (/ refused for user '.*': connection limit /.test(answer)) {
    return "rabbitmqctl set_vhost_limits raises max-connections";
  }
  if (/: user connection limit /.test(answer)) return "rabbitmqctl set_user_limits raises max-connections";
  if (/ channels opened for user /.test(answer)) return "rabbitmqctl set_user_limits raises max-channels";
  return "rabbitmq.conf has the limit of the node or cluster";
}
