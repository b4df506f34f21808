import { AmqpFailures, Unroutable } from "./amqp_failure.ts";
import type { AmqpEnvelope, AmqpLink, AmqpPlace } from "./amqp_link.ts";
import { amqpRefusal } from "./amqp_refusal.ts";
import { type AmqpEndpoint, amqpEndpoints, amqpOptionProblems, type AmqpTargetOptions } from "./amqp_options.ts";
import { KeptLink } from "../kept_link.ts";
import { refuseProblems } from "../options/option_rules.ts";

export type { AmqpPlace, AmqpTargetOptions };

/**
 * A message and its destination. The names are those of AMQP 0-9-1; short strings have at most 255
 * bytes.
 */
export interface AmqpMessage {
  /** A queue, or an exchange with the queues bound to it. */
  readonly to: AmqpPlace;
  /** Used by an exchange. */
  readonly routingKey: string;
  /** The property `message_id`, which tells one message from another. */
  readonly messageId: string;
  /** The property `type`, as `compute.instance.create.end`. */
  readonly type: string;
  /** The property `content_type`, as `application/json`. */
  readonly contentType: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** The property `headers`. */
  readonly headers: Readonly<Record<string, string | number | boolean>>;
  /** Sent as UTF-8. */
  readonly body: string;
}

/**
 * Publishes to a RabbitMQ broker, or to one of several that are tried in turn. The connection is
 * opened at first use and kept. Publishing succeeds when the broker has confirmed that a queue has
 * the message (publisher confirm). Every other outcome is thrown as an error that says whether to
 * retry, and holds no secret.
 *
 * @example
 * ```ts
 * import { AmqpTarget } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * await using target = new AmqpTarget({ host: "127.0.0.1", port: 1, user: "watcher", password: "s3cret" });
 * const never = new AbortController().signal;
 *
 * await assert.rejects(target.check({ queue: "nodes" }, never), { name: "DeliveryError", reason: "connection" });
 * ```
 */
export class AmqpTarget implements AsyncDisposable {
  readonly #link: KeptLink<AmqpEndpoint, AmqpLink>;

  /**
   * The problems for which the constructor would refuse these options: `option: what is allowed`
   * each, never with a value.
   */
  static problems(options: AmqpTargetOptions): string[] {
    return amqpOptionProblems(options);
  }

  /**
   * Does no I/O: files are read and the AMQP library is loaded when they are needed.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: AmqpTargetOptions) {
    refuseProblems("Cannot make AmqpTarget", AmqpTarget.problems(options));
    const endpoints = amqpEndpoints(options);
    const failures = new AmqpFailures(endpoints.map(({ password }) => password));
    const { heartbeatSeconds = 10, timeoutSeconds = 30 } = options;
    this.#link = new KeptLink({
      endpoints,
      open: async (endpoint, stop) => {
        const { AmqpLink } = await import("./amqp_link.ts");
        return await AmqpLink.open(endpoint, { heartbeatSeconds, stop });
      },
      failed: (cannot, error) => failures.failed(cannot, error),
      waitsFor: ({ blocked }) => blocked && ` (where publishers must wait: ${failures.shown(blocked)})`,
      timeoutSeconds,
    });
  }

  /**
   * Publishes a persistent message.
   *
   * @throws {PermanentError} when the broker can never take it.
   * @throws {DeliveryError} when no queue takes it, the broker does not accept it at present,
   * refuses our credentials, or cannot be reached.
   */
  async publish({ to, routingKey, body, ...properties }: AmqpMessage, signal: AbortSignal): Promise<void> {
    const toExchange = "exchange" in to;
    const envelope: AmqpEnvelope = {
      ...properties,
      exchange: toExchange ? to.exchange : "",
      routingKey: toExchange ? routingKey : to.queue,
      mandatory: true,
      durable: true,
    };
    await this.#link.attempt(`Cannot publish to ${shownPlace(to)}`, signal, async (link) => {
      const returned = await link.publish(envelope, body);
      if (returned !== undefined) throw new Unroutable(toExchange ? routingKey : undefined);
    });
  }

  /**
   * Connects, logs in and checks that the exchange or queue exists.
   *
   * @throws {DeliveryError} when that fails.
   */
  async check(place: AmqpPlace, signal: AbortSignal): Promise<void> {
    await this.#link.attempt(`Cannot look for ${shownPlace(place)}`, signal, async (link) => {
      try {
        await link.declarePassively(place);
      } catch (error) {
        // RabbitMQ 4.3 and later let only users with rights to a queue inspect it. Publishing to it
        // does not need them.
        if (!("queue" in place) || amqpRefusal(error) !== "rights") throw error;
      }
    });
  }

  /** Closes the connection. A later message opens a new one. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}

function shownPlace(place: AmqpPlace): string {
  return "exchange" in place ? `exchange "${place.exchange}"` : `queue "${place.queue}"`;
}
