/** The reason why the broker or this client closed a channel or a connection. */
export class AmqpError extends Error {
  override readonly name = "AmqpError";
  /**
   * AMQP's name of the reply code, as `NOT_FOUND`, or one of this client's codes: `SOCKET_TIMEOUT`,
   * `CONNECTION_TIMEOUT`, `CONN_CLOSE`.
   */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The error for the reply code and text of the broker's close method. */
export function replyError(replyCode: number, replyText: string): AmqpError {
  return new AmqpError(REPLY_NAMES[replyCode] ?? `REPLY_${replyCode}`, replyText);
}

/** The reply code to send for an error that this client detected. */
export function replyCodeOf(error: unknown): number {
  const name = error instanceof AmqpError ? error.code : "";
  const row = Object.entries(REPLY_NAMES).find(([, one]) => one === name);
  return row === undefined ? INTERNAL_ERROR : Number(row[0]);
}

const INTERNAL_ERROR = 541;

/** AMQP 0-9-1, "constants", and RabbitMQ's own. */
const REPLY_NAMES: Readonly<Record<number, string>> = {
  311: "CONTENT_TOO_LARGE",
  312: "NO_ROUTE",
  313: "NO_CONSUMERS",
  320: "CONNECTION_FORCED",
  402: "INVALID_PATH",
  403: "ACCESS_REFUSED",
  404: "NOT_FOUND",
  405: "RESOURCE_LOCKED",
  406: "PRECONDITION_FAILED",
  501: "FRAME_ERROR",
  502: "SYNTAX_ERROR",
  503: "COMMAND_INVALID",
  504: "CHANNEL_ERROR",
  505: "UNEXPECTED_FRAME",
  506: "RESOURCE_ERROR",
  530: "NOT_ALLOWED",
  540: "NOT_IMPLEMENTED",
  541: "INTERNAL_ERROR",
};
