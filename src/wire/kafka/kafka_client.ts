import { KeptLink } from "../kept_link.ts";
import { sending, traced } from "../tracing.ts";
import { LinkFailures } from "../link_failures.ts";
import { KAFKA_ERRORS } from "./kafka_errors.ts";
import { type KafkaEndpoint, KafkaLink, type KafkaMessage } from "./kafka_link.ts";
import type { KafkaTargetOptions } from "./kafka_options.ts";

/** What `KafkaTarget` does, with the modules that connect. */
export class KafkaClient implements AsyncDisposable {
  readonly #link: KeptLink<KafkaEndpoint, KafkaLink>;

  /** @param options Checked ones. */
  constructor(options: KafkaTargetOptions) {
    const { timeoutSeconds = 30, password = "", tls } = options;
    const brokers = [options.brokers].flat();
    const failures = new LinkFailures([password], KAFKA_ERRORS);
    this.#link = new KeptLink<KafkaEndpoint, KafkaLink>({
      // The library would try the first three alone, and wait for one that says nothing.
      endpoints: brokers.map((label) => ({ ...options, label, tls: tls === true ? {} : tls || undefined })),
      // Our own time limit comes first.
      open: (endpoint, stop) => KafkaLink.open(endpoint, { timeoutMs: timeoutSeconds * 1000 + 1000, stop }),
      failed: (cannot, error) => failures.failed(cannot, error),
      timeoutSeconds,
    });
  }

  async publish(message: KafkaMessage, signal: AbortSignal): Promise<void> {
    const { topic } = message;
    await traced(() => sending("kafka", { destination: topic }), (trace) => {
      const sent = { ...message, headers: { ...trace, ...message.headers } };
      return this.#link.attempt(`Cannot publish to topic "${topic}"`, signal, (link) => link.publish(sent));
    });
  }

  async check(topic: string | undefined, signal: AbortSignal): Promise<void> {
    const what = topic === undefined ? "reach Kafka" : `find topic "${topic}"`;
    await this.#link.attempt(`Cannot ${what}`, signal, async (link) => {
      if (topic !== undefined) await link.find(topic);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}
