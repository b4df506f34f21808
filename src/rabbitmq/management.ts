import type { AmqpEndpoint } from "../wire/amqp/amqp_options.ts";
import { DeliveryError } from "../model/errors.ts";
import type { RabbitTls } from "../model/config.ts";
import { HttpTarget } from "../wire/http/http.ts";

/** A queue as the management API describes it. */
export interface ManagedQueue {
  readonly name: string;
  readonly type: string;
  readonly durable: boolean;
  readonly messages: number;
  readonly consumers: number;
  /** The arguments of its declaration, with names without "x-". */
  readonly arguments: Readonly<Record<string, unknown>>;
  /**
   * The effective limits from arguments and policies. If both set a limit, this has the policy's.
   */
  readonly limits: Readonly<Record<string, unknown>>;
  /**
   * How often a quorum queue redelivers a message; `undefined` if the API does not report it, as
   * before RabbitMQ 4.
   */
  readonly deliveryLimit: number | "unlimited" | undefined;
  /** The policy that applies to the queue; `null` without one. */
  readonly policy: string | null;
}

export interface ManagedBinding {
  readonly exchange: string;
  readonly queue: string;
  readonly routingKey: string;
}

/** Read-only client of RabbitMQ's management API. */
export class Management implements AsyncDisposable {
  readonly #target: HttpTarget;
  readonly #url: string;
  readonly #signal: AbortSignal;

  /** @param options `url`: the API's address, if it is not on the broker's default port for it. */
  constructor(
    { user, password, host, tls, vhost }: AmqpEndpoint,
    options: { readonly url?: string; readonly tls: RabbitTls; readonly signal: AbortSignal },
  ) {
    const { url, signal } = options;
    const { caFile, certFile, keyFile } = options.tls;
    const files = { ...caFile && { caFile }, ...certFile && keyFile && { certFile, keyFile } };
    this.#target = new HttpTarget({ user, password, ...files, timeoutSeconds: 10, maxAnswerBytes: MAX_ANSWER_BYTES });
    const origin = `${tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${tls ? 15671 : 15672}`;
    this.#url = `${(url ?? origin).replace(/\/+$/, "")}/api/%s/${encodeURIComponent(vhost)}`;
    this.#signal = signal;
  }

  async queues(): Promise<readonly ManagedQueue[]> {
    return (await this.#list("queues")).map(queueOf);
  }

  async bindings(): Promise<readonly ManagedBinding[]> {
    return (await this.#list("bindings")).filter((row) => row["destination_type"] === "queue").map((row) => ({
      exchange: String(row["source"]),
      queue: String(row["destination"]),
      routingKey: String(row["routing_key"]),
    }));
  }

  /** All exchanges by name, and whether each is durable. */
  async exchanges(): Promise<ReadonlyMap<string, boolean>> {
    return new Map((await this.#list("exchanges")).map((row) => [String(row["name"]), row["durable"] === true]));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#target[Symbol.asyncDispose]();
  }

  async #list(what: string): Promise<readonly Row[]> {
    const url = this.#url.replace("%s", what);
    const { text } = await this.#target.request({ method: "GET", url, signal: this.#signal });
    return JSON.parse(text);
  }
}

/** Why a request to the management API failed, and what to do about it. */
export function managementRefusal(error: unknown): string {
  if (!(error instanceof DeliveryError)) return "its answer cannot be read. Look at the URL given with --management";
  const isRefused = error.status === 401 || error.status === 403;
  const advice = isRefused
    ? "rabbitmqctl set_user_tags USER monitoring lets our user read it"
    : "rabbitmq-plugins enable rabbitmq_management turns it on; --management URL says where it is";
  return `${error.message}. ${advice}`;
}

type Row = Readonly<Record<string, unknown>>;

const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

function queueOf(row: Row): ManagedQueue {
  const given = Object.entries(record(row["arguments"])).map(([key, value]) => [key.replace(/^x-/, ""), value]);
  const policy = row["policy"] ?? row["operator_policy"];
  return {
    name: String(row["name"]),
    type: String(row["type"] ?? "classic"),
    durable: row["durable"] === true,
    messages: Number(row["messages"] ?? 0),
    consumers: Number(row["consumers"] ?? 0),
    arguments: Object.fromEntries(given),
    limits: { ...Object.fromEntries(given), ...record(row["effective_policy_definition"]) },
    deliveryLimit: deliveryLimitOf(row["delivery_limit"]),
    policy: typeof policy === "string" ? policy : null,
  };
}

function deliveryLimitOf(value: unknown): ManagedQueue["deliveryLimit"] {
  if (typeof value === "number") return value < 0 ? "unlimited" : value;
  return value === "unlimited" ? value : undefined;
}

/** An object, or an empty one: the API writes an empty object as an empty list. */
function record(value: unknown): Row {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Row : {};
}
