import { refuseProblems } from "../options/option_rules.ts";
import { KeptLink } from "../kept_link.ts";
import { LinkFailures } from "../link_failures.ts";
import { KAFKA_ERRORS } from "./kafka_errors.ts";
import type { KafkaEndpoint, KafkaLink, KafkaMessage } from "./kafka_link.ts";
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
  readonly #link: KeptLink<KafkaEndpoint, KafkaLink>;

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
    const { timeoutSeconds = 30, password = "", tls } = options;
    const brokers = [options.brokers].flat();
    const failures = new LinkFailures([password], KAFKA_ERRORS);
    this.#link = new KeptLink<KafkaEndpoint, KafkaLink>({
      // The library would try the first three alone, and wait for one that says nothing.
      endpoints: brokers.map((label) => ({ ...options, label, tls: tls === true ? {} : tls || undefined })),
      // Our own time limit comes first.
      open: async (endpoint, stop) => {
        const { KafkaLink } = await import("./kafka_link.ts");
        return await KafkaLink.open(endpoint, { timeoutMs: timeoutSeconds * 1000 + 1000, stop });
      },
      failed: (cannot, error) => failures.failed(cannot, error),
      timeoutSeconds,
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
    await this.#link.attempt(`Cannot publish to topic "${message.topic}"`, signal, (link) => link.publish(message));
  }

  /**
   * Connects, logs in, and checks that the topic is there, if one is given.
   *
   * @throws {DeliveryError} when that fails.
   */
  async check(topic: string | undefined, signal: AbortSignal): Promise<void> {
    const what = topic === undefined ? "reach Kafka" : `find topic "${topic}"`;
    await this.#link.attempt(`Cannot ${what}`, signal, async (link) => {
      if (topic !== undefined) await link.find(topic);
    });
  }

  /** Closes the connections. A later message opens new ones. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}

/** Whether a topic can have this name: 1 to 249 letters, digits, `.`, `_` and `-`; not `.` nor `..`. */
export function isKafkaTopic(value: unknown): value is string {
  return typeof value === "string" && /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/.test(value);
}
