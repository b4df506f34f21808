import type { AmqpEndpoint } from "../wire/amqp/amqp_options.ts";
import { DeliveryError } from "../model/errors.ts";
import type { RabbitTls } from "../model/config.ts";
import { HttpTarget } from "../wire/http/http.ts";

/** What the management API says of a queue. */
export interface ManagedQueue {
  readonly name: string;
  readonly type: string;
  readonly durable: boolean;
  readonly messages: number;
  readonly consumers: number;
  /** What it was declared with, without the "x-" of names. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** From its arguments and its policies; a policy's wins here where both have one. */
  readonly limits: Readonly<Record<string, unknown>>;
  /** How often a message may come back to a quorum queue; `undefined` when the API does not say, as before RabbitMQ 4. */
  readonly deliveryLimit: number | "unlimited" | undefined;
  /** The policy that sets limits; `null` without. */
  readonly policy: string | null;
}

export interface ManagedBinding {
  readonly exchange: string;
  readonly queue: string;
  readonly routingKey: string;
}

/** RabbitMQ's management API, if there is one and it lets us in. Reads only. */
export class Management implements AsyncDisposable {
  readonly #target: HttpTarget;
  readonly #url: string;
  readonly #signal: AbortSignal;

  /** @param options `url`: where it is, if not on its usual port of the broker. */
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

  /** Whether exchanges are durable, by name. */
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

/** Why the API says nothing to us, and what would change that. */
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

/** The API writes an empty object as an empty list. */
function record(value: unknown): Row {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Row : {};
}
