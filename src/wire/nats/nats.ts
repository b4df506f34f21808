import { LazyClient } from "../lazy_client.ts";
import { refuseProblems } from "../options/option_rules.ts";
import type { NatsClient, NatsMessage } from "./nats_client.ts";
import type { NatsPlace } from "./nats_link.ts";
import { natsOptionProblems, type NatsTargetOptions } from "./nats_options.ts";

export type { NatsMessage, NatsPlace, NatsTargetOptions };

/**
 * Publishes to streams of NATS JetStream, through one of several servers that are tried in turn. The
 * connection is opened at first use and kept. Publishing succeeds when a stream has acknowledged the
 * message. Every other outcome is thrown as an error that says whether to retry, and holds no
 * secret.
 *
 * @example
 * ```ts
 * import { NatsTarget } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * await using target = new NatsTarget({ url: "nats://127.0.0.1:1", user: "watcher", password: "s3cret" });
 * const never = new AbortController().signal;
 *
 * await assert.rejects(target.check({ subject: "cloud" }, never), { name: "DeliveryError", reason: "connection" });
 * ```
 */
export class NatsTarget implements AsyncDisposable {
  readonly #client: LazyClient<NatsClient>;

  /**
   * The problems for which the constructor would refuse these options: `option: what is allowed`
   * each, never with a value.
   */
  static problems(options: NatsTargetOptions): string[] {
    return natsOptionProblems(options);
  }

  /**
   * Does no I/O: files are read and the library is loaded when they are needed.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: NatsTargetOptions) {
    refuseProblems("Cannot make NatsTarget", NatsTarget.problems(options));
    this.#client = new LazyClient(async () => {
      const { NatsClient } = await import("./nats_client.ts");
      return new NatsClient(options);
    });
  }

  /**
   * Publishes a message.
   *
   * @throws {PermanentError} when the server or the stream can never take it.
   * @throws {DeliveryError} when no stream takes it, the server does not accept it at present,
   * refuses our credentials, or cannot be reached.
   */
  async publish(message: NatsMessage, signal: AbortSignal): Promise<void> {
    await (await this.#client.loaded()).publish(message, signal);
  }

  /**
   * Connects, logs in, and checks that there is a stream. Without a place, or where the user may not
   * ask for streams, only that the server answers.
   *
   * @throws {DeliveryError} when that fails.
   */
  async check(place: NatsPlace | undefined, signal: AbortSignal): Promise<void> {
    await (await this.#client.loaded()).check(place, signal);
  }

  /** Closes the connection. A later message opens a new one. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
