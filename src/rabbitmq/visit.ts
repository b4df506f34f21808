import type { OwnQueue, RabbitSource } from "../model/config.ts";
import { UserError } from "../model/errors.ts";
import type { AmqpEndpoint } from "../wire/amqp/amqp_options.ts";
import { endpointsOf } from "./address.ts";
import { amqpRefusal } from "../wire/amqp/amqp_refusal.ts";
import { reasonOf, refusalOf } from "./errors.ts";
import { closeLink, type Link, openLink, openTemporaryChannel } from "./link.ts";
import { redeclareOwnQueue, withChannel } from "./topology.ts";

/** The state of a queue, as a passive declaration reports it. */
export interface QueueState {
  /** Number of messages that wait for delivery. */
  readonly messages: number;
  readonly consumers: number;
}

export interface VisitOptions {
  readonly signal: AbortSignal;
  /** Reads certificate files. @default Deno.readFileSync */
  readonly readFile?: (path: string) => Uint8Array;
}

/** The brokers of a source, in the order in which they are tried. */
export function brokersOf(source: RabbitSource): readonly AmqpEndpoint[] {
  return endpointsOf(source);
}

/**
 * A connection that inspects a broker without changing it, except for
 * {@linkcode BrokerVisit.remove}. Queues and exchanges are declared passively; rights are tested by
 * removing bindings that do not exist.
 */
export class BrokerVisit implements AsyncDisposable {
  readonly #link: Link;

  private constructor(link: Link) {
    this.#link = link;
  }

  /**
   * Logs in at one broker.
   *
   * @throws {UserError} with the reason if the connection or login fails.
   */
  static async open(endpoint: AmqpEndpoint, source: RabbitSource, options: VisitOptions): Promise<BrokerVisit> {
    const { signal, readFile = Deno.readFileSync } = options;
    try {
      return new BrokerVisit(await openLink(endpoint, { source, readFile, signal, name: "oss-watcher visit" }));
    } catch (error) {
      throw refusalOf(error, endpoint) ?? unreachable(endpoint, error, signal);
    }
  }

  /** `host:port`. */
  get address(): string {
    return this.#link.endpoint.label;
  }

  /** The broker's release, as `4.0.5`; empty when it does not say. */
  get version(): string {
    return this.#link.connection.brokerVersion;
  }

  /** The broker's address with the user and vhost of the login. */
  get endpoint(): AmqpEndpoint {
    return this.#link.endpoint;
  }

  /**
   * The state of a queue; `null` if it does not exist.
   *
   * @throws {UserError} when our user lacks the rights: from RabbitMQ 4.3 on a passive declaration
   * requires some right to the queue.
   */
  async queue(name: string): Promise<QueueState | null> {
    try {
      const { messageCount, consumerCount } = await this.#use((channel) =>
        channel.queueDeclare({ queue: name, passive: true })
      );
      return { messages: messageCount, consumers: consumerCount };
    } catch (error) {
      const refusal = amqpRefusal(error);
      if (refusal === "no queue") return null;
      // An exclusive queue of another connection, which has a consumer as a rule and cannot be
      // inspected.
      if (refusal === "locked") return { messages: 0, consumers: 1 };
      throw cannotLook(`queue "${name}"`, error);
    }
  }

  /** @throws {UserError} when our user lacks the rights. */
  async hasExchange(name: string): Promise<boolean> {
    try {
      await this.#use((channel) => channel.exchangeDeclare({ exchange: name, passive: true }));
      return true;
    } catch (error) {
      if (amqpRefusal(error) === "no exchange") return false;
      throw cannotLook(`exchange "${name}"`, error);
    }
  }

  /**
   * Tests whether our user may bind a queue to an exchange; either may be missing. Removing a
   * binding requires the same rights as adding it, and no binding has the routing key used here.
   * Returns `null` or the refusal.
   */
  bindRefusal({ queue, exchange }: { readonly queue: string; readonly exchange: string }): Promise<string | null> {
    return this.#refusal((channel) => channel.queueUnbind({ queue, exchange, routingKey: NOBODYS_KEY }));
  }

  /**
   * Tests whether our user may write to and read from a name: RabbitMQ's rights depend on names
   * only, not on the kind of resource. Returns `null` or the refusal.
   */
  useRefusal(name: string): Promise<string | null> {
    return this.#refusal((channel) =>
      channel.exchangeUnbind({ destination: name, source: name, routingKey: NOBODYS_KEY })
    );
  }

  /**
   * Declares our own, existing queue again. This changes nothing, and fails if its properties
   * differ or our user lacks the rights.
   *
   * @throws {UserError} in these cases.
   */
  redeclare(queue: OwnQueue): Promise<void> {
    return redeclareOwnQueue(queue, () => openTemporaryChannel(this.#link));
  }

  /** Deletes a queue with all its messages. */
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
      const refusal = amqpRefusal(error);
      if (refusal === "rights") return reasonOf(error);
      if (refusal === "no queue" || refusal === "no exchange") return null;
      throw error;
    }
  }

  #use<T>(use: (channel: VisitChannel) => Promise<T>): Promise<T> {
    return withChannel(() => openTemporaryChannel(this.#link), use);
  }
}

/** The error for a connection that failed without a known mistake in the configuration. */
function unreachable({ label }: AmqpEndpoint, error: unknown, signal: AbortSignal): UserError {
  const refusal = amqpRefusal(error);
  const advice = refusal === "limit" || refusal === "down"
    ? "Try again later"
    : "Check rabbit.host, rabbit.port and that it runs";
  const reason = signal.aborted ? "no answer in time" : reasonOf(error);
  return new UserError(`Cannot connect to RabbitMQ at ${label}: ${reason}. ${advice}`, { cause: error });
}

function cannotLook(what: string, error: unknown): unknown {
  const refusal = amqpRefusal(error);
  if (refusal === "rights") {
    return new UserError(
      `RabbitMQ does not let us look at ${what}: ${reasonOf(error)}. Our user needs the right to read it`,
      { cause: error },
    );
  }
  if (refusal !== "down") return error;
  return new UserError(`Cannot look at ${what}: ${reasonOf(error)}. Try again later`, { cause: error });
}

type VisitChannel = Awaited<ReturnType<typeof openTemporaryChannel>>;

const NOBODYS_KEY = "oss-watcher.check.nobody-binds-this";
