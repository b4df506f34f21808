import { LazyClient } from "../lazy_client.ts";
import { refuseProblems } from "../options/option_rules.ts";
import type { KafkaClient } from "./kafka_client.ts";
import type { KafkaMessage } from "./kafka_link.ts";
import { kafkaOptionProblems, type KafkaTargetOptions } from "./kafka_options.ts";

export type { KafkaMessage, KafkaTargetOptions };

/**
 * Publishes to topics of a Kafka cluster by an idempotent producer. The connections are opened at
 * first use and kept. Publishing succeeds when all replicas in sync have the message. Every other
 * outcome is thrown as an error that says whether to retry, and holds no secret.
 *
 * @example
 * ```ts
 * import { KafkaTarget } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * await using target = new KafkaTarget({ brokers: "127.0.0.1:1", user: "watcher", password: "s3cret" });
 * const never = new AbortController().signal;
 *
 * await assert.rejects(target.check("cloud", never), { name: "DeliveryError", reason: "connection" });
 * ```
 */
export class KafkaTarget implements AsyncDisposable {
  readonly #client: LazyClient<KafkaClient>;

  /**
   * The problems for which the constructor would refuse these options: `option: what is allowed`
   * each, never with a value.
   */
  static problems(options: KafkaTargetOptions): string[] {
    return kafkaOptionProblems(options);
  }

  /**
   * Does no I/O: files are read and the library is loaded when they are needed.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: KafkaTargetOptions) {
    refuseProblems("Cannot make KafkaTarget", KafkaTarget.problems(options));
    this.#client = new LazyClient(async () => {
      const { KafkaClient } = await import("./kafka_client.ts");
      return new KafkaClient(options);
    });
  }

  /**
   * Publishes a message.
   *
   * @throws {PermanentError} when the topic can never take it.
   * @throws {DeliveryError} when the topic is not there, the broker does not accept it at present,
   * refuses our credentials, or cannot be reached.
   */
  async publish(message: KafkaMessage, signal: AbortSignal): Promise<void> {
    await (await this.#client.loaded()).publish(message, signal);
  }

  /**
   * Connects, logs in, and checks that the topic is there, if one is given.
   *
   * @throws {DeliveryError} when that fails.
   */
  async check(topic: string | undefined, signal: AbortSignal): Promise<void> {
    await (await this.#client.loaded()).check(topic, signal);
  }

  /** Closes the connections. A later message opens new ones. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}

/** Whether a topic can have this name: 1 to 249 letters, digits, `.`, `_` and `-`; not `.` nor `..`. */
export function isKafkaTopic(value: unknown): value is string {
  return typeof value === "string" && /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/.test(value);
}
