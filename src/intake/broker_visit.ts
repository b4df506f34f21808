import type { OwnQueue, RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { AmqpEndpoint } from "../wire/amqp/amqp_options.ts";
import { endpointsOf } from "./broker_address.ts";
import { codeOf, reasonOf, refusalOf } from "./broker_errors.ts";
import { closeLink, type Link, openLink, openProbe } from "./broker_link.ts";
import { redeclareOwnQueue, withChannel } from "./broker_topology.ts";

/** A queue as it says of itself, to whoever asks. */
export interface QueueState {
  /** Ready to be delivered. */
  readonly messages: number;
  readonly consumers: number;
}

export interface VisitOptions {
  readonly signal: AbortSignal;
  /** For certificates. @default Deno.readFileSync */
  readonly readFile?: (path: string) => Uint8Array;
}

/** The brokers of a source, in the order in which they are tried. */
export function brokersOf(source: RabbitSource): readonly AmqpEndpoint[] {
  return endpointsOf(source);
}

/**
 * A look at a broker that changes nothing there, but for {@linkcode BrokerVisit.remove}: everything is asked passively, and rights by taking
 * back bindings that nobody has.
 */
export class BrokerVisit implements AsyncDisposable {
  readonly #link: Link;

  private constructor(link: Link) {
    this.#link = link;
  }

  /**
   * Logs in at one broker.
   *
   * @throws {UserError} saying why it cannot be done.
   */
  static async open(endpoint: AmqpEndpoint, source: RabbitSource, options: VisitOptions): Promise<BrokerVisit> {
    const { signal, readFile = Deno.readFileSync } = options;
    try {
      return new BrokerVisit(await openLink(endpoint, { source, readFile, signal, name: "oss-watcher visit" }));
    } catch (error) {
      throw refusalOf(error, endpoint) ?? new UserError(
        `Cannot connect to RabbitMQ at ${endpoint.label}: ${signal.aborted ? "no answer in time" : reasonOf(error)}. ` +
          "Check rabbit.host, rabbit.port and that it runs",
        { cause: error },
      );
    }
  }

  /** `host:port`. */
  get address(): string {
    return this.#link.endpoint.label;
  }

  /** Where we are logged in, and as whom. */
  get endpoint(): AmqpEndpoint {
    return this.#link.endpoint;
  }

  /** `null` when there is none. */
  async queue(name: string): Promise<QueueState | null> {
    try {
      const { messageCount, consumerCount } = await this.#use((channel) =>
        channel.queueDeclare({ queue: name, passive: true })
      );
      return { messages: messageCount, consumers: consumerCount };
    } catch (error) {
      if (codeOf(error) === "NOT_FOUND") return null;
      // Another connection's own: nobody else may look.
      if (codeOf(error) === "RESOURCE_LOCKED") return { messages: 0, consumers: 1 };
      throw error;
    }
  }

  async hasExchange(name: string): Promise<boolean> {
    try {
      await this.#use((channel) => channel.exchangeDeclare({ exchange: name, passive: true }));
      return true;
    } catch (error) {
      if (codeOf(error) === "NOT_FOUND") return false;
      throw error;
    }
  }

  /**
   * Whether we may bind a queue to an exchange, there or not: taking a binding back takes the same rights, and there is none of this
   * routing key. `null` or the refusal.
   */
  bindRefusal({ queue, exchange }: { readonly queue: string; readonly exchange: string }): Promise<string | null> {
    return this.#refusal((channel) => channel.queueUnbind({ queue, exchange, routingKey: NOBODYS_KEY }));
  }

  /** Whether we may write to and read from whatever has this name: RabbitMQ's rights go by names alone. `null` or the refusal. */
  useRefusal(name: string): Promise<string | null> {
    return this.#refusal((channel) =>
      channel.exchangeUnbind({ destination: name, source: name, routingKey: NOBODYS_KEY })
    );
  }

  /**
   * Declares our own queue, which is there, once more: that changes nothing, and fails where it differs or we may not.
   *
   * @throws {UserError} when it does.
   */
  redeclare(queue: OwnQueue): Promise<void> {
    return redeclareOwnQueue(queue, () => openProbe(this.#link));
  }

  /** Removes a queue with all that it holds. */
  async remove(queue: string): Promise<void> {
    await this.#use((channel) => channel.queueDelete({ queue }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return closeLink(this.#link);
  }

  async #refusal(ask: (channel: VisitChannel) => Promise<unknown>): Promise<string | null> {
    try {
      await this.#use(ask);
      return null;
    } catch (error) {
      if (codeOf(error) === "ACCESS_REFUSED") return reasonOf(error);
      if (codeOf(error) === "NOT_FOUND") return null;
      throw error;
    }
  }

  #use<T>(use: (channel: VisitChannel) => Promise<T>): Promise<T> {
    return withChannel(() => openProbe(this.#link), use);
  }
}

type VisitChannel = Awaited<ReturnType<typeof openProbe>>;

const NOBODYS_KEY = "oss-watcher.check.nobody-binds-this";
