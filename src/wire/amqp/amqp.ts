import { LazyClient } from "../lazy_client.ts";
import { refuseProblems } from "../options/option_rules.ts";
import type { AmqpClient, AmqpMessage } from "./amqp_client.ts";
import type { AmqpPlace } from "./amqp_link.ts";
import { amqpOptionProblems, type AmqpTargetOptions } from "./amqp_options.ts";

export type { AmqpMessage, AmqpPlace, AmqpTargetOptions };

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
  readonly #client: LazyClient<AmqpClient>;

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
    this.#client = new LazyClient(async () => {
      const { AmqpClient } = await import("./amqp_client.ts");
      return new AmqpClient(options);
    });
  }

  /**
   * Publishes a persistent message.
   *
   * @throws {PermanentError} when the broker can never take it.
   * @throws {DeliveryError} when no queue takes it, the broker does not accept it at present,
   * refuses our credentials, or cannot be reached.
   */
  async publish(message: AmqpMessage, signal: AbortSignal): Promise<void> {
    await (await this.#client.loaded()).publish(message, signal);
  }

  /**
   * Connects, logs in and checks that the exchange or queue exists.
   *
   * @throws {DeliveryError} when that fails.
   */
  async check(place: AmqpPlace, signal: AbortSignal): Promise<void> {
    await (await this.#client.loaded()).check(place, signal);
  }

  /** Closes the connection. A later message opens a new one. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
