import { KeptLink } from "../kept_link.ts";
import { sending, traced } from "../tracing.ts";
import { AmqpFailures, Unroutable } from "./amqp_failure.ts";
import { type AmqpEnvelope, AmqpLink, type AmqpPlace } from "./amqp_link.ts";
import { type AmqpEndpoint, amqpEndpoints, type AmqpTargetOptions } from "./amqp_options.ts";
import { amqpRefusal } from "./amqp_refusal.ts";

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

/** What `AmqpTarget` does, with the modules that connect. */
export class AmqpClient implements AsyncDisposable {
  readonly #link: KeptLink<AmqpEndpoint, AmqpLink>;

  /** @param options Checked ones. */
  constructor(options: AmqpTargetOptions) {
    const endpoints = amqpEndpoints(options);
    const failures = new AmqpFailures(endpoints.map(({ password }) => password));
    const { heartbeatSeconds = 10, timeoutSeconds = 30 } = options;
    this.#link = new KeptLink({
      endpoints,
      open: (endpoint, stop) => AmqpLink.open(endpoint, { heartbeatSeconds, stop }),
      failed: (cannot, error) => failures.failed(cannot, error),
      waitsFor: ({ blocked }) => blocked && ` (where publishers must wait: ${failures.shown(blocked)})`,
      timeoutSeconds,
    });
  }

  async publish({ to, routingKey, body, ...properties }: AmqpMessage, signal: AbortSignal): Promise<void> {
    const toExchange = "exchange" in to;
    const envelope: AmqpEnvelope = {
      ...properties,
      exchange: toExchange ? to.exchange : "",
      routingKey: toExchange ? routingKey : to.queue,
      mandatory: true,
      durable: true,
    };
    const call = () =>
      sending("rabbitmq", {
        destination: toExchange ? `${to.exchange}:${routingKey}` : to.queue,
        through: toExchange ? to.exchange : to.queue,
        messageId: properties.messageId,
      });
    await traced(call, (trace) =>
      this.#link.attempt(`Cannot publish to ${shownPlace(to)}`, signal, async (link) => {
        const returned = await link.publish({ ...envelope, headers: { ...trace, ...properties.headers } }, body);
        if (returned !== undefined) throw new Unroutable(toExchange ? routingKey : undefined);
      }));
  }

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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}

function shownPlace(place: AmqpPlace): string {
  return "exchange" in place ? `exchange "${place.exchange}"` : `queue "${place.queue}"`;
}
